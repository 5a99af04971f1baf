"""GitHub's answers in the words of the facts file. Nothing is asked here, and nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

# How GraphQL calls what a file went through, and how REST and the facts file do.
_CHANGES = {"ADDED": "added", "DELETED": "removed", "RENAMED": "renamed", "COPIED": "copied"}


def login(person: Json | None) -> str | None:
    """With ``[bot]`` for an app, as REST and policies write it; ``None`` for an account that is gone."""
    if not person or not person.get("login"):
        return None
    name: str = person["login"]
    return f"{name}[bot]" if person.get("__typename") == "Bot" and not name.endswith("[bot]") else name


def pull(answer: Json) -> Json:
    """What has no pages."""
    author = login(answer["author"])
    return {
        "number": answer["number"],
        "base_branch": answer["baseRefName"],
        "head_branch": answer["headRefName"],
        "head_sha": answer["headRefOid"],
        "fork": answer["isCrossRepository"],
        "head_owner": (answer["headRepositoryOwner"] or {}).get("login"),
        "title": answer["title"],
        "draft": answer["isDraft"],
        "state": answer["state"].lower(),
        "author": author,
        "created_at": answer["createdAt"],
        "body": {
            "text": answer["body"] or "",
            "author": author,
            "created_at": answer["createdAt"],
            "edited_at": answer["lastEditedAt"],
        },
    }


def comment(node: Json) -> Json:
    return {
        "author": login(node["author"]),
        "body": node["body"],
        "created_at": node["createdAt"],
        "edited_at": node["lastEditedAt"],
    }


def review(node: Json) -> Json:
    return {
        "author": login(node["author"]),
        "state": node["state"],
        "body": node["body"],
        "submitted_at": node["submittedAt"],
        "edited_at": node["lastEditedAt"],
        "commit_oid": (node["commit"] or {}).get("oid"),
        "on_behalf_of": [team["combinedSlug"] for team in node["onBehalfOf"]["nodes"]],
    }


def commit(node: Json) -> Json:
    """A commit by GraphQL. It was pushed no later than the first thing that GitHub made for it."""
    authors = [login(a["user"]) for a in node["authors"]["nodes"]]
    if node["authors"]["totalCount"] > len(authors):
        authors.append(None)  # somebody is not shown, so somebody is unknown
    made = [suite["createdAt"] for suite in (node["checkSuites"] or {}).get("nodes") or ()]
    made += [status["createdAt"] for status in (node["status"] or {}).get("contexts") or ()]
    told = {
        "oid": node["oid"],
        "author_login": login((node["author"] or {}).get("user")),
        "committer_login": login((node["committer"] or {}).get("user")),
        "committed_via_web": node["committedViaWeb"],
        "parents": [parent["oid"] for parent in node["parents"]["nodes"]],
        "message": node["message"],
        "signature": _signature(node["signature"]),
        "co_authors": authors[1:],
    }
    return told | ({"pushed_at": min(made)} if made else {})


def _signature(node: Json | None) -> Json | None:
    if node is None:
        return None
    signer = login(node["signer"])
    return {"valid": node["isValid"], "signer": signer, "key_id": node.get("keyId"), "type": node["__typename"]}


def compared(node: Json) -> Json:
    """A commit by REST, where a pull request has more than GraphQL lists; co-authors are read from its message."""
    verification = node["commit"].get("verification") or {}
    signature = {"valid": bool(verification.get("verified")), "signer": None, "key_id": None, "type": "GpgSignature"}
    return {
        "oid": node["sha"],
        "author_login": (node.get("author") or {}).get("login"),
        "committer_login": (node.get("committer") or {}).get("login"),
        "committed_via_web": (node.get("committer") or {}).get("login") == "web-flow" and signature["valid"],
        "parents": [parent["sha"] for parent in node["parents"]],
        "message": node["commit"]["message"],
        "signature": signature if verification.get("signature") else None,
    }


def file(node: Json) -> Json:
    """A file by GraphQL, which does not tell the old name of a renamed one."""
    return {
        "path": node["path"],
        "previous_path": None,
        "status": _CHANGES.get(node["changeType"], "modified"),
        "additions": node["additions"],
        "deletions": node["deletions"],
    }


def listed_file(node: Json) -> Json:
    """A file by REST."""
    return {
        "path": node["filename"],
        "previous_path": node.get("previous_filename"),
        "status": node["status"],
        "additions": node["additions"],
        "deletions": node["deletions"],
    }


def contexts(nodes: Iterable[Json]) -> Json:
    """Statuses, and check runs with the newest first."""
    statuses, runs = [], []
    for node in nodes:
        if node["__typename"] == "StatusContext":
            statuses.append(
                {"context": node["context"], "state": node["state"].lower(), "created_at": node["createdAt"]}
            )
        else:
            runs.append(node)
    runs.sort(key=lambda run: (run["startedAt"] or "", run["databaseId"] or 0), reverse=True)
    return {
        "statuses": statuses,
        "check_runs": [
            {
                "name": run["name"],
                "conclusion": run["conclusion"].lower() if run["conclusion"] else None,
                "status": run["status"].lower(),
                "app_id": ((run["checkSuite"] or {}).get("app") or {}).get("databaseId"),
                "started_at": run["startedAt"],
            }
            for run in runs
        ],
    }


def workflow_run(node: Json) -> Json:
    return {
        "path": node["path"],
        "event": node["event"],
        "conclusion": node["conclusion"],
        "status": node["status"],
        "created": node["created_at"],
        "updated": node["updated_at"],
    }


def reviewer(node: Json) -> str | None:
    """Who is asked: a login, or ``organisation/team``."""
    asked = node.get("requestedReviewer") or {}
    if asked.get("__typename") == "Team":
        return f"{asked['organization']['login']}/{asked['slug']}"
    return login(asked)


def level(team: Json) -> str:
    """What a repository grants to a team, by REST: the highest of the flags, which have older names for two levels."""
    flags = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    granted = team.get("permissions") or {team["permission"]: True}
    return next((name for flag, name in flags.items() if granted.get(flag) or granted.get(name)), "none")


def text(blob: Json | None) -> str | None:
    """A file's text; ``None`` when there is none or it is no text."""
    return blob["text"] if blob and not blob.get("isBinary") else None
