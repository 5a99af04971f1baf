"""Pull requests from opening to closing: by people, and by what is pushed to their head and base branches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ghapp.sandbox.forge.model import Event, HeadPush, PullRequest, Repository, Team, User
from ghapp.sandbox.forge.model import State as ForgeState
from ghapp.sandbox.forge.operations import comparison
from ghapp.sandbox.forge.operations.issues import next_number
from ghapp.sandbox.forge.serialize import accounts, pulls
from ghapp.sandbox.forge.web.errors import ApiError, invalid


def announce(state: ForgeState, pull: PullRequest, action: str, sender: User, **more: Any) -> None:
    """Publish a ``pull_request`` event."""

    def payload() -> dict[str, Any]:
        body = pulls.full_pull(
            state,
            pull,
            mergeable=pull.mergeable if pull.mergeable_for else None,
            mergeable_state="unknown",
            commits=len(comparison.commits(pull)),
            files=comparison.files(pull),
        )
        return {"number": pull.number, "pull_request": body, **more}

    state.publish(Event("pull_request", action, sender, payload, pull.repository))


def _custom(message: str) -> ApiError:
    return ApiError(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def open_pull(
    state: ForgeState,
    repository: Repository,
    user: User,
    *,
    head: str,
    base: str,
    title: str,
    body: str | None = None,
    draft: bool = False,
    maintainer_can_modify: bool = True,
) -> PullRequest:
    """Open a pull request; ``head`` is a branch, or ``owner:branch`` of a fork. 422 as GitHub words it."""
    head_owner, _, head_ref = head.rpartition(":")
    source = _head_repository(state, repository, head_owner)
    base_sha = repository.git.branch(base)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    head_sha = source.git.branch(head_ref) if source else None
    if source is None or head_sha is None:
        raise invalid("PullRequest", "head")
    owner = source.owner.login
    if find_open(repository, source, head_ref, base) is not None:
        raise _custom(f"A pull request already exists for {owner}:{head_ref}.")
    if source is not repository:
        repository.git.fetch(source.git, head_sha)
    if not repository.git.between(base_sha, head_sha):
        raise _custom(f"No commits between {base} and {owner + ':' if source is not repository else ''}{head_ref}")
    issue_id, issue_node = state.new_id("I")
    pull_id, pull_node = state.new_id("PR")
    now = state.now()
    pull = PullRequest(
        id=issue_id,
        node_id=issue_node,
        repository=repository,
        number=next_number(repository),
        title=title,
        body=body,
        user=user,
        created_at=now,
        updated_at=now,
        pull_id=pull_id,
        pull_node_id=pull_node,
        head_repository=source,
        head_owner=owner,
        head_ref=head_ref,
        head_sha=head_sha,
        base_ref=base,
        base_sha=base_sha,
        draft=draft,
        maintainer_can_modify=maintainer_can_modify and source is not repository,
        head_pushes=[HeadPush(None, head_sha, now, user)],
    )
    repository.git.update_ref(f"refs/pull/{pull.number}/head", head_sha)
    repository.issues[pull.number] = pull
    _index_commits(pull)
    state.register(pull_node, pull)
    state.register(issue_node, pull)
    announce(state, pull, "opened", user)
    return pull


def _head_repository(state: ForgeState, repository: Repository, owner: str) -> Repository | None:
    if owner in ("", repository.owner.login):
        return repository
    network = [*state.forks_of(repository), *([repository.parent] if repository.parent else [])]
    if repository.parent is not None:
        network += state.forks_of(repository.parent)
    return next((r for r in network if r.owner.login.lower() == owner.lower()), None)


def find_open(repository: Repository, source: Repository, head_ref: str, base: str) -> PullRequest | None:
    """The open pull request for this head and base, of which there is at most one."""
    return next(
        (
            pull
            for pull in repository.pulls
            if pull.state == "open"
            and pull.head_repository is source
            and (pull.head_ref, pull.base_ref) == (head_ref, base)
        ),
        None,
    )


def edit(
    state: ForgeState,
    pull: PullRequest,
    user: User,
    *,
    title: str | None = None,
    body: str | None = None,
    base: str | None = None,
) -> None:
    """Change title, body or base branch; what is None stays."""
    changes: dict[str, Any] = {}
    now = state.now()
    if title is not None and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != (pull.body or ""):
        changes["body"] = {"from": pull.body or ""}
        pull.body, pull.last_edited_at, pull.editor = body, now, user
    if base is not None and base != pull.base_ref:
        sha = pull.repository.git.branch(base)
        if sha is None:
            raise invalid("PullRequest", "base")
        changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        pull.base_ref, pull.base_sha = base, sha
    if changes:
        pull.updated_at = now
        announce(state, pull, "edited", user, changes=changes)


def close(state: ForgeState, pull: PullRequest, user: User) -> None:
    """Close without merging; nothing happens to one that is closed."""
    if pull.state == "closed":
        return
    pull.state, pull.auto_merge = "closed", None
    pull.closed_at = pull.updated_at = state.now()
    pull.closed_by = user
    announce(state, pull, "closed", user)


def reopen(state: ForgeState, pull: PullRequest, user: User) -> None:
    """Open a closed one again; 422 when it was merged, its branch is gone or another one is open for it."""
    if pull.state == "open":
        return
    source = pull.head_repository
    head_sha = source.git.branch(pull.head_ref) if source else None
    if pull.merged or source is None or head_sha is None:
        raise invalid("PullRequest", "state", "custom", "state cannot be changed. The head branch was deleted.")
    if find_open(pull.repository, source, pull.head_ref, pull.base_ref) is not None:
        raise _custom(f"A pull request already exists for {pull.head_owner}:{pull.head_ref}.")
    if head_sha != pull.head_sha:
        pull.repository.git.fetch(source.git, head_sha)
        pull.repository.git.update_ref(f"refs/pull/{pull.number}/head", head_sha)
        pull.head_sha = head_sha
    pull.state, pull.closed_at, pull.closed_by = "open", None, None
    pull.updated_at = state.now()
    announce(state, pull, "reopened", user)


def set_draft(state: ForgeState, pull: PullRequest, user: User, draft: bool) -> None:
    """Make it a draft or ready for review."""
    if pull.draft != draft:
        pull.draft = draft
        pull.updated_at = state.now()
        announce(state, pull, "converted_to_draft" if draft else "ready_for_review", user)


def request_reviewers(
    state: ForgeState, pull: PullRequest, sender: User, users: Iterable[User], teams: Iterable[Team]
) -> None:
    """Ask people and teams for a review, each announced by an event of its own."""
    for user in users:
        if user not in pull.requested_reviewers:
            pull.requested_reviewers.append(user)
            person = accounts.simple_user(state, user)
            announce(state, pull, "review_requested", sender, requested_reviewer=person)
    for team in teams:
        if team not in pull.requested_teams:
            pull.requested_teams.append(team)
            announce(state, pull, "review_requested", sender, requested_team=accounts.team(state, team))
    pull.updated_at = state.now()


def unrequest_reviewers(
    state: ForgeState, pull: PullRequest, sender: User, users: Iterable[User], teams: Iterable[Team]
) -> None:
    """Ask no longer."""
    for user in users:
        if user in pull.requested_reviewers:
            pull.requested_reviewers.remove(user)
            person = accounts.simple_user(state, user)
            announce(state, pull, "review_request_removed", sender, requested_reviewer=person)
    for team in teams:
        if team in pull.requested_teams:
            pull.requested_teams.remove(team)
            announce(state, pull, "review_request_removed", sender, requested_team=accounts.team(state, team))
    pull.updated_at = state.now()


def mark_merged(state: ForgeState, pull: PullRequest, user: User, base_before: str, commit: str) -> None:
    """Record that a pull request is merged; says nothing yet."""
    now = state.now()
    pull.state, pull.auto_merge = "closed", None
    pull.base_sha, pull.merge_commit_sha = base_before, commit
    pull.merged_at = pull.closed_at = pull.updated_at = now
    pull.merged_by = pull.closed_by = user
    pull.repository.pulls_by_commit.setdefault(commit, set()).add(pull.number)


def _index_commits(pull: PullRequest) -> None:
    for sha in comparison.commits(pull):
        pull.repository.pulls_by_commit.setdefault(sha, set()).add(pull.number)


def with_commit(repository: Repository, sha: str) -> list[PullRequest]:
    """The pull requests that contain a commit, open or closed, and those whose merge made it."""
    numbers = sorted(repository.pulls_by_commit.get(sha, ()))
    found = [pull for number in numbers if (pull := repository.pull(number))]
    return [p for p in found if sha in (p.head_sha, p.merge_commit_sha) or sha in comparison.commits(p)]


def follow_head(
    state: ForgeState, source: Repository, branch: str, before: str | None, after: str | None, pusher: User
) -> None:
    """Bring the pull requests from a branch up to date after a push to it; ``after=None``: it is gone."""
    relatives = [source, *([source.parent] if source.parent else []), *state.forks_of(source)]
    for pull in [p for r in relatives for p in r.pulls]:
        if pull.state != "open" or pull.head_repository is not source or pull.head_ref != branch:
            continue
        if after is None:
            close(state, pull, pusher)
        elif after != pull.head_sha:
            _synchronize(state, pull, source, before, after, pusher)


def _synchronize(
    state: ForgeState, pull: PullRequest, source: Repository, before: str | None, after: str, pusher: User
) -> None:
    repository = pull.repository
    if source is not repository:
        repository.git.fetch(source.git, after)
    repository.git.update_ref(f"refs/pull/{pull.number}/head", after)
    forced = before is not None and not repository.git.is_ancestor(before, after)
    pull.head_pushes.append(HeadPush(before, after, state.now(), pusher, forced))
    pull.head_sha = after
    pull.base_sha = repository.git.branch(pull.base_ref) or pull.base_sha
    pull.updated_at = state.now()
    _index_commits(pull)
    rule = repository.protection(pull.base_ref)
    if rule and rule.required_reviews and rule.required_reviews.dismiss_stale_reviews:
        for review in pull.reviews:
            if review.state == "APPROVED":
                review.state = "DISMISSED"
    announce(state, pull, "synchronize", pusher, before=before, after=after)


def follow_base(
    state: ForgeState, repository: Repository, branch: str, before: str | None, after: str | None, pusher: User
) -> None:
    """Close the pull requests into a branch that is gone, and those whose commits were pushed into it by hand."""
    waiting = [p for p in repository.pulls if p.state == "open" and p.base_ref == branch]
    if not waiting:
        return
    if after is None:
        for pull in waiting:
            close(state, pull, pusher)
        return
    arrived = set(repository.git.log(after, *([f"^{before}"] if before else [])))
    for pull in waiting:
        if pull.head_sha in arrived:
            mark_merged(state, pull, pusher, before or pull.base_sha, after)
            announce(state, pull, "closed", pusher)
