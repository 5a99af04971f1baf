"""A repository at a glance: branches, commits, pull requests, environments, notes; and comparisons of two branches."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, render_template

from ghapp.sandbox.forge.git.objects import GitCommit
from ghapp.sandbox.forge.model import Deployment, DeploymentStatus, Repository
from ghapp.sandbox.forge.pages import checks, finding
from ghapp.sandbox.forge.pages.diff import file_diff

views = Blueprint("repositories", __name__)

COMMITS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch and its newest commit; ``checks`` is what that commit's checks amount to."""

    name: str
    commit: GitCommit
    checks: checks.Look | None
    protected: bool


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """What an environment got last, and how that went."""

    name: str
    deployment: Deployment
    status: DeploymentStatus | None


def branches(repository: Repository) -> list[Branch]:
    """The default branch first, then environments, then the others by age of their last commit."""
    found = []
    for ref, (sha, _) in repository.git.refs("refs/heads").items():
        name = ref.removeprefix("refs/heads/")
        if commit := repository.git.commit(sha):
            look = checks.overall(checks.lines(repository, sha))
            found.append(Branch(name, commit, look, repository.protection(name) is not None))
    return sorted(
        found,
        key=lambda b: (
            b.name != repository.default_branch,
            not b.name.startswith("env/"),
            -b.commit.committer.date.timestamp(),
        ),
    )


def environments(repository: Repository) -> list[EnvironmentState]:
    """In the order in which they were first deployed to."""
    newest = {deployment.environment: deployment for deployment in list(repository.deployments)}
    return [EnvironmentState(n, d, d.statuses[-1] if d.statuses else None) for n, d in newest.items()]


def history(repository: Repository, name: str, limit: int, skip: int = 0) -> list[tuple[GitCommit, checks.Look | None]]:
    """Commits reachable from ``name``, newest first, each with what its checks amount to."""
    sha = repository.git.resolve(name)
    found = (repository.git.commit(each) for each in (repository.git.log(sha, limit=limit, skip=skip) if sha else ()))
    return [(commit, checks.overall(checks.lines(repository, commit.sha))) for commit in found if commit]


@views.get("/<owner>/<repo>")
def overview(owner: str, repo: str) -> str:
    repository = finding.repository(owner, repo)
    return render_template(
        "repository.html",
        repository=repository,
        branches=branches(repository),
        commits=history(repository, repository.default_branch, COMMITS_SHOWN),
        open_pulls=[p for p in reversed(repository.pulls) if p.state == "open"],
        closed_pulls=[p for p in reversed(repository.pulls) if p.state == "closed"][:20],
        environments=environments(repository),
        notes=sorted(ref.removeprefix("refs/notes/") for ref in repository.git.refs("refs/notes")),
    )


@views.get("/<owner>/<repo>/pulls")
def pulls(owner: str, repo: str) -> str:
    repository = finding.repository(owner, repo)
    return render_template("pulls.html", repository=repository, pulls=repository.pulls[::-1])


@views.get("/<owner>/<repo>/deployments")
def deployments(owner: str, repo: str) -> str:
    """Every deployment, newest first, with all its statuses."""
    repository = finding.repository(owner, repo)
    found = list(repository.deployments)[::-1]
    return render_template("deployments.html", repository=repository, deployments=found[:100])


@views.get("/<owner>/<repo>/commits/<path:ref>")
@views.get("/<owner>/<repo>/commits", defaults={"ref": ""})
def commits(owner: str, repo: str, ref: str) -> str:
    repository = finding.repository(owner, repo)
    name = ref or repository.default_branch
    finding.commit(repository, name)
    return render_template("commits.html", repository=repository, ref=name, commits=history(repository, name, 100))


@views.get("/<owner>/<repo>/compare/<path:basehead>")
def compare(owner: str, repo: str, basehead: str) -> str:
    """``base...head``: what head has since it left base."""
    repository = finding.repository(owner, repo)
    base_name, dots, head_name = basehead.partition("...")
    if not dots:
        abort(404, "A comparison is written base...head.")
    base, head = finding.commit(repository, base_name), finding.commit(repository, head_name)
    start = repository.git.merge_base(base.sha, head.sha)
    listed = [c for sha in repository.git.log(head.sha, f"^{base.sha}", limit=250) if (c := repository.git.commit(sha))]
    return render_template(
        "compare.html",
        repository=repository,
        base=base_name,
        head=head_name,
        commits=listed,
        files=[file_diff(change) for change in repository.git.diff(start, head.sha)],
    )
