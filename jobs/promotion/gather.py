"""The facts of one promotion, from the view, the pull request and GitHub, for the gates to judge. Decides nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from ghapp import names
from ghapp.config import AnyOf, Environment
from ghapp.evidence.release import Release
from ghapp.git import Commit
from ghapp.github.app import GitHubApp
from ghapp.github.client import RepositoryClient
from ghapp.github.people import People
from jobs.promotion import health
from jobs.promotion.conversation import MOST_COMMITS, Conversation
from jobs.promotion.evidence import evidence_about
from jobs.promotion.view import Placed, View
from policies.gates import facts
from policies.policy import PolicySet

# The first promotion into an environment has no release before it: its newest commits stand for all of them.
_FIRST_COMMITS = 100


@dataclass(frozen=True)
class Asked:
    """Who asked for a promotion, what it is and why, where someone did; else the usual road."""

    kind: facts.Kind = facts.Kind.PROMOTION
    by: str | None = None
    reason: str = ""
    skipped: tuple[str, ...] = ()


def source_commits(view: View, release: Release, placed: Placed | None) -> tuple[tuple[Commit, ...], bool]:
    """The commits that a release brings to an environment, newest first, and whether that is all of them.

    Going back brings none of its own: then it is the release's own commit that counts.
    """
    older = placed.deployment.commit if placed else None
    if older and view.git.resolve(older) is None:
        older = None  # the history was rewritten and what is deployed is not in it any more
    if older is None:
        return tuple(view.git.commits(release.commit, limit=_FIRST_COMMITS)), True
    found = view.git.commits(release.commit, "--not", older, limit=MOST_COMMITS + 1)
    if not found:
        return tuple(view.git.commits(release.commit, limit=1)), True
    return tuple(found[:MOST_COMMITS]), len(found) <= MOST_COMMITS


def upstreams(view: View, app: str, environment: Environment, release: Release) -> tuple[facts.Upstream, ...]:
    """What each environment that has to go first runs, and how it is doing; two calls each."""
    declared = view.app(app)
    order = {r.name: i for i, r in enumerate(view.releases(app))}
    found = []
    for name in environment.upstreams:
        upstream = declared.environment(name) if declared else None
        soak = upstream.soak if upstream else timedelta()
        placed = view.deployed(app, name)
        if placed is None:
            found.append(facts.Upstream(environment=name, soak=soak))
            continue
        state = health.read(view.client, placed)
        runs = placed.deployment.release
        no_op = view.no_ops(app, name).get(release.name) is not None and runs != release.name
        found.append(
            facts.Upstream(
                environment=name,
                release=runs,
                order=_order(order, runs, release.name),
                healthy_since=state.healthy_since,
                state=state.state,
                soak=soak,
                message=state.description,
                no_op=no_op,
            )
        )
    return tuple(found)


def _order(order: Mapping[str, int], theirs: str, ours: str) -> facts.Order:
    if theirs == ours:
        return facts.Order.SAME
    # A release that is not in the history any more is older than anything that is.
    return facts.Order.NEWER if order.get(theirs, -1) > order.get(ours, -1) else facts.Order.OLDER


def promotion(
    view: View,
    github: GitHubApp,
    *,
    app: str,
    environment: Environment,
    release: Release,
    head: str,
    asked: Asked,
    conversation: Conversation,
    commits: tuple[Sequence[facts.Commit], bool],
    ups: tuple[facts.Upstream, ...],
) -> facts.Promotion:
    """Everything that the gates may know; permissions may be some minutes old."""
    return facts.Promotion(
        repository=view.client.full_name,
        app=app,
        environment=_environment(view, app, environment),
        release=_release(view, release, commits),
        head_sha=head,
        kind=asked.kind,
        number=conversation.number,
        requested_by=asked.by,
        reason=asked.reason,
        skipped=asked.skipped,
        upstreams=ups,
        reviews=conversation.reviews,
        permissions=_permissions(github, view.client, conversation.reviews, asked.by, fresh=False),
        checks=tuple(_checks(view.client, environment, head, release.commit)),
        labels=conversation.labels,
        break_glass=_break_glass(view, app, environment.name, conversation.labels),
        automatic=environment.merge == "auto",
        allowed_hosts=tuple(github.settings.gate_hosts),
        holds=tuple(_holds(view, app, environment.name, conversation.labels)),
        stops=tuple(
            facts.Stop(by=s.by, since=s.at, reason=s.reason, environment=environment.name)
            for s in view.stops(app, environment.name)
        ),
    )


def _environment(view: View, app: str, environment: Environment) -> facts.Environment:
    return facts.Environment(
        name=environment.name,
        after=environment.upstreams,
        after_any=isinstance(environment.after, AnyOf),
        strategy=facts.Strategy(environment.strategy),
        approvals=environment.approvals,
        rollback_approvals=environment.rollback.approvals,
        filter=environment.filter,
        checks=environment.checks,
        gates=environment.gates,
        file=view.apps[app].path,
        line=_line(view, app, environment.name),
    )


def _line(view: View, app: str, environment: str) -> int:
    """Where the environment is declared, for sentences that name the place."""
    file = view.apps[app]
    declared = [e.name for e in file.app.deploy.environments]
    return file.document.line(("deploy", "environments", declared.index(environment)))


def _release(view: View, release: Release, commits: tuple[Sequence[facts.Commit], bool]) -> facts.Release:
    rejected = view.rejected.get((release.app, release.name))
    return facts.Release(
        id=release.name,
        commit=release.commit,
        created_at=release.at,
        images=release.images,
        tags=release.tags,
        ref=release.ref,
        commits=tuple(commits[0]),
        commits_complete=commits[1],
        evidence=evidence_about(release.app, view.notes.get(release.commit, ())),
        rejected=(rejected.reason or "without a reason") if rejected else "",
    )


def with_fresh_permissions(found: facts.Promotion, client: RepositoryClient, github: GitHubApp) -> facts.Promotion:
    """The same facts with permissions asked again, as is right just before a merge."""
    fresh = _permissions(github, client, found.reviews, found.requested_by, fresh=True)
    return dataclasses.replace(found, permissions=fresh)


def _permissions(
    github: GitHubApp, client: RepositoryClient, reviews: Sequence[facts.Review], asker: str | None, *, fresh: bool
) -> dict[str, str]:
    people = People(github.store, github.for_installation(client.installation))
    logins = {login for login in (asker, *(r.author for r in reviews)) if login and not login.endswith("[bot]")}
    found = {login: people.permission(client, login, fresh=fresh) for login in sorted(logins)}
    return {login: permission for login, permission in found.items() if permission != "none"}


def _checks(client: RepositoryClient, environment: Environment, *commits: str) -> Iterable[facts.Check]:
    """Check runs and statuses on the promotion's head and the source commit, asked for only where a gate looks."""
    if not environment.checks and not any("external" in gate for gate in environment.gates):
        return
    for sha in dict.fromkeys(commits):
        for run in client.paginate(f"commits/{sha}/check-runs", key="check_runs", filter="latest"):
            app = run.get("app") or {}
            yield facts.Check(
                name=str(run["name"]),
                commit=sha,
                conclusion=str(run.get("conclusion") or ""),
                app_id=app.get("id"),
                app=str(app.get("slug") or ""),
                url=str(run.get("html_url") or ""),
                summary=str((run.get("output") or {}).get("title") or ""),
            )
        for status in client.get(f"commits/{sha}/status", per_page=100)["statuses"]:
            yield facts.Check(
                name=str(status["context"]),
                commit=sha,
                conclusion="" if status["state"] == "pending" else str(status["state"]),
                creator=str((status.get("creator") or {}).get("login") or ""),
                summary=str(status.get("description") or ""),
            )


