"""What a policy may ask of the facts, so that nobody gathers what is never asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.approval.actors import Actors
from policies.approval.predicates.files import PathPredicate
from policies.approval.predicates.lines import ModifiedLines
from policies.approval.predicates.predicate import Predicate
from policies.approval.predicates.workflows import HasWorkflowResult
from policies.approval.rules import Policy


@dataclass(frozen=True, slots=True)
class Needs:
    """``permissions``: whether collaborators' are; ``reviewers``: whether reviews may have to be requested."""

    teams: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    permissions: bool = False
    files: bool = False
    workflow_runs: bool = False
    reviewers: bool = False


def of(policy: Policy) -> Needs:
    predicates = [p for rule in policy.rules for p in (*rule.when, *rule.conditions)] + [*policy.disapproval.when]
    actors = list(_actors(policy, predicates))
    reviewers = any(rule.options.request_review.enabled for rule in policy.rules)
    return Needs(
        teams=tuple(sorted({team for a in actors for team in a.teams})),
        organizations=tuple(sorted({name for a in actors for name in a.organizations})),
        permissions=reviewers or any(a.permissions for a in actors),
        files=any(isinstance(p, PathPredicate | ModifiedLines) for p in predicates),
        workflow_runs=any(isinstance(p, HasWorkflowResult) for p in predicates),
        reviewers=reviewers,
    )


def _actors(policy: Policy, predicates: Iterable[Predicate]) -> Iterator[Actors]:
    yield policy.disapproval.actors
    for rule in policy.rules:
        yield rule.actors
        yield rule.options.ignore_commits_by
    for predicate in predicates:
        for field in dataclasses.fields(predicate):  # type: ignore[arg-type]
            if isinstance(value := getattr(predicate, field.name), Actors):
                yield value
