"""Files and folders at a ref: read in one of several forms, written one at a time."""

from __future__ import annotations

import base64
from typing import Any

from ghapp.sandbox.forge.git.objects import TreeEntry
from ghapp.sandbox.forge.operations import contents as operations
from ghapp.sandbox.forge.rest.gitdata import decoded, person
from ghapp.sandbox.forge.serialize import gitdata
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route

# GitHub leaves out the content of larger files unless asked for it raw.
_INLINE_LIMIT = 1 << 20


def _at(call: Call) -> tuple[str, str]:
    """(the ref as asked for, its commit)."""
    wanted = call.query.get("ref") or call.repository.default_branch
    sha = call.repository.git.resolve(wanted)
    if sha is None:
        if not call.query.get("ref"):
            raise ApiError(404, "This repository is empty.")
        raise ApiError(404, f"No commit found for the ref {wanted}")
    return wanted, sha


def _get(call: Call) -> Any:
    wanted, sha = _at(call)
    path = call.params.get("path", "").strip("/")
    git = call.repository.git
    found = git.info(f"{sha}:{path}")
    if found is None or "//" in path or ".." in path.split("/"):
        raise not_found()
    if found[1] == "tree":
        return _folder(call, wanted, f"{sha}:{path}", path)
    if found[1] != "blob":
        raise not_found()
    data = git.blob(found[0]) or b""
    if call.accepts("raw"):
        return Reply(data, headers={"Content-Type": "application/vnd.github.raw; charset=utf-8"})
    return _file(call, wanted, path, found[0], data)


def _folder(call: Call, wanted: str, name: str, path: str) -> Any:
    entries = call.repository.git.tree(name) or []
    prefix = f"{path}/" if path else ""
    listed = [gitdata.content(call.state, call.repository, wanted, prefix + entry.path, entry) for entry in entries]
    if not call.accepts("object"):
        return listed
    found = call.repository.git.info(name)
    own = TreeEntry("040000", "tree", found[0] if found else "", path)
    return {**gitdata.content(call.state, call.repository, wanted, path, own), "entries": listed}


def _file(call: Call, wanted: str, path: str, blob: str, data: bytes) -> dict[str, Any]:
    entry = TreeEntry("100644", "blob", blob, path, len(data))
    inline = len(data) <= _INLINE_LIMIT
    return {
        **gitdata.content(call.state, call.repository, wanted, path, entry),
        "content": base64.encodebytes(data).decode() if inline else "",
        "encoding": "base64" if inline else "none",
    }


def _readme(call: Call) -> Any:
    wanted, sha = _at(call)
    for entry in call.repository.git.tree(sha) or []:
        if entry.type == "blob" and entry.path.lower().startswith("readme"):
            data = call.repository.git.blob(entry.sha) or b""
            if call.accepts("raw"):
                return Reply(data, headers={"Content-Type": "application/vnd.github.raw; charset=utf-8"})
            return _file(call, wanted, entry.path, entry.sha, data)
    raise not_found()


def _write(call: Call, content: bytes | None) -> tuple[dict[str, Any], bool]:
    body, path = call.body, call.params["path"]
    commit, new = operations.write_file(
        call.state,
        call.repository,
        call.actor.person,
        path,
        content,
        body.required("message"),
        branch=body.text("branch"),
        sha=body.optional_text("sha"),
        author=person(call, "author"),
        committer=person(call, "committer"),
        app=call.actor.app,
    )
    described = gitdata.git_commit(call.state, call.repository, commit)
    if content is None:
        return {"content": None, "commit": described}, False
    blob = call.repository.git.info(f"{commit.sha}:{path}")
    entry = TreeEntry("100644", "blob", blob[0] if blob else "", path, len(content))
    branch = body.text("branch") or call.repository.default_branch
    return {
        "content": gitdata.content(call.state, call.repository, branch, path, entry),
        "commit": described,
    }, new


def _put(call: Call) -> Reply:
    if call.body.get("content") is None:
        raise unprocessable('Invalid request.\n\n"content" wasn\'t supplied.')
    described, new = _write(call, decoded(call.body.text("content")))
    return Reply(described, 201 if new else 200)


def _delete(call: Call) -> dict[str, Any]:
    for name in ("message", "sha", "branch"):
        if name not in call.body and name in call.query:
            call.body.fields[name] = call.query[name]
    if call.body.get("sha") is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    return _write(call, None)[0]


_FILE = "/repos/{owner}/{repo}/contents/{path}"

ROUTES = [
    Route("GET", _FILE, _get, "contents:read"),
    Route("PUT", _FILE, _put, "contents:write"),
    Route("DELETE", _FILE, _delete, "contents:write"),
    Route("GET", "/repos/{owner}/{repo}/readme", _readme, "contents:read"),
]