def _break_glass(view: View, app: str, environment: str, labels: frozenset[str]) -> str:
    """The reason, while the label is there too: taking it off is enough to take the decision back."""
    decision = view.decided(app, environment).break_glass
    return decision.reason if decision and names.LABEL_BREAK_GLASS in labels else ""


def with_teams(
    found: facts.Promotion, policies: PolicySet, client: RepositoryClient, github: GitHubApp
) -> facts.Promotion:
    """The same facts with the members of every team that a policy names; a team that cannot be read stays absent."""
    people = github.people(client)
    members = {}
    for team in sorted({t for p in policies.policies for t in _teams(p.body)}):
        organisation, slash, slug = team.partition("/")
        if slash:
            members[team] = people.team(organisation, slug)
    return dataclasses.replace(found, team_members=members)


def _teams(value: object) -> Iterator[str]:
    """Every team that a policy's body names, wherever it does."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            if name == "teams" and isinstance(inner, tuple):
                yield from inner
            else:
                yield from _teams(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _teams(inner)


def _holds(view: View, app: str, environment: str, labels: frozenset[str]) -> Iterable[facts.Hold]:
    if names.LABEL_HOLD in labels:
        yield facts.Hold(by=None, what=f"the label {names.LABEL_HOLD}")
    if hold := view.decided(app, environment).hold:
        yield facts.Hold(by=hold.by, since=hold.at, reason=hold.reason, what="/hold")
