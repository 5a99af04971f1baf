"""Identifiers as GitHub hands them out: integers, node ids and tokens. They are opaque to everyone but the forge."""

from __future__ import annotations

import base64
import secrets


def node_id(prefix: str, database_id: int, extra: str = "") -> str:
    """A global node id such as ``PR_kwAAAAAAAAP…``: the type's prefix and something opaque, unique for the type."""
    raw = b"\x92\x00" + database_id.to_bytes(8, "big") + extra.encode()
    return f"{prefix}_{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def parse_node_id(value: str) -> tuple[str, int, str]:
    """(prefix, database id, extra) of a node id; raises ValueError for anything that the forge did not make."""
    prefix, _, encoded = value.partition("_")
    raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    if raw[:2] != b"\x92\x00" or len(raw) < 10:
        raise ValueError(f"{value!r} is not a node id")
    return prefix, int.from_bytes(raw[2:10], "big"), raw[10:].decode()


def commit_node_id(repository_id: int, sha: str) -> str:
    """The node id of a commit, which exists in git alone."""
    return node_id("C", repository_id, sha)


def ref_node_id(repository_id: int, ref: str) -> str:
    """The node id of a ref (``refs/heads/main``), which exists in git alone."""
    return node_id("REF", repository_id, ref)


def token(prefix: str) -> str:
    """A token with GitHub's prefix (``ghs`` for installations, ``ghp`` for users) and 36 random characters."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"{prefix}_{''.join(secrets.choice(alphabet) for _ in range(36))}"
