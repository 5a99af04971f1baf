"""Which demands a hotfix is exempt from, by the Promotion policies: the organisation's own only by the organisation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from policies.gates.bypass import bypasses
from policies.gates.facts import Kind, Promotion
from policies.policy import Origin, Policy, PolicySet
from policies.promotion import Hotfix

_KINDS = {"window": "Window", "approval": "Approval", "vulnerability": "Vulnerability", "plugins": "RequiredPlugins"}


def without_exempt(facts: Promotion, policies: PolicySet) -> tuple[Promotion, PolicySet]:
    """Facts and policies as they bind this promotion; the same ones on the usual road.

    An organisation's exemption frees from its own policies and from a repository's; a repository's only from the
    repository's. Of several hotfix policies of one origin each has to name a gate.
    """
    if facts.kind is not Kind.HOTFIX or not bypasses(facts, policies):
        return facts, policies
    applying = policies.of("Promotion", facts.place)
    theirs = _named(p for p in applying if p.origin is Origin.ORGANISATION)
    ours = theirs | _named(p for p in applying if p.origin is Origin.REPOSITORY)
    by_origin = {Origin.ORGANISATION: theirs, Origin.REPOSITORY: ours}
    environment = dataclasses.replace(
        facts.environment,
        approvals=0 if "approval" in ours else facts.environment.approvals,
        filter="" if "filter" in ours else facts.environment.filter,
    )
    kept = tuple(_freed(p, by_origin[p.origin]) for p in policies.policies if not _drops(p, by_origin[p.origin]))
    return dataclasses.replace(facts, environment=environment), dataclasses.replace(policies, policies=kept)


def _named(policies: Iterable[Policy]) -> frozenset[str]:
    rules: list[Hotfix] = [p.body.hotfix for p in policies if p.body.hotfix]
    return frozenset.intersection(*(frozenset(r.exempt) for r in rules)) if rules else frozenset()


def _drops(policy: Policy, exempt: frozenset[str]) -> bool:
    return any(policy.kind == kind and gate in exempt for gate, kind in _KINDS.items())


def _freed(policy: Policy, exempt: frozenset[str]) -> Policy:
    if policy.kind == "Promotion" and "filter" in exempt:
        return dataclasses.replace(policy, body=policy.body.model_copy(update={"filter": None}))
    return policy
