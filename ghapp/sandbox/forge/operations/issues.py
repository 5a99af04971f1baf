"""Issues, and what issues and pull requests share: comments, labels, assignees and reactions."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import (
    REACTIONS,
    App,
    Event,
    Issue,
    IssueComment,
    Label,
    PullRequest,
    Reaction,
    Repository,
    Review,
    ReviewComment,
    State,
    User,
)
from ghapp.sandbox.forge.serialize import issues, pulls, repositories
from ghapp.sandbox.forge.web.errors import invalid

# GitHub's own limit on a comment.
BODY_LIMIT = 65536


def next_number(repository: Repository) -> int:
    """Issues and pull requests are counted together, and a number is never given twice."""
    return len(repository.issues) + 1


def check_body(resource: str, body: str) -> str:
    """A comment's text if GitHub would take it."""
    if not body.strip():
        raise invalid(resource, "body", "missing_field")
    if len(body) > BODY_LIMIT:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {BODY_LIMIT} characters)")
    return body


def _announce(state: State, issue: Issue, action: str, sender: User, **more: Any) -> None:
    if not isinstance(issue, PullRequest):
        payload = {"issue": issues.issue(state, issue), **more}
        state.publish(Event("issues", action, sender, lambda: payload, issue.repository))
        return
    payload = {"number": issue.number, "pull_request": pulls.simple_pull(state, issue), **more}
    state.publish(Event("pull_request", action, sender, lambda: payload, issue.repository))


def open_issue(
    state: State, repository: Repository, user: User, title: str, body: str | None, app: App | None = None
) -> Issue:
    """Open an issue."""
    number, node_id = state.new_id("I")
    now = state.now()
    issue = Issue(
        number, node_id, repository, next_number(repository), title, user, now, now, body=body, performed_via_app=app
    )
    repository.issues[issue.number] = issue
    state.register(node_id, issue)
    _announce(state, issue, "opened", user)
    return issue


def edit_issue(state: State, issue: Issue, user: User, title: str | None, body: str | None) -> None:
    """Change title or body; what is None stays."""
    changes: dict[str, Any] = {}
    now = state.now()
    if title is not None and title != issue.title:
        changes["title"] = {"from": issue.title}
        issue.title = title
    if body is not None and body != (issue.body or ""):
        changes["body"] = {"from": issue.body or ""}
        issue.body, issue.last_edited_at, issue.editor = body, now, user
    if changes:
        issue.updated_at = now
        _announce(state, issue, "edited", user, changes=changes)


def set_issue_state(state: State, issue: Issue, user: User, wanted: str, reason: str | None = None) -> None:
    """Close or reopen an issue (not a pull request)."""
    if wanted == issue.state:
        return
    closed = wanted == "closed"
    issue.state = "closed" if closed else "open"
    issue.state_reason = (reason or "completed") if closed else "reopened"
    issue.closed_at = state.now() if closed else None
    issue.closed_by = user if closed else None
    issue.updated_at = state.now()
    _announce(state, issue, "closed" if closed else "reopened", user)


# Comments -------------------------------------------------------------------------------------------------------------


def _announce_comment(state: State, comment: IssueComment, action: str, sender: User, **more: Any) -> None:
    def payload() -> dict[str, Any]:
        return {"issue": issues.issue(state, comment.issue), "comment": issues.comment(state, comment), **more}

    state.publish(Event("issue_comment", action, sender, payload, comment.issue.repository))


def add_comment(state: State, issue: Issue, user: User, body: str, app: App | None = None) -> IssueComment:
    """Comment on an issue or in a pull request's conversation."""
    number, node_id = state.new_id("IC")
    now = state.now()
    comment = IssueComment(
        number, node_id, issue, user, check_body("IssueComment", body), now, now, performed_via_app=app
    )
    issue.comments.append(comment)
    issue.updated_at = now
    state.register(node_id, comment)
    _announce_comment(state, comment, "created", user)
    return comment


def edit_comment(state: State, comment: IssueComment, user: User, body: str) -> None:
    """Change a comment's text, which GitHub shows as edited from then on."""
    old, comment.body = comment.body, check_body("IssueComment", body)
    comment.updated_at = comment.last_edited_at = state.now()
    comment.editor = user
    if old != body:
        _announce_comment(state, comment, "edited", user, changes={"body": {"from": old}})


def delete_comment(state: State, comment: IssueComment, user: User) -> None:
    comment.issue.comments.remove(comment)
    state.forget(comment.node_id)
    _announce_comment(state, comment, "deleted", user)


def find_comment(state: State, repository: Repository, comment_id: int) -> IssueComment | None:
    found = state.find("IC", comment_id)
    return found if isinstance(found, IssueComment) and found.issue.repository is repository else None


# Labels and assignees -------------------------------------------------------------------------------------------------


def create_label(
    state: State, repository: Repository, name: str, color: str = "ededed", description: str | None = None
) -> Label:
    """A new label of a repository; 422 when there is one of that name."""
    if repository.label(name) is not None:
        raise invalid("Label", "name", "already_exists")
    number, node_id = state.new_id("LA")
    label = Label(number, node_id, name, color.lstrip("#"), description)
    repository.labels.append(label)
    state.register(node_id, label)
    return label


def add_labels(state: State, issue: Issue, user: User, names: list[str]) -> None:
    """Put labels on; those that do not exist come into being, as on GitHub."""
    for name in names:
        label = issue.repository.label(name) or create_label(state, issue.repository, name)
        if label not in issue.labels:
            issue.labels.append(label)
            issue.updated_at = state.now()
            _announce(state, issue, "labeled", user, label=repositories.label(state, issue.repository, label))


def remove_label(state: State, issue: Issue, user: User, label: Label) -> None:
    issue.labels.remove(label)
    issue.updated_at = state.now()
    _announce(state, issue, "unlabeled", user, label=repositories.label(state, issue.repository, label))


def set_labels(state: State, issue: Issue, user: User, names: list[str]) -> None:
    """Leave exactly these labels."""
    wanted = {name.lower() for name in names}
    for label in [item for item in issue.labels if item.name.lower() not in wanted]:
        remove_label(state, issue, user, label)
    add_labels(state, issue, user, names)


def assign(state: State, issue: Issue, sender: User, users: list[User], *, remove: bool = False) -> None:
    """Put people on an issue, or take them off."""
    for user in users:
        if (user in issue.assignees) != remove:
            continue
        (issue.assignees.remove if remove else issue.assignees.append)(user)
        _announce(state, issue, "unassigned" if remove else "assigned", sender)
    issue.updated_at = state.now()


# Reactions ------------------------------------------------------------------------------------------------------------

Reactable = Issue | IssueComment | Review | ReviewComment


def react(state: State, subject: Reactable, user: User, content: str) -> tuple[Reaction, bool]:
    """The user's reaction of that kind, and whether it is new."""
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    for reaction in subject.reactions:
        if reaction.user is user and reaction.content == content:
            return reaction, False
    number, node_id = state.new_id("REA")
    reaction = Reaction(number, node_id, user, content, state.now())
    subject.reactions.append(reaction)
    state.register(node_id, reaction)
    return reaction, True


def unreact(state: State, subject: Reactable, reaction: Reaction) -> None:
    subject.reactions.remove(reaction)
    state.forget(reaction.node_id)
