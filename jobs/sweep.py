"""The sweep: everything is looked at afresh from time to time, which makes webhooks optional.

First GitHub's own log of deliveries is read for those that never arrived, then every installation, repository and what
in it may want work becomes a job. What a sweep costs depends on what is open and recent, not on age or size.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from ghapp import names
from ghapp.git import Git
from ghapp.github import errors, people
from ghapp.github.app import GitHubApp
from ghapp.github.client import RepositoryClient
from ghapp.github.directory import Place
from jobs import commands, subjects
from jobs.deliveries import append, mark, reduce
from jobs.mirrors import mirror
from jobs.promotion.view import read_apps
from jobs.reconcile import Context
from jobs.subjects import Again, Subject

log = logging.getLogger(__name__)

RECENT = timedelta(days=3)  # as long as GitHub keeps deliveries: what is older was taken or swept before
_MOST_READ_BACK = 200  # missed deliveries that are fetched one by one; beyond, looking at everything is cheaper
_MOST_LOOKED_AT = 2_000  # entries of GitHub's log that one sweep looks through
_RETAKEN = timedelta(minutes=5)
_POSTPONED = timedelta(minutes=15)
_MOST_HEADS = 100  # branches whose heads are looked at, newest first
_CURSOR = "ghapp:deliveries:cursor"  # the id of the newest entry of GitHub's log that was looked at


def sweep() -> None:
    """The job behind the clock's sweep: read back what was missed, then look at every installation."""
    from jobs.worker import here

    at = here.get()
    try:
        missed = read_back(at.github, at.redis, now=datetime.now(UTC), app_id=at.settings.app_id)
        if missed:
            log.warning("deliveries that had not arrived were read back from GitHub's log: %d", missed)
    except errors.GitHubError as e:
        log.warning("GitHub's log of deliveries cannot be read: %s", e)
    try:
        for installation in at.github.installations():
            at.queue.enqueue(subjects.installation(installation.id), reason="sweep", background=True)
    except errors.GitHubError as e:
        log.warning("the sweep could not list the installations: %s", e)


# --- missed deliveries ------------------------------------------------------------------------------
def read_back(github: GitHubApp, redis: Redis, *, now: datetime, app_id: int | None = None) -> int:
    """Take the deliveries in GitHub's log that never arrived here; returns how many.

    The log is read from its newest entry down to the one that the last sweep ended at. GitHub keeps it for three days.
    When Redis is new, those of the last minutes are taken again: a button may have been pressed that no sweep can see.
    """
    last = int(redis.get(_CURSOR) or 0)
    newest, taken = last, 0
    recent = (now - _RETAKEN).timestamp()
    for entry in _entries(github, last):
        newest = max(newest, int(entry["id"]))
        if taken >= _MOST_READ_BACK or redis.exists(mark(str(entry["guid"]))):
            continue
        accepted = entry.get("status_code") == 202
        if not last and accepted and datetime.fromisoformat(str(entry["delivered_at"])).timestamp() < recent:
            continue  # Redis is new, and what was done before is not known; the sweep looks at it all
        payload = github.get(f"/app/hook/deliveries/{entry['id']}")["request"]["payload"]
        delivery = reduce(str(entry["guid"]), str(entry["event"]), payload or {}, app_id=app_id)
        if delivery.subjects and append(redis, delivery):
            taken += 1
    redis.set(_CURSOR, newest)
    return taken


def _entries(github: GitHubApp, last: int) -> Iterator[dict[str, Any]]:
    """Entries of GitHub's log, newest first, down to the one with the id ``last``."""
    looked_at = 0
    for page in github.pages("/app/hook/deliveries"):
        for entry in page:
            looked_at += 1
            if int(entry["id"]) <= last or looked_at > _MOST_LOOKED_AT:
                return
            yield entry


# --- installations ----------------------------------------------------------------------------------
def reconcile_installation(subject: Subject, context: Context) -> Again | None:
    """Look at every repository of an installation, or, when people came or went, at what waits for approvals."""
    number, github, queue = subject.installation, context.github, context.queue
    if any(ask.verb == "members" for ask in context.asks):
        people.forget(github.store, number, context.asks[-1].delivery or context.now.isoformat())
    try:
        installation = github.installation(number)
        if installation.suspended:
            raise errors.NotInstalled(f"The installation {number} is suspended.")
    except errors.NotInstalled:
        github.forget(number)
        raise
    if context.asks and all(ask.verb == "members" for ask in context.asks):
        _look_at_approvals(installation.account, number, context)
        return None
    if github.limits.low(number):
        return Again(context.now + _POSTPONED, "little is left of this hour's calls; events go first")
    for repository in github.repositories(number):
        if not repository.archived:
            queue.enqueue(subjects.repository(repository.id), reason="sweep", background=True)
    return None


