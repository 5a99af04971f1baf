"""Credentials for registries, from a file as ``docker login`` writes it. They are sent to their own host alone."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

Credentials = dict[str, tuple[str, str]]  # host → user, password


class BadAuthFile(ValueError):
    """The file of credentials cannot be used; the message says why and never repeats what is in it."""


def read(path: Path | None) -> Credentials:
    """Raises :class:`BadAuthFile`."""
    if path is None:
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
        entries = data.get("auths", {})
        return {host_of(name): found for name, entry in entries.items() if (found := _pair(entry))}
    except OSError as e:
        raise BadAuthFile(f"{path} cannot be read: {e.strerror}") from None
    except (ValueError, AttributeError, TypeError, binascii.Error):
        raise BadAuthFile(f"{path} is not a file as `docker login` writes it") from None


def host_of(name: str) -> str:
    """The host of an entry, which may be written as an address."""
    host = name.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return "docker.io" if host in ("index.docker.io", "registry-1.docker.io") else host


def _pair(entry: dict[str, str]) -> tuple[str, str] | None:
    if entry.get("auth"):
        user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
        return user, password
    if entry.get("username"):
        return entry["username"], entry.get("password", "")
    return None
