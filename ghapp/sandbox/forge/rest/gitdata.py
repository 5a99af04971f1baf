"""Git's own objects: refs, commits, trees, blobs and tags."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from ghapp.process import ProcessError
from ghapp.sandbox.forge.git.objects import ZERO, Signature
from ghapp.sandbox.forge.model import Verification
from ghapp.sandbox.forge.operations import protection, refs
from ghapp.sandbox.forge.operations.identity import signature
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import gitdata
from ghapp.sandbox.forge.web.call import Body, Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route

_SHA = re.compile(r"[0-9a-f]{40}")
_MODES = ("100644", "100755", "040000", "160000", "120000")
_TREE_LIMIT = 100_000


# Refs -----------------------------------------------------------------------------------------------------------------


def _described(call: Call, name: str) -> dict[str, Any]:
    found = call.repository.git.info(name)
    if found is None:
        raise not_found()
    return gitdata.ref(call.state, call.repository, name, found[0], found[1])


def _get_ref(call: Call) -> dict[str, Any]:
    return _described(call, f"refs/{call.params['ref']}")


def _matching(call: Call) -> Reply:
    wanted = f"refs/{call.params.get('ref', '')}"
    folder = wanted.rsplit("/", 1)[0]
    found = [(n, *v) for n, v in call.repository.git.refs(folder).items() if n.startswith(wanted)]
    return call.page(found, lambda r: gitdata.ref(call.state, call.repository, *r))


def _protected(call: Call, ref: str, before: str | None, after: str | None, force: bool) -> None:
    """Refuse what branch protection forbids, as a push would be."""
    if not ref.startswith("refs/heads/"):
        return
    branch = ref.removeprefix("refs/heads/")
    actor = call.actor
    reason = protection.push_refusal(call.state, call.repository, branch, before, after, actor.person, actor.app)
    if reason is None and before and after and force and protection.forbids_force(call.repository, branch):
        forward = call.repository.git.is_ancestor(before, after)
        reason = None if forward else "Cannot force-push to this branch."
    if reason is not None:
        raise unprocessable(reason)


def _create_ref(call: Call) -> Reply:
    ref, sha = call.body.required("ref"), call.body.required("sha")
    if not ref.startswith("refs/") or ref.count("/") < 2 or ref.startswith("refs/pull/"):
        raise unprocessable("Reference name must start with 'refs/' and contain at least two slashes.")
    if not _SHA.fullmatch(sha) or call.repository.git.info(sha) is None:
        raise unprocessable("Object does not exist")
    if call.repository.git.ref(ref) is not None:
        raise unprocessable("Reference already exists")
    _protected(call, ref, None, sha, force=False)
    refs.move(call.state, call.repository, ref, sha, call.actor.person, ZERO)
    return Reply(_described(call, ref), 201)


def _update_ref(call: Call) -> dict[str, Any]:
    git, ref = call.repository.git, f"refs/{call.params['ref']}"
    sha, force = call.body.required("sha"), call.body.flag("force")
    before = git.ref(ref)
    if before is None:
        raise unprocessable("Reference does not exist")
    if not _SHA.fullmatch(sha) or git.info(sha) is None:
        raise unprocessable("Object does not exist")
    if not force and not git.is_ancestor(before, sha):
        raise unprocessable("Update is not a fast forward")
    _protected(call, ref, before, sha, force)
    refs.move(call.state, call.repository, ref, sha, call.actor.person, before)
    return _described(call, ref)


def _delete_ref(call: Call) -> None:
    ref = f"refs/{call.params['ref']}"
    before = call.repository.git.ref(ref)
    if before is None or ref.startswith("refs/pull/"):
        raise unprocessable("Reference does not exist")
    _protected(call, ref, before, None, force=False)
    refs.move(call.state, call.repository, ref, None, call.actor.person, before)


# Commits and tags -----------------------------------------------------------------------------------------------------


def person(call: Call, name: str) -> Signature | None:
    """An author, committer or tagger that the body names, or None."""
    given = call.body.mapping(name)
    if not given:
        return None
    fields = Body(given)
    when = fields.moment("date") or call.state.now()
    return Signature(fields.required("name"), fields.required("email"), when)


def _get_commit(call: Call) -> dict[str, Any]:
    found = call.repository.git.commit(call.params["commit_sha"])
    if found is None:
        raise not_found()
    return gitdata.git_commit(call.state, call.repository, found)


def _create_commit(call: Call) -> Reply:
    body, git = call.body, call.repository.git
    tree, parents = body.required("tree"), body.texts("parents")
    message = body.required("message")
    if (git.info(tree) or ("", "", 0))[1] != "tree":
        raise unprocessable("Tree SHA does not exist")
    if any((git.info(parent) or ("", "", 0))[1] != "commit" for parent in parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    own = signature(call.state, call.actor.person)
    given_author, given_committer = person(call, "author"), person(call, "committer")
    author = given_author or own
    sha = git.write_commit(tree, parents, author, given_committer or author, message, body.optional_text("signature"))
    if call.actor.app is not None and not (given_author or given_committer):
        # GitHub signs what a bot commits under its own name.
        signed = "-----BEGIN PGP SIGNATURE-----\n\nYm90\n-----END PGP SIGNATURE-----"
        call.repository.verifications[sha] = Verification(True, "valid", signed, message)
    written = git.commit(sha)
    if written is None:
        raise ApiError(500, "Server Error")
    return Reply(gitdata.git_commit(call.state, call.repository, written), 201)


def _get_tag(call: Call) -> dict[str, Any]:
    found = call.repository.git.tag(call.params["tag_sha"])
    if found is None:
        raise not_found()
    return gitdata.tag(call.state, call.repository, found)


def _create_tag(call: Call) -> Reply:
    body, git = call.body, call.repository.git
    name, message = body.required("tag"), body.required("message")
    target, kind = body.required("object"), body.required("type")
    if (git.info(target) or ("", "", 0))[1] != kind:
        raise unprocessable("Could not verify object")
    tagger = person(call, "tagger") or signature(call.state, call.actor.person)
    content = f"object {target}\ntype {kind}\ntag {name}\ntagger {tagger}\n\n{message}\n"
    found = git.tag(git.write_object("tag", content.encode()))
    if found is None:
        raise ApiError(500, "Server Error")
    return Reply(gitdata.tag(call.state, call.repository, found), 201)


def _tags(call: Call) -> Reply:
    state, repository = call.state, call.repository
    names = [name.removeprefix("refs/tags/") for name in repository.git.refs("refs/tags")]
    names.reverse()

    def described(name: str) -> dict[str, Any]:
        sha = finding.sha(call, f"refs/tags/{name}")
        url = f"{state.api_url}/repos/{repository.full_name}"
        return {
            "name": name,
            "node_id": gitdata.ref(state, repository, f"refs/tags/{name}", sha, "tag")["node_id"],
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "zipball_url": f"{url}/zipball/refs/tags/{name}",
            "tarball_url": f"{url}/tarball/refs/tags/{name}",
        }

    return call.page(names, described)


# Trees and blobs ------------------------------------------------------------------------------------------------------


def _get_tree(call: Call) -> dict[str, Any]:
    git, wanted = call.repository.git, call.params["tree_sha"]
    name = wanted if git.info(f"{wanted}^{{tree}}") else git.resolve(wanted) or ""
    found = git.info(f"{name}^{{tree}}") if name else None
    if found is None:
        raise not_found()
    entries = git.tree(found[0], recursive=bool(call.query.get("recursive"))) or []
    return gitdata.tree(call.state, call.repository, found[0], entries[:_TREE_LIMIT], len(entries) > _TREE_LIMIT)


def _create_tree(call: Call) -> Reply:
    body, git = call.body, call.repository.git
    base = body.optional_text("base_tree")
    if base is not None and git.info(f"{base}^{{tree}}") is None:
        raise unprocessable("base_tree is not a valid tree oid")
    entries: list[tuple[str, str | None, str]] = []
    for fields in body.objects("tree"):
        path, mode = fields.required("path"), fields.choice("mode", _MODES, "100644")
        if any(part in ("", ".", "..", ".git") for part in path.split("/")):
            raise unprocessable("tree.path contains a malformed path component")
        if "content" in fields:
            sha: str | None = git.write_object("blob", fields.text("content").encode())
        else:
            sha = fields.optional_text("sha")
        if sha is not None and git.info(sha) is None and mode != "160000":
            raise unprocessable(f"tree.sha {sha} is not a valid {fields.text('type', 'blob')}")
        entries += _expanded(call, mode, sha, path)
    try:
        tree = git.write_tree(entries, base)
    except ProcessError:
        raise unprocessable("GitRPC::BadObjectState") from None
    described = gitdata.tree(call.state, call.repository, tree, git.tree(tree) or [], truncated=False)
    return Reply(described, 201)


def _expanded(call: Call, mode: str, sha: str | None, path: str) -> list[tuple[str, str | None, str]]:
    """An index holds files only: a tree is put there as what it contains."""
    if mode != "040000" or sha is None:
        return [(mode, sha, path)]
    below = call.repository.git.tree(sha, recursive=True) or []
    return [(entry.mode, entry.sha, f"{path}/{entry.path}") for entry in below if entry.type != "tree"]


def _get_blob(call: Call) -> Reply | dict[str, Any]:
    found = call.repository.git.read(call.params["file_sha"])
    if found is None or found[1] != "blob":
        raise not_found()
    if call.accepts("raw"):
        return Reply(found[2], headers={"Content-Type": "application/vnd.github.raw"})
    return gitdata.blob(call.state, call.repository, found[0], found[2])


def _create_blob(call: Call) -> Reply:
    body = call.body
    content = body.text("content").encode()
    if body.choice("encoding", ("utf-8", "base64"), "utf-8") == "base64":
        content = decoded(body.text("content"))
    sha = call.repository.git.write_object("blob", content)
    url = f"{call.state.api_url}/repos/{call.repository.full_name}/git/blobs/{sha}"
    return Reply({"sha": sha, "url": url}, 201)


def decoded(text: str) -> bytes:
    """Base64 as GitHub takes it, with or without line breaks."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("content is not valid Base64") from None