_PROMOTIONS = """
query($query: String!, $after: String) {
  search(query: $query, type: ISSUE, first: 100, after: $after) {
    issueCount
    pageInfo { hasNextPage endCursor }
    nodes { ... on PullRequest { number repository { databaseId } } }
  }
}
"""


def _look_at_approvals(account: str, installation: int, context: Context) -> None:
    """Open pull requests of ours, by one search: only their verdicts can depend on who is in which team."""
    client = context.github.for_installation(installation, {"pull_requests": "read", "metadata": "read"})
    query = f"is:pr is:open user:{account} author:app/{context.github.slug}"
    after = None
    while True:
        found = client.graphql(_PROMOTIONS, {"query": query, "after": after})["search"]
        for pull in filter(None, found["nodes"]):
            subject = subjects.pull(int(pull["repository"]["databaseId"]), int(pull["number"]))
            context.queue.enqueue(subject, reason="memberships changed")
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


# --- repositories -----------------------------------------------------------------------------------
def reconcile_repository(subject: Subject, context: Context) -> Again | None:
    """Look at what in a repository may want work: recent heads, open pull requests, commands, environments."""
    client = context.github.for_repository(subject.repository)
    try:
        data = client.get("")
    except errors.NotFound:
        raise errors.NotInstalled(f"{client.full_name} is gone, or the app is not installed on it any more.") from None
    context.github.directory.remember(Place(subject.repository, str(data["full_name"]), client.installation))
    if data.get("archived") or data.get("disabled"):
        return None
    git, default = _fetched(client, context), str(data["default_branch"])
    apps, problems = read_apps(git, git.resolve(f"refs/heads/{default}"))
    # Without configuration there is nothing to build; a broken one is a commit's business to say.
    heads = _recent_heads(git, context.now, default) if apps or problems else {}
    _dispatch(client, context, heads, default)
    wanted = [subjects.commit(client.id, sha) for sha in dict.fromkeys(heads.values())]
    wanted += _open_pulls(client, context.now)
    wanted += _unanswered(client, context.now)
    wanted += [
        subjects.environment(client.id, name, environment.name)
        for name, file in apps.items()
        for environment in file.app.deploy.environments
    ]
    for one in wanted:
        context.queue.enqueue(one, reason="sweep", background=not context.asks)
    return None


def _fetched(client: RepositoryClient, context: Context) -> Git:
    """The mirror with all branches as they are now; git costs no budget."""
    git = mirror(context.settings.mirrors, client)
    with git.lock():
        git.fetch("+refs/heads/*:refs/heads/*")
    return git


def _recent_heads(git: Git, now: datetime, default: str) -> dict[str, str]:
    """Branch → head, for the default branch and those with a commit of the last days.

    Environments' and promotions' own branches are looked at in other ways.
    """
    form = "--format=%(committerdate:unix) %(objectname) %(refname)"
    since = (now - RECENT).timestamp()
    heads: dict[str, str] = {}
    for line in git.text("for-each-ref", "--sort=-committerdate", form, "refs/heads/").splitlines():
        moment, sha, ref = line.split(" ", 2)
        branch = ref.removeprefix("refs/heads/")
        ours = branch.startswith((names.ENVIRONMENT_PREFIX, names.PROMOTION_PREFIX))
        if not ours and (branch == default or (int(moment) >= since and len(heads) < _MOST_HEADS)):
            heads[branch] = sha
    return heads


def _dispatch(client: RepositoryClient, context: Context, heads: dict[str, str], default: str) -> None:
    """Pass a call for a pipeline on to the head of the branch that it names."""
    for ask in context.asks:
        branch = str(ask.data.get("branch") or default)
        if ask.verb == "dispatch" and branch in heads:
            context.queue.enqueue(subjects.commit(client.id, heads[branch]), reason=f"dispatch {ask.about}", ask=ask)


def _open_pulls(client: RepositoryClient, now: datetime) -> list[Subject]:
    found: list[Subject] = []
    for pull in client.paginate("pulls", state="open", sort="updated", direction="desc"):
        found.append(subjects.pull(client.id, int(pull["number"])))
        updated = datetime.fromisoformat(str(pull["updated_at"]))
        if now - updated.astimezone(UTC) < RECENT:
            found.append(subjects.commit(client.id, str(pull["head"]["sha"])))
    return found


def _unanswered(client: RepositoryClient, now: datetime) -> list[Subject]:
    """Recent comments with a command that nobody reacted to; one call for most repositories."""
    since = (now - RECENT).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        subjects.comment(client.id, int(comment["id"]))
        for comment in client.paginate("issues/comments", since=since)
        if not (comment.get("reactions") or {}).get("total_count") and commands.parse(comment.get("body") or "")
    ]
