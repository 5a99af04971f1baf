"""All predicates, in the order in which a rule asks them, whatever the order in its file.

Adding one is adding its class, its table test and its line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.approval.predicates import branches, files, labels, lines, names, people, signatures, statuses, workflows
from policies.approval.predicates.predicate import Predicate
from policies.approval.shapes import Optional, Record

PREDICATES: Final[tuple[type[Predicate], ...]] = (
    files.ChangedFiles,
    files.NoChangedFiles,
    files.OnlyChangedFiles,
    people.HasAuthorIn,
    people.HasContributorIn,
    people.OnlyHasContributorsIn,
    people.AuthorIsOnlyContributor,
    branches.TargetsBranch,
    branches.FromBranch,
    lines.ModifiedLines,
    statuses.HasStatus,
    statuses.HasSuccessfulStatus,
    workflows.HasWorkflowResult,
    labels.HasLabels,
    names.Repository,
    names.Title,
    signatures.HasValidSignatures,
    signatures.HasValidSignaturesBy,
    signatures.HasValidSignaturesByKeys,
)

SHAPE: Final = Record(
    {kind.key: Optional(kind.shape) for kind in PREDICATES},
    "Conditions on the pull request.",
)


def predicates_of(values: Mapping[str, Any] | None) -> tuple[Predicate, ...]:
    """The predicates of what :data:`SHAPE` read, in the order of :data:`PREDICATES`; an empty one is none."""
    values = values or {}
    return tuple(kind.of(values[kind.key]) for kind in PREDICATES if values.get(kind.key) is not None)


def path_patterns(predicates: tuple[Predicate, ...]) -> Iterator[str]:
    """The patterns that predicates hold against paths."""
    for predicate in predicates:
        if isinstance(predicate, files.PathPredicate):
            yield from (*predicate.paths.sources, *predicate.ignore.sources)
