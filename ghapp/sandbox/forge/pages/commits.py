"""One commit: message, signature, checks, notes and what it changes."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from flask import Blueprint, render_template

from ghapp.sandbox.forge.model import Repository
from ghapp.sandbox.forge.pages import checks, finding
from ghapp.sandbox.forge.pages.diff import file_diff
from ghapp.sandbox.forge.serialize.gitdata import verification

views = Blueprint("commits", __name__)


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a commit; ``opened`` holds the readable insides of the signed envelopes in it, one for each line."""

    ref: str
    text: str
    opened: tuple[str, ...]


def notes(repository: Repository, sha: str) -> list[Note]:
    """What ``refs/notes/*`` say of a commit. Git spreads notes over folders by the first digits of the sha."""
    found = []
    places = (sha, f"{sha[:2]}/{sha[2:]}", f"{sha[:2]}/{sha[2:4]}/{sha[4:]}")
    for ref in repository.git.refs("refs/notes"):
        contents = (repository.git.blob(f"{ref}:{place}") for place in places)
        content = next((each for each in contents if each is not None), None)
        if content is not None:
            text = content.decode("utf-8", "replace")
            opened = tuple(payload for line in text.splitlines() if (payload := _payload(line)))
            found.append(Note(ref, text, opened))
    return found


def _payload(line: str) -> str | None:
    """The statement in a DSSE envelope, indented; None for any other line."""
    try:
        envelope = json.loads(line)
        statement = json.loads(base64.b64decode(envelope["payload"]))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    return json.dumps(statement, indent=2, ensure_ascii=False)


@views.get("/<owner>/<repo>/commit/<sha>")
@views.get("/<owner>/<repo>/commit/<sha>/checks")
@views.get("/<owner>/<repo>/pull/<int:_number>/commits/<sha>")
def commit(owner: str, repo: str, sha: str, _number: int = 0) -> str:
    repository = finding.repository(owner, repo)
    record = finding.commit(repository, sha)
    parent = record.parents[0] if record.parents else None
    return render_template(
        "commit.html",
        repository=repository,
        commit=record,
        author=finding.forge().user_by_email(record.author.email),
        committer=finding.forge().user_by_email(record.committer.email),
        verification=verification(repository, record),
        checks=checks.lines(repository, record.sha),
        notes=notes(repository, record.sha),
        pulls=[p for p in repository.pulls if record.sha in (p.head_sha, p.merge_commit_sha)],
        files=[file_diff(change) for change in repository.git.diff(parent, record.sha)],
    )
