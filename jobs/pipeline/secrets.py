"""Secrets of steps: files ``<owner>/<repository>/<NAME>`` below the workers' secrets directory, read by name alone.

An organisation's secrets lie in ``<owner>/_/<NAME>``. Nothing lists secrets; a value is read when a step that names it
begins, and handed to that step and to the redaction of what it prints.
"""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}\Z")
_OWNER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
_SHARED = "_"


class MissingSecret(LookupError):
    """A secret that a step names and nobody has stored; the message says where it belongs."""


class Secrets:
    """The secrets of one repository."""

    def __init__(self, directory: Path | None, full_name: str) -> None:
        owner, _, name = full_name.partition("/")
        if not _OWNER.match(owner) or not _OWNER.match(name) or set(owner) == {"."} or set(name) == {"."}:
            raise ValueError(f"{full_name!r} is not owner/name")
        self._directory, self._owner, self._name = directory, owner, name

    def has(self, name: str) -> bool:
        return self._path(name) is not None

    def read(self, name: str) -> str:
        """The value of a secret, without a trailing line break. Raises :class:`MissingSecret`."""
        path = self._path(name)
        if path is None:
            raise MissingSecret(self.where(name))
        return path.read_text("utf-8", "surrogateescape").rstrip("\r\n")

    def where(self, name: str) -> str:
        """A sentence for whoever has to store a missing secret."""
        if self._directory is None:
            return f"the secret {name} cannot be given: the workers have no secrets directory (GHAPP_SECRETS_DIR)"
        return (
            f"the secret {name} is not stored; put it into {self._owner}/{self._name}/{name} of the secrets directory"
        )

    def _path(self, name: str) -> Path | None:
        if self._directory is None or not _NAME.match(name):
            return None
        candidates = (self._directory / self._owner / folder / name for folder in (self._name, _SHARED))
        return next((path for path in candidates if path.is_file()), None)
