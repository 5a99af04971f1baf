"""Files at a commit, for the few that are read without a mirror: policies of the organisation, a `.ghapp.yml`.

A mirror (git fetch) costs no API budget and is preferred for anything that is read often or in bulk.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from ghapp.github import errors
from ghapp.github.client import RepositoryClient


def read(client: RepositoryClient, path: str, ref: str) -> bytes | None:
    """The bytes of a file at ``ref``; ``None`` when there is none, or a folder, a symlink, a submodule."""
    try:
        data = client.get(f"contents/{quote(path)}", ref=ref)
    except errors.NotFound:
        return None
    if not isinstance(data, dict) or data.get("type") != "file":
        return None
    if data.get("encoding") == "base64":
        return base64.b64decode(data["content"])
    # Above 1 MB the contents API gives no content; the blob has it, up to 100 MB.
    return base64.b64decode(client.get(f"git/blobs/{data['sha']}")["content"])


def listing(client: RepositoryClient, path: str, ref: str) -> list[dict[str, Any]]:
    """The entries of a folder at ``ref``; empty when there is none. Raises ``Truncated`` above 1,000 entries."""
    try:
        data = client.get(f"contents/{quote(path)}", ref=ref)
    except errors.NotFound:
        return []
    if not isinstance(data, list):
        return []
    if len(data) >= 1_000:
        raise errors.Truncated(f"GitHub gives only the first 1,000 entries of {path}.")
    return data
