"""Commits, refs, trees, tags, files and comparisons in GitHub's shapes."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from ghapp.sandbox.forge.git.objects import FileChange, GitCommit, GitTag, Signature, TreeEntry
from ghapp.sandbox.forge.model import Repository, State
from ghapp.sandbox.forge.model.ids import commit_node_id, node_id, ref_node_id
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import optional_user
from ghapp.sandbox.forge.serialize.repositories import api_url, html_url

# Stands where GitHub's own signature would: nobody can check it, only see that there is one.
_FORGE_SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nZm9yZ2U=\n-----END PGP SIGNATURE-----"


def person(who: Signature) -> dict[str, Any]:
    """``git-user``."""
    return {"name": who.name, "email": who.email, "date": moment(who.date)}


def verification(repository: Repository, commit: GitCommit) -> dict[str, Any]:
    """What is known of a commit's signature: web commits are the forge's own, others' keys nobody knows."""
    known = repository.verifications.get(commit.sha)
    if known is not None:
        verified, reason, signature, payload = known.verified, known.reason, known.signature, known.payload
    elif commit.sha in repository.web_commits:
        verified, reason, signature, payload = True, "valid", _FORGE_SIGNATURE, f"tree {commit.tree}\n"
    elif commit.signature:
        verified, reason, signature, payload = False, "unknown_key", commit.signature, commit.payload
    else:
        verified, reason, signature, payload = False, "unsigned", None, None
    verified_at = moment(commit.committer.date) if verified else None
    return {
        "verified": verified,
        "reason": reason,
        "signature": signature,
        "payload": payload,
        "verified_at": verified_at,
    }


def simple_commit(commit: GitCommit) -> dict[str, Any]:
    """``simple-commit``."""
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": moment(commit.committer.date),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }


def git_commit(state: State, repository: Repository, commit: GitCommit) -> dict[str, Any]:
    """``git-commit``: the raw object."""
    url, page = f"{api_url(state, repository)}/git", html_url(state, repository)
    return {
        "sha": commit.sha,
        "node_id": commit_node_id(repository.id, commit.sha),
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
        "author": person(commit.author),
        "committer": person(commit.committer),
        "tree": {"sha": commit.tree, "url": f"{url}/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [{"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{page}/commit/{p}"} for p in commit.parents],
        "verification": verification(repository, commit),
    }


def commit(state: State, repository: Repository, record: GitCommit) -> dict[str, Any]:
    """``commit``: with the accounts behind author and committer."""
    url, page = api_url(state, repository), html_url(state, repository)
    return {
        "sha": record.sha,
        "node_id": commit_node_id(repository.id, record.sha),
        "commit": {
            "author": person(record.author),
            "committer": person(record.committer),
            "message": record.message,
            "tree": {"sha": record.tree, "url": f"{url}/git/trees/{record.tree}"},
            "url": f"{url}/git/commits/{record.sha}",
            "comment_count": 0,
            "verification": verification(repository, record),
        },
        "url": f"{url}/commits/{record.sha}",
        "html_url": f"{page}/commit/{record.sha}",
        "comments_url": f"{url}/commits/{record.sha}/comments",
        "author": optional_user(state, state.user_by_email(record.author.email)),
        "committer": optional_user(state, state.user_by_email(record.committer.email)),
        "parents": [{"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{page}/commit/{p}"} for p in record.parents],
    }


def stats(files: tuple[FileChange, ...]) -> dict[str, int]:
    additions, deletions = sum(f.additions for f in files), sum(f.deletions for f in files)
    return {"total": additions + deletions, "additions": additions, "deletions": deletions}


def changed_file(state: State, repository: Repository, sha: str, change: FileChange) -> dict[str, Any]:
    """``diff-entry``."""
    path = quote(change.filename)
    answer: dict[str, Any] = {
        "sha": change.sha,
        "filename": change.filename,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{html_url(state, repository)}/blob/{sha}/{path}",
        "raw_url": f"{html_url(state, repository)}/raw/{sha}/{path}",
        "contents_url": f"{api_url(state, repository)}/contents/{path}?ref={sha}",
    }
    if change.patch is not None:
        answer["patch"] = change.patch
    if change.previous_filename is not None:
        answer["previous_filename"] = change.previous_filename
    return answer


def ref(state: State, repository: Repository, name: str, sha: str, kind: str) -> dict[str, Any]:
    """``git-ref``."""
    url = f"{api_url(state, repository)}/git"
    return {
        "ref": name,
        "node_id": ref_node_id(repository.id, name),
        "url": f"{url}/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{url}/{kind}s/{sha}"},
    }


def tree(state: State, repository: Repository, sha: str, entries: list[TreeEntry], truncated: bool) -> dict[str, Any]:
    """``git-tree``."""
    url = f"{api_url(state, repository)}/git"
    listed: list[dict[str, Any]] = []
    for entry in entries:
        item: dict[str, Any] = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.size is not None:
            item["size"] = entry.size
        if entry.type != "commit":
            item["url"] = f"{url}/{entry.type}s/{entry.sha}"
        listed.append(item)
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": listed, "truncated": truncated}


def blob(state: State, repository: Repository, sha: str, content: bytes) -> dict[str, Any]:
    """``blob``."""
    return {
        "sha": sha,
        "node_id": node_id("B", repository.id, sha),
        "size": len(content),
        "url": f"{api_url(state, repository)}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }


def tag(state: State, repository: Repository, record: GitTag) -> dict[str, Any]:
    """``git-tag``."""
    url = f"{api_url(state, repository)}/git"
    return {
        "node_id": node_id("TA", repository.id, record.sha),
        "sha": record.sha,
        "url": f"{url}/tags/{record.sha}",
        "tag": record.tag,
        "message": record.message,
        "tagger": person(record.tagger),
        "object": {"type": record.type, "sha": record.object, "url": f"{url}/{record.type}s/{record.object}"},
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


_KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}


def content(state: State, repository: Repository, at: str, path: str, entry: TreeEntry) -> dict[str, Any]:
    """One entry of ``content-directory``, which is ``content-file`` without its content."""
    api, page, name = api_url(state, repository), html_url(state, repository), quote(path)
    kind = "symlink" if entry.mode == "120000" else _KINDS[entry.type]
    url = f"{api}/contents/{name}?ref={quote(at)}"
    git = f"{api}/git/{'trees' if entry.type == 'tree' else 'blobs'}/{entry.sha}"
    html = f"{page}/{'tree' if entry.type == 'tree' else 'blob'}/{quote(at)}/{name}"
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "html_url": html,
        "git_url": git,
        "download_url": f"{page}/raw/{quote(at)}/{name}" if kind in ("file", "symlink") else None,
        "type": kind,
        "_links": {"self": url, "git": git, "html": html},
    }
