"""Evidence in the notes of a real remote: signed, attached to one commit, added by many writers, never lost."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import names
from ghapp.evidence import dsse, notes
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Rejection, Release, rejections, releases
from ghapp.evidence.statement import Malformed, Statement, parse
from ghapp.git import Git, Person

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def remote(tmp_path: Path) -> Git:
    git = Git(tmp_path / "remote.git")
    git.create()
    return git


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def mirror(remote: Git, path: Path) -> Git:
    git = Git(path, url=str(remote.directory))
    git.create()
    return git


def commit(remote: Git, text: str = "hello") -> str:
    return remote.write(parent=None, message=text, author=Person("a", "a@x"), at=NOW, files={"a": text.encode()})


def step(sha: str, name: str = "tests") -> Statement:
    return Statement(names.PREDICATE_STEP, sha, {"app": "guestbook", "name": name, "result": "success"})


def test_what_is_appended_is_read_back_from_another_mirror(remote: Git, signer: Signer, tmp_path: Path) -> None:
    sha = commit(remote)
    assert notes.append(mirror(remote, tmp_path / "m1"), sha, [step(sha), step(sha, "lint")], signer, NOW)
    other = mirror(remote, tmp_path / "m2")
    other.fetch(notes.FETCH)
    assert notes.read_note(other, sha, signer.trusted) == [step(sha), step(sha, "lint")]
    assert notes.read_notes(other, signer.trusted) == {sha: [step(sha), step(sha, "lint")]}


def test_a_statement_is_written_once(remote: Git, signer: Signer, tmp_path: Path) -> None:
    sha, git = commit(remote), mirror(remote, tmp_path / "m")
    assert notes.append(git, sha, [step(sha)], signer, NOW)
    tip = remote.resolve(names.NOTES_REF)
    assert not notes.append(git, sha, [step(sha)], signer, NOW + timedelta(hours=1))
    assert remote.resolve(names.NOTES_REF) == tip


def test_many_writers_at_once_lose_nothing(remote: Git, signer: Signer, tmp_path: Path) -> None:
    shas = [commit(remote, f"c{i}") for i in range(3)]
    expected = [(sha, step(sha, f"step {i}")) for i in range(2) for sha in shas]

    def write(i: int, sha: str, statement: Statement) -> None:
        notes.append(mirror(remote, tmp_path / f"m{i}"), sha, [statement], signer, NOW)

    threads = [threading.Thread(target=write, args=(i, *pair)) for i, pair in enumerate(expected)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    found = notes.read_notes(remote, signer.trusted)
    assert sorted((sha, s.id) for sha, ss in found.items() for s in ss) == sorted((a, s.id) for a, s in expected)


def test_evidence_copied_from_another_commit_does_not_count(remote: Git, signer: Signer) -> None:
    one, two = commit(remote, "one"), commit(remote, "two")
    stolen = signer.line(step(one))
    assert notes.parse_note(stolen, one, signer.trusted) == [step(one)]
    assert notes.parse_note(stolen, two, signer.trusted) == []


def test_evidence_signed_by_another_key_does_not_count(remote: Git, signer: Signer) -> None:
    sha, stranger = commit(remote), Signer(Ed25519PrivateKey.generate())
    assert notes.parse_note(stranger.line(step(sha)), sha, signer.trusted) == []
    both = Signer(signer.key, others=(stranger.key.public_key(),))
    assert notes.parse_note(stranger.line(step(sha)), sha, both.trusted) == [step(sha)]


def test_lines_of_others_survive_but_are_not_believed(remote: Git, signer: Signer, tmp_path: Path) -> None:
    sha, git = commit(remote), mirror(remote, tmp_path / "m")
    notes.append(git, sha, [step(sha)], signer, NOW)
    remote.run("-c", "user.name=x", "-c", "user.email=x@x", "notes", "--ref=ghapp", "append", "-m", '{"a": 1}', sha)
    notes.append(git, sha, [step(sha, "second")], signer, NOW)
    git.fetch(notes.FETCH)
    assert notes.read_note(git, sha, signer.trusted) == [step(sha), step(sha, "second")]
    assert '{"a": 1}' in remote.text("notes", "--ref=ghapp", "show", sha)


@pytest.mark.parametrize("change", ["payload", "payloadType", "signatures"])
def test_a_changed_envelope_is_refused(signer: Signer, change: str) -> None:
    sha = "1" * 40
    envelope = json.loads(signer.line(step(sha)))
    other = json.loads(signer.line(step(sha, "other")))
    envelope[change] = other[change] if change != "payloadType" else "text/plain"
    assert notes.parse_note(json.dumps(envelope).encode(), sha, signer.trusted) == []


@pytest.mark.parametrize("bad", [b"[]", b"{", b"{}", b'{"_type": "x"}', b"[" * 100_000, b"\xff"])
def test_a_payload_that_is_no_statement_is_malformed(bad: bytes) -> None:
    with pytest.raises(Malformed):
        parse(bad)


def test_the_newest_writes_are_found_without_reading_all(remote: Git, signer: Signer, tmp_path: Path) -> None:
    git = mirror(remote, tmp_path / "m")
    shas = [commit(remote, f"c{i}") for i in range(4)]
    for sha in shas:
        notes.append(git, sha, [step(sha)], signer, NOW)
    git.fetch(notes.FETCH)
    assert set(notes.read_notes(git, signer.trusted, limit=2)) == set(shas[2:])


def test_a_release_is_named_by_what_it_is_not_by_when(signer: Signer) -> None:
    first = Release("guestbook", "1" * 40, NOW, {"r.io/guestbook": DIGEST}, run="1")
    again = Release("guestbook", "1" * 40, NOW + timedelta(hours=1), {"r.io/guestbook": DIGEST}, run="2")
    other = Release("guestbook", "1" * 40, NOW, {"r.io/guestbook": DIGEST.replace("a", "b")})
    assert first.name == again.name != other.name
    assert first.name.startswith("1111111-")


def test_releases_and_rejections_are_read_from_notes() -> None:
    old = Release(
        "guestbook", "1" * 40, NOW, {"r.io/guestbook": DIGEST}, ("e1",), DIGEST, "7", "refs/heads/main", ("v1",)
    )
    new = Release("guestbook", "2" * 40, NOW + timedelta(hours=1))
    no = Rejection("guestbook", old.commit, old.name, "it loses data", "alice", NOW)
    notes_by_commit = {new.commit: [new.statement()], old.commit: [old.statement(), no.statement()]}
    assert releases(notes_by_commit) == [old, new]
    assert rejections(notes_by_commit) == {("guestbook", old.name): no}


def test_a_release_whose_name_and_content_disagree_is_none() -> None:
    statement = Release("guestbook", "1" * 40, NOW).statement()
    forged = Statement(statement.kind, statement.commit, statement.predicate, {"r.io/other": DIGEST})
    assert releases({forged.commit: [forged]}) == []


def test_the_signed_bytes_are_those_of_the_dsse_specification() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
