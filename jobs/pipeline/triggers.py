"""Which apps a commit starts, decided from what the commit is now: the head of which branch, tag or pull request.

Pure: an :class:`Occasion` is a reason to build, gathered elsewhere; ``decide`` says whether an app wants it.

=================  ===========================================================================================
occasion           is there when
=================  ===========================================================================================
push               a branch points at the commit (not ghapp's own branches, not a merge queue's)
tag                a tag points at it
pull_request       it is the head of a pull request
merge_group        a branch of GitHub's merge queue points at it
schedule           a cron moment has passed since the app was last built on it
dispatch, comment  someone asked; nothing is filtered
=================  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ghapp import names
from ghapp.config.model import App, Filter, Triggers
from jobs.pipeline import conditions, patterns, schedule
from policies import globs
from policies.yamltext import Document, Problem

Kind = Literal["push", "tag", "pull_request", "merge_group", "schedule", "dispatch", "comment"]
MERGE_QUEUE = "gh-readonly-queue/"
_SKIP = ("[skip ci]", "[ci skip]")


@dataclass(frozen=True, slots=True)
class Pull:
    """What matters of a pull request. ``fork`` is true when its head lies in another repository."""

    number: int
    title: str
    author: str
    head: str
    base: str
    labels: tuple[str, ...] = ()
    draft: bool = False
    open: bool = True
    fork: bool = False


@dataclass(frozen=True, slots=True)
class Occasion:
    """One reason to build a commit.

    ``paths`` are the files that changed, ``None`` where that is not known (then no path filter holds anything back).
    ``author`` is a login, ``""`` where nobody is known; ``inputs`` are a dispatch's.
    """

    kind: Kind
    branch: str = ""
    tag: str = ""
    pull: Pull | None = None
    author: str = ""
    paths: frozenset[str] | None = None
    inputs: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def ref(self) -> str:
        if self.tag:
            return f"refs/tags/{self.tag}"
        return f"refs/pull/{self.pull.number}/head" if self.pull else f"refs/heads/{self.branch}"

    @property
    def group(self) -> str:
        """Runs of one group supersede each other; a tag's supersede nothing."""
        return self.ref

    def facts(self) -> dict[str, Any]:
        """``event`` in CEL conditions."""
        pull = self.pull
        return {
            "kind": self.kind,
            "branch": self.branch,
            "tag": self.tag,
            "author": self.author,
            "paths": sorted(self.paths or ()),
            "inputs": dict(self.inputs),
            "pull_request": {
                "number": pull.number if pull else 0,
                "title": pull.title if pull else "",
                "author": pull.author if pull else "",
                "base": pull.base if pull else "",
                "labels": list(pull.labels) if pull else [],
                "draft": pull.draft if pull else False,
                "fork": pull.fork if pull else False,
            },
        }


def own_branch(branch: str) -> bool:
    """Branches that ghapp writes; they are never built."""
    return branch.startswith((names.ENVIRONMENT_PREFIX, names.PROMOTION_PREFIX))


def skipped_by_message(message: str) -> str:
    """The mark in a commit message that asks for no build, or nothing."""
    return next((mark for mark in _SKIP if mark in message.lower()), "")


def wanted(on: Triggers, occasion: Occasion) -> bool:
    """Whether an app's triggers want this occasion. Patterns have been checked by :func:`problems` before."""
    match occasion.kind:
        case "push":
            return on.push is not None and _push(on.push, occasion)
        case "tag":
            return on.push is not None and bool(on.push.tags) and globs.matches_any(on.push.tags, occasion.tag)
        case "pull_request":
            return _pull_request(on, occasion)
        case "merge_group":
            return on.merge_group is not None and _common(on.merge_group, occasion)
        case "schedule":
            return bool(on.schedule)
        case "dispatch":
            return on.dispatch is not None
        case "comment":
            return True


def _push(wish: Filter, occasion: Occasion) -> bool:
    only_tags = bool(wish.tags) and not wish.branches
    return not only_tags and _common(wish, occasion)


def _pull_request(on: Triggers, occasion: Occasion) -> bool:
    wish, pull = on.pull_request, occasion.pull
    if wish is None or pull is None or (pull.draft and not wish.drafts):
        return False
    return bool(set(wish.types) & _happened(pull)) and _common(wish, occasion)


def _happened(pull: Pull) -> set[str]:
    """What must have happened to a pull request that is as it is now; a lost delivery therefore changes nothing."""
    if not pull.open:
        return {"closed"}
    happened = {"opened", "synchronize", "reopened"}
    happened |= set() if pull.draft else {"ready_for_review"}
    return happened | ({"labeled"} if pull.labels else set())


def _common(wish: Filter, occasion: Occasion) -> bool:
    pull = occasion.pull
    branch = pull.base if pull else occasion.branch
    return (
        (not wish.branches or globs.matches_any(wish.branches, branch))
        and (
            not wish.paths
            or occasion.paths is None
            or any(globs.matches_any(wish.paths, path) for path in occasion.paths)
        )
        and (not wish.labels or (pull is not None and set(wish.labels) <= set(pull.labels)))
        and (not wish.authors or occasion.author.lower() in {author.lower() for author in wish.authors})
        and (not wish.title or (pull is not None and patterns.regex(wish.title).search(pull.title) is not None))
        and (not wish.when or conditions.holds(wish.when, {"event": occasion.facts()}))
    )


def releases(app: App, occasion: Occasion, default_branch: str) -> bool:
    """Whether a green pipeline makes a release: as ``pipeline.release`` says, else for pushes to the branches that
    ``on.push`` names (the default branch if it names none) and for the tags that it names."""
    if occasion.kind not in ("push", "tag", "schedule", "dispatch", "comment") or occasion.pull is not None:
        return False
    wish = app.pipeline.release or app.pipeline.on.push or Filter()
    if occasion.tag:
        return bool(wish.tags) and globs.matches_any(wish.tags, occasion.tag)
    if not wish.branches:
        return not wish.tags and occasion.branch == default_branch
    return globs.matches_any(wish.branches, occasion.branch)


# --- what is wrong with triggers --------------------------------------------------------------------
def problems(app: App, document: Document) -> Iterator[Problem]:
    """Every pattern and condition in an app's triggers that means nothing, with its line."""
    on = app.pipeline.on
    filters: list[tuple[tuple[str, ...], Filter | None]] = [
        (("pipeline", "on", "push"), on.push),
        (("pipeline", "on", "pull_request"), on.pull_request),
        (("pipeline", "on", "merge_group"), on.merge_group),
        (("pipeline", "release"), app.pipeline.release),
    ]
    for where, wish in filters:
        if wish is not None:
            yield from _filter_problems(wish, where, document)
    for index, one in enumerate(on.schedule):
        if wrong := schedule.problem(one):
            yield document.problem(("pipeline", "on", "schedule", index), wrong)


def _filter_problems(wish: Filter, where: tuple[str, ...], document: Document) -> Iterable[Problem]:
    for key in ("branches", "tags", "paths"):
        for index, pattern in enumerate(getattr(wish, key)):
            try:
                globs.check(pattern)
            except globs.BadGlob as e:
                yield document.problem((*where, key, index), str(e), "write a glob like release/* or **/*.py")
    if wish.title:
        try:
            patterns.regex(wish.title)
        except patterns.BadPattern as e:
            yield document.problem((*where, "title"), str(e))
    if wish.when:
        try:
            conditions.program(wish.when)
        except conditions.BadCondition as e:
            yield document.problem((*where, "when"), str(e))
