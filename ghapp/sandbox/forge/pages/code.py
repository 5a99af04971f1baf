"""Files and folders at a branch, tag or commit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, render_template
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from ghapp.sandbox.forge.git.objects import GitCommit
from ghapp.sandbox.forge.model import Repository
from ghapp.sandbox.forge.pages import finding, markdown

views = Blueprint("code", __name__)

_SHOWN = 400_000  # bytes of a file's text on a page


@dataclass(frozen=True, slots=True)
class Place:
    """A path at a commit. ``ref`` is the name that the address gave the commit."""

    repository: Repository
    ref: str
    commit: GitCommit
    path: str

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """(name, path) of each folder on the way."""
        parts = self.path.split("/") if self.path else []
        return [(part, "/".join(parts[: i + 1])) for i, part in enumerate(parts)]


def place(owner: str, repo: str, rest: str) -> Place:
    """``feature/x/src/a.py``: the longest leading part that names a commit is the ref, as branches contain slashes."""
    repository = finding.repository(owner, repo)
    parts = rest.strip("/").split("/")
    for length in range(len(parts), 0, -1):
        ref = "/".join(parts[:length])
        sha = repository.git.resolve(ref)
        if sha and (commit := repository.git.commit(sha)):
            return Place(repository, ref, commit, "/".join(parts[length:]))
    raise NotFound(f"{repository.full_name} has no branch, tag or commit in {rest}.")


@views.get("/<owner>/<repo>/tree/<path:rest>")
def tree(owner: str, repo: str, rest: str) -> str:
    at = place(owner, repo, rest)
    entries = at.repository.git.tree(f"{at.commit.sha}:{at.path}")
    if entries is None:
        abort(404, f"There is no folder {at.path} at {at.ref}.")
    entries.sort(key=lambda entry: (entry.type != "tree", entry.path))
    readme = next((e for e in entries if e.path.lower() == "readme.md" and e.type == "blob"), None)
    text = (at.repository.git.blob(readme.sha) or b"").decode("utf-8", "replace") if readme else ""
    return render_template("tree.html", repository=at.repository, at=at, entries=entries, readme=text)


@views.get("/<owner>/<repo>/blob/<path:rest>")
def blob(owner: str, repo: str, rest: str) -> str:
    at, content = _content(owner, repo, rest)
    binary = b"\0" in content[:8000]
    text = "" if binary else content[:_SHOWN].decode("utf-8", "replace")
    rendered = markdown.html(text) if at.path.lower().endswith(".md") else None
    return render_template(
        "blob.html",
        repository=at.repository,
        at=at,
        size=len(content),
        lines=None if binary else text.splitlines(),
        is_markdown=rendered is not None,
        text=text,
    )


@views.get("/<owner>/<repo>/raw/<path:rest>")
def raw(owner: str, repo: str, rest: str) -> Response:
    """The bytes, as text that no browser will take for a page."""
    _, content = _content(owner, repo, rest)
    kind = "application/octet-stream" if b"\0" in content[:8000] else "text/plain; charset=utf-8"
    return Response(content, content_type=kind, headers={"Content-Security-Policy": "default-src 'none'; sandbox"})


def _content(owner: str, repo: str, rest: str) -> tuple[Place, bytes]:
    at = place(owner, repo, rest)
    content = at.repository.git.blob(f"{at.commit.sha}:{at.path}") if at.path else None
    if content is None:
        abort(404, f"There is no file {at.path} at {at.ref}.")
    return at, content
