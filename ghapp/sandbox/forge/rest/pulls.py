"""Pull requests: opened, listed, shown, changed, merged; their files, commits and requested reviewers."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import PullRequest
from ghapp.sandbox.forge.operations import comparison, merging
from ghapp.sandbox.forge.operations import pulls as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.rest.commits import described, text
from ghapp.sandbox.forge.serialize import accounts, gitdata, pulls
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route

# What GitHub lists at most, whatever the page.
FILES_LIMIT = 3000
COMMITS_LIMIT = 250


def full(call: Call, pull: PullRequest) -> dict[str, Any]:
    """A pull request with what has to be worked out."""
    state = merging.mergeable_state(call.state, pull)
    return pulls.full_pull(
        call.state,
        pull,
        mergeable=None if state == "unknown" else state != "dirty",
        mergeable_state=state,
        commits=len(comparison.commits(pull)),
        files=comparison.files(pull),
    )


def _list(call: Call) -> Reply:
    query = call.query
    wanted = query.get("state", "open")
    found = [p for p in call.repository.pulls if wanted in ("all", p.state)]
    if head := query.get("head"):
        owner, _, branch = head.rpartition(":")
        found = [p for p in found if p.head_ref == branch and owner.lower() in ("", p.head_owner.lower())]
    if base := query.get("base"):
        found = [p for p in found if p.base_ref == base]
    sort = query.get("sort", "created")
    descending = query.get("direction", "desc" if sort == "created" else "asc") == "desc"
    if sort == "popularity":
        found.sort(key=lambda p: len(p.comments), reverse=descending)
    elif sort == "updated":
        found.sort(key=lambda p: (p.updated_at, p.number), reverse=descending)
    else:
        found.sort(key=lambda p: p.number, reverse=descending)
    return call.page(found, lambda p: pulls.simple_pull(call.state, p))


def _create(call: Call) -> Reply:
    body = call.body
    pull = operations.open_pull(
        call.state,
        call.repository,
        call.actor.person,
        head=body.required("head"),
        base=body.required("base"),
        title=body.required("title"),
        body=body.optional_text("body"),
        draft=body.flag("draft"),
        maintainer_can_modify=body.flag("maintainer_can_modify", True),
    )
    return Reply(full(call, pull), 201)


def _get(call: Call) -> Any:
    pull = finding.pull(call)
    git, base = pull.repository.git, comparison.merge_base(pull)
    if call.accepts("diff"):
        return text(git.diff_text(base, pull.head_sha), "diff")
    if call.accepts("patch"):
        return text(git.patch_text(base or "", pull.head_sha), "patch")
    return full(call, pull)


def _update(call: Call) -> dict[str, Any]:
    pull, body, user = finding.pull(call), call.body, call.actor.person
    wanted = body.choice("state", ("open", "closed"), pull.state)
    operations.edit(
        call.state,
        pull,
        user,
        title=body.optional_text("title"),
        body=body.text("body") if "body" in body else None,
        base=body.optional_text("base"),
    )
    pull.maintainer_can_modify = body.flag("maintainer_can_modify", pull.maintainer_can_modify)
    if wanted == "closed":
        operations.close(call.state, pull, user)
    else:
        operations.reopen(call.state, pull, user)
    return full(call, pull)


def _files(call: Call) -> Reply:
    pull = finding.pull(call)
    return call.page(
        comparison.files(pull)[:FILES_LIMIT],
        lambda f: gitdata.changed_file(call.state, call.repository, pull.head_sha, f),
    )


def _commits(call: Call) -> Reply:
    shas = comparison.commits(finding.pull(call))
    return call.page(shas[:COMMITS_LIMIT], lambda sha: described(call, sha))


def _is_merged(call: Call) -> None:
    if not finding.pull(call).merged:
        raise not_found()


def _merge(call: Call) -> dict[str, Any]:
    body, pull = call.body, finding.pull(call)
    sha = merging.merge(
        call.state,
        pull,
        call.actor.person,
        app=call.actor.app,
        method=body.text("merge_method", "merge"),
        sha=body.optional_text("sha"),
        title=body.optional_text("commit_title"),
        message=body.text("commit_message") if "commit_message" in body else None,
    )
    return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


def _update_branch(call: Call) -> Reply:
    pull = finding.pull(call)
    merging.update_branch(call.state, pull, call.actor.person, call.body.optional_text("expected_head_sha"))
    url = pulls.simple_pull(call.state, pull)["url"]
    return Reply({"message": "Updating pull request branch.", "url": url}, 202)


def _requested(call: Call) -> dict[str, Any]:
    pull = finding.pull(call)
    return {
        "users": [accounts.simple_user(call.state, user) for user in pull.requested_reviewers],
        "teams": [accounts.team(call.state, team) for team in pull.requested_teams],
    }


def _request(call: Call) -> Reply:
    pull, body = finding.pull(call), call.body
    logins, slugs = body.texts("reviewers"), body.texts("team_reviewers")
    if pull.user.login in logins:
        raise unprocessable("Review cannot be requested from pull request author.")
    users = [user for login in logins if (user := call.state.user(login))]
    permitted = {user for user, _ in call.state.collaborators(call.repository)}
    known = call.repository.owner.teams if call.repository.owner.type == "Organization" else {}
    if len(users) < len(logins) or not set(users) <= permitted or any(s.lower() not in known for s in slugs):
        raise ApiError(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified is "
            f"not a collaborator of the {call.repository.full_name} repository.",
        )
    teams = finding.teams(call.repository, slugs, "PullRequest", "team_reviewers")
    operations.request_reviewers(call.state, pull, call.actor.person, users, teams)
    return Reply(pulls.simple_pull(call.state, pull), 201)


def _unrequest(call: Call) -> dict[str, Any]:
    pull, body = finding.pull(call), call.body
    users = finding.users(call.state, body.texts("reviewers"), "PullRequest", "reviewers")
    teams = finding.teams(call.repository, body.texts("team_reviewers"), "PullRequest", "team_reviewers")
    operations.unrequest_reviewers(call.state, pull, call.actor.person, users, teams)
    return pulls.simple_pull(call.state, pull)


_ALL = "/repos/{owner}/{repo}/pulls"
_ONE = f"{_ALL}/{{pull_number}}"
_READ, _WRITE = "pull_requests:read", "pull_requests:write"

ROUTES = [
    Route("GET", _ALL, _list, _READ),
    Route("POST", _ALL, _create, _WRITE, user="read"),
    Route("GET", _ONE, _get, _READ),
    Route("PATCH", _ONE, _update, _WRITE, user="read"),
    Route("GET", f"{_ONE}/files", _files, _READ),
    Route("GET", f"{_ONE}/commits", _commits, _READ),
    Route("GET", f"{_ONE}/merge", _is_merged, "contents:read|pull_requests:read"),
    Route("PUT", f"{_ONE}/merge", _merge, "contents:write"),
    Route("PUT", f"{_ONE}/update-branch", _update_branch, _WRITE),
    Route("GET", f"{_ONE}/requested_reviewers", _requested, _READ),
    Route("POST", f"{_ONE}/requested_reviewers", _request, _WRITE),
    Route("DELETE", f"{_ONE}/requested_reviewers", _unrequest, _WRITE),
]
