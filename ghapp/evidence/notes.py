"""Evidence as Git notes: one DSSE envelope a line, in the note of the commit that it is about.

A line is believed only if a trusted key signed it *and* it names the very commit it is attached to; everything else in
a note is passed over. Lines are only ever added, each once; a writer that was not first reads again and adds again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ghapp import names
from ghapp.evidence import dsse
from ghapp.evidence.statement import Malformed, Statement, parse
from ghapp.git import Git, GitError, Moved, Person

FETCH = f"+{names.NOTES_REF}*:{names.NOTES_REF}*"  # a pattern, so that a remote without notes is no error
_WRITER = Person("ghapp", "ghapp@users.noreply.github.com")
_ATTEMPTS = 20
_MAX_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs evidence, and whose evidence is believed (always including our own)."""

    key: Ed25519PrivateKey
    others: tuple[Ed25519PublicKey, ...] = ()

    @property
    def trusted(self) -> tuple[Ed25519PublicKey, ...]:
        return (self.key.public_key(), *self.others)

    def line(self, statement: Statement) -> bytes:
        envelope = dsse.sign(self.key, names.PAYLOAD_TYPE, statement.payload())
        return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def parse_note(note: bytes, commit: str, keys: Iterable[Ed25519PublicKey]) -> list[Statement]:
    """The statements in one commit's note that are signed by one of ``keys`` and about that commit, in order."""
    trusted = tuple(keys)
    found: dict[str, Statement] = {}
    for line in note.splitlines():
        if len(line) > _MAX_LINE or not line.startswith(b"{"):
            continue
        try:
            statement = parse(dsse.verify(json.loads(line), trusted, payload_type=names.PAYLOAD_TYPE))
        except (dsse.Untrusted, Malformed, ValueError, RecursionError):
            continue
        if statement.commit == commit:
            found.setdefault(statement.id, statement)
    return list(found.values())


def read_note(git: Git, commit: str, keys: Iterable[Ed25519PublicKey]) -> list[Statement]:
    """What is known about one commit, from the notes in the mirror (fetch :data:`FETCH` first)."""
    return parse_note(_raw(git, _tip(git), commit)[1], commit, keys)


def read_notes(git: Git, keys: Iterable[Ed25519PublicKey], *, limit: int = 0) -> dict[str, list[Statement]]:
    """Commit → its statements, from the notes in the mirror (fetch :data:`FETCH` first).

    With ``limit``, only the commits that the newest ``limit`` writes were about: what a reconcile reads must not
    grow with the age of a repository.
    """
    tip = _tip(git)
    if tip is None:
        return {}
    files = git.files(tip)
    if limit and len(files) > limit:
        changed = git.run("log", f"--max-count={limit}", "--format=", "--name-only", "--no-renames", tip).text.split()
        files = {path: files[path] for path in dict.fromkeys(changed) if path in files}
    trusted = tuple(keys)
    notes: dict[str, list[Statement]] = {}
    for path, content in zip(files, git.read_all(list(files.values())), strict=True):
        commit = path.replace("/", "")
        notes.setdefault(commit, []).extend(parse_note(content, commit, trusted))
    return notes


def append(
    git: Git,
    commit: str,
    statements: Sequence[Statement],
    signer: Signer,
    now: datetime,
    *,
    unless: Callable[[Sequence[Statement]], bool] = lambda _known: False,
) -> bool:
    """Add ``statements`` to the note of ``commit`` on the remote; those already there are not written again.

    ``unless`` is asked, each time with what the note says by then, whether writing has become needless. Returns
    whether anything was written. Raises :class:`~ghapp.git.GitError` when the remote refuses.
    """
    for statement in statements:
        if statement.commit != commit:
            raise ValueError(f"a statement about {statement.commit[:12]} does not belong on {commit[:12]}")
    for _ in range(_ATTEMPTS):
        with git.lock():
            git.fetch(FETCH)
            tip = _tip(git)
            paths, note = _raw(git, tip, commit)
            known = parse_note(note, commit, signer.trusted)
            ids = {s.id for s in known}
            fresh = [s for s in statements if s.id not in ids]
            if not fresh or unless(known):
                return False
            lines = [*(line for line in note.splitlines() if line.strip()), *map(signer.line, fresh)]
            path = f"{commit[:2]}/{commit[2:]}"
            new = git.write(
                parent=tip,
                message=_message(commit, fresh),
                author=_WRITER,
                at=now,
                files={path: b"\n".join(lines) + b"\n"},
                remove=[p for p in paths if p != path],
            )
        try:
            git.push(new, names.NOTES_REF, old=tip)
        except Moved:
            continue
        return True
    raise GitError(f"the notes moved {_ATTEMPTS} times while evidence about {commit[:12]} was being added")


def _message(commit: str, statements: Sequence[Statement]) -> str:
    kinds = sorted({s.kind.rsplit("/", 2)[-2] for s in statements})
    return f"evidence: {', '.join(kinds)} of {commit[:12]}\n"


def _tip(git: Git) -> str | None:
    return git.resolve(names.NOTES_REF)


def _raw(git: Git, tip: str | None, commit: str) -> tuple[list[str], bytes]:
    """The paths at which a commit's note lies (git spreads notes over folders as they grow), and what they say."""
    if tip is None:
        return [], b""
    candidates = (commit, f"{commit[:2]}/{commit[2:]}", f"{commit[:2]}/{commit[2:4]}/{commit[4:]}")
    found = {path: content for path in candidates if (content := git.read(tip, path)) is not None}
    return list(found), b"\n".join(found.values())
