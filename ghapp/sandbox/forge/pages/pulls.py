"""A pull request as people see it, and what they may do to it: comment, review, label, merge, close, reopen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request
from werkzeug.wrappers import Response

from ghapp.sandbox.forge.git.objects import GitCommit
from ghapp.sandbox.forge.model import Issue, PullRequest, User
from ghapp.sandbox.forge.operations import comparison, protection
from ghapp.sandbox.forge.pages import checks, finding
from ghapp.sandbox.forge.pages.deeds import DEEDS, Refused, act
from ghapp.sandbox.forge.pages.diff import file_diff

views = Blueprint("pulls", __name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the conversation; ``kind`` says how it is shown and what ``record`` is."""

    kind: str
    at: datetime
    who: User | None
    record: Any


def conversation(issue: Issue) -> list[Entry]:
    """Everything said and done, oldest first."""
    entries = [Entry("comment", comment.created_at, comment.user, comment) for comment in list(issue.comments)]
    entries += [Entry("event", event.created_at, event.actor, event) for event in list(issue.events)]
    if isinstance(issue, PullRequest):
        entries += [
            Entry("review", review.submitted_at, review.user, review)
            for review in list(issue.reviews)
            if review.submitted_at is not None
        ]
        entries += [Entry("commit", c.committer.date.astimezone(UTC), None, c) for c in commits_of(issue)]
    return sorted(entries, key=lambda entry: entry.at)


def commits_of(pull: PullRequest) -> list[GitCommit]:
    return [commit for sha in comparison.commits(pull) if (commit := pull.repository.git.commit(sha))]


def reviewers(pull: PullRequest) -> list[tuple[User, str]]:
    """Each reviewer's standing: their last opinion, or that they are asked."""
    latest = {
        review.user: review.state.lower().replace("_", " ")
        for review in list(pull.reviews)
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    }
    asked = dict.fromkeys(list(pull.requested_reviewers), "requested")
    return sorted({**latest, **asked}.items(), key=lambda pair: pair[0].login.lower())


def _page(pull: PullRequest, tab: str, refusal: str = "", draft: str = "") -> str:
    found = checks.lines(pull.repository, pull.head_sha, pull.base_ref)
    files = comparison.files(pull)
    state = finding.forge()
    is_open = pull.state == "open"
    return render_template(
        f"pull_{tab}.html",
        repository=pull.repository,
        pull=pull,
        tab=tab,
        entries=conversation(pull) if tab == "conversation" else (),
        commits=commits_of(pull),
        files=[file_diff(change) for change in files] if tab == "files" else files,
        checks=found,
        overall=checks.overall(found),
        reviewers=reviewers(pull),
        mergeable=comparison.refresh_mergeable(state, pull),
        obstacles=protection.unmet(state, pull) if is_open else [],
        refusal=refusal,
        draft=draft,
    )


@views.get("/<owner>/<repo>/pull/<int:number>")
def conversation_page(owner: str, repo: str, number: int) -> str:
    return _page(finding.pull_request(owner, repo, number), "conversation")


@views.get("/<owner>/<repo>/pull/<int:number>/<any(commits, checks, files):tab>")
def other_page(owner: str, repo: str, number: int, tab: str) -> str:
    return _page(finding.pull_request(owner, repo, number), tab)


@views.get("/<owner>/<repo>/issues/<int:number>")
def issue_page(owner: str, repo: str, number: int) -> str | Response:
    repository = finding.repository(owner, repo)
    issue = repository.issues.get(number) or abort(404, f"{repository.full_name} has no issue {number}.")
    if isinstance(issue, PullRequest):
        return redirect(f"/{repository.full_name}/pull/{number}")
    return render_template("issue.html", repository=repository, issue=issue, entries=conversation(issue))


@views.post("/<owner>/<repo>/pull/<int:number>")
def press(owner: str, repo: str, number: int) -> Response | tuple[str, int]:
    """Do what the pressed button says as the chosen person; a refusal is shown on the page, with what was typed."""
    pull = finding.pull_request(owner, repo, number)
    name = request.form.get("do", "")
    if name not in DEEDS:
        abort(400, "That is no button of this page.")
    try:
        act(finding.forge(), pull, g.me, name, request.form)
    except Refused as refusal:
        return _page(pull, "conversation", str(refusal), request.form.get("body", "")), 422
    return redirect(f"/{pull.repository.full_name}/pull/{number}", 303)