_GIT = "/repos/{owner}/{repo}/git"
_READ, _WRITE = "contents:read", "contents:write"

ROUTES = [
    Route("GET", f"{_GIT}/ref/{{ref}}", _get_ref, _READ),
    Route("GET", f"{_GIT}/matching-refs/{{ref}}", _matching, _READ),
    Route("POST", f"{_GIT}/refs", _create_ref, _WRITE),
    Route("PATCH", f"{_GIT}/refs/{{ref}}", _update_ref, _WRITE),
    Route("DELETE", f"{_GIT}/refs/{{ref}}", _delete_ref, _WRITE),
    Route("GET", f"{_GIT}/commits/{{commit_sha}}", _get_commit, _READ),
    Route("POST", f"{_GIT}/commits", _create_commit, _WRITE),
    Route("GET", f"{_GIT}/tags/{{tag_sha}}", _get_tag, _READ),
    Route("POST", f"{_GIT}/tags", _create_tag, _WRITE),
    Route("GET", f"{_GIT}/trees/{{tree_sha}}", _get_tree, _READ),
    Route("POST", f"{_GIT}/trees", _create_tree, _WRITE),
    Route("GET", f"{_GIT}/blobs/{{file_sha}}", _get_blob, _READ),
    Route("POST", f"{_GIT}/blobs", _create_blob, _WRITE),
    Route("GET", "/repos/{owner}/{repo}/tags", _tags, "metadata:read"),
]
