"""What git stores, as frozen facts, and how its raw text is read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ZERO = "0" * 40

_SIGNATURE = re.compile(r"^(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})$")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, as an author or committer line has it. ``date`` carries the line's own offset."""

    name: str
    email: str
    date: datetime

    @classmethod
    def parse(cls, text: str) -> Signature:
        """From ``Name <email> 1700000000 +0100``; nonsense becomes the epoch, as git itself shows it."""
        if not (match := _SIGNATURE.match(text)):
            return cls(text, "", datetime.fromtimestamp(0, UTC))
        zone = match["zone"]
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) * (-1 if zone[0] == "-" else 1)
        return cls(match["name"], match["email"], datetime.fromtimestamp(int(match["seconds"]), timezone(offset)))

    def __str__(self) -> str:
        offset = self.date.utcoffset() or timedelta()
        minutes = int(offset.total_seconds()) // 60
        zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
        name, email = (re.sub(r"[<>\n]", "", text).strip() for text in (self.name, self.email))
        return f"{name} <{email}> {int(self.date.timestamp())} {zone}"


@dataclass(frozen=True, slots=True)
class GitCommit:
    """A commit. ``payload`` is what ``signature`` (armored, or None) signs."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str
    signature: str | None = None
    payload: str | None = None

    @property
    def headline(self) -> str:
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class GitTag:
    """An annotated tag."""

    sha: str
    object: str
    type: str
    tag: str
    tagger: Signature
    message: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree. ``path`` is relative to the tree that was asked for; ``size`` only for blobs."""

    mode: str
    type: str
    sha: str
    path: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a diff. ``status`` is GitHub's: added, removed, modified, renamed, copied, changed (mode only).

    ``patch`` is None for binary files and for those without a change of content. ``sha`` is the blob after (before,
    when removed).
    """

    filename: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None
    previous_filename: str | None = None


def _headers(raw: str) -> tuple[list[tuple[str, str]], str]:
    head, _, message = raw.partition("\n\n")
    fields: list[tuple[str, str]] = []
    for line in head.split("\n"):
        if line.startswith(" ") and fields:
            key, value = fields[-1]
            fields[-1] = (key, f"{value}\n{line[1:]}")
        else:
            key, _, value = line.partition(" ")
            fields.append((key, value))
    return fields, message


def parse_commit(sha: str, data: bytes) -> GitCommit:
    """A commit from its raw object."""
    raw = data.decode("utf-8", "replace")
    fields, message = _headers(raw)
    first = dict(reversed(fields))
    signature = first.get("gpgsig")
    payload = re.sub(r"(?m)^gpgsig .*\n(?: .*\n)*", "", raw, count=1) if signature else None
    return GitCommit(
        sha=sha,
        tree=first["tree"],
        parents=tuple(value for key, value in fields if key == "parent"),
        author=Signature.parse(first.get("author", "")),
        committer=Signature.parse(first.get("committer", "")),
        message=message.removesuffix("\n"),
        signature=signature,
        payload=payload,
    )


def parse_tag(sha: str, data: bytes) -> GitTag:
    """An annotated tag from its raw object."""
    fields, message = _headers(data.decode("utf-8", "replace"))
    first = dict(reversed(fields))
    tagger = Signature.parse(first.get("tagger", ""))
    return GitTag(sha, first["object"], first["type"], first["tag"], tagger, message.removesuffix("\n"))


def format_commit(
    tree: str, parents: tuple[str, ...], author: Signature, committer: Signature, message: str, signature: str | None
) -> bytes:
    """The raw object of a commit; ``signature`` is armored text for its ``gpgsig`` header."""
    lines = [f"tree {tree}", *(f"parent {p}" for p in parents), f"author {author}", f"committer {committer}"]
    if signature:
        lines.append("gpgsig " + signature.strip().replace("\n", "\n "))
    return ("\n".join(lines) + "\n\n" + message).encode()
