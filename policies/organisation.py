"""The organisation's policies and a repository's, joined so that the repository can only add demands.

Nothing of the organisation's is replaced: both are judged, and the stricter verdict counts. Each kind of policy sees to
that itself where a union would loosen (windows, findings); here is what concerns all kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policies.policy import BrokenPolicy, Origin, Policy, PolicySet
from policies.verdict import Verdict, worst
from policies.yamltext import Problem


def merge(organisation: PolicySet, repository: PolicySet) -> PolicySet:
    """Both sets. A repository's build profile of a name that the organisation has given away is broken."""
    taken = {p.name for p in organisation.policies if p.kind == "BuildProfile"}
    kept: list[Policy] = []
    broken: list[BrokenPolicy] = []
    for policy in repository.policies:
        if policy.kind == "BuildProfile" and policy.name in taken:
            message = f"the organisation has a build profile {policy.name!r} of its own"
            problem = Problem(policy.file, policy.line, message, "give this one another name")
            broken.append(BrokenPolicy((problem,), policy.kind, policy.origin))
        else:
            kept.append(policy)
    return PolicySet((*organisation.policies, *kept), (*organisation.broken, *repository.broken, *broken))


def strictest(policies: Sequence[Policy], judge: Callable[[Sequence[Policy]], Verdict]) -> Verdict | None:
    """The verdicts of the organisation's policies and of the repository's, each judged alone: the stricter one.

    ``until`` is the earlier of theirs. ``None`` where there are no policies at all.
    """
    groups = [[p for p in policies if p.origin is origin] for origin in Origin]
    verdicts = [judge(group) for group in groups if group]
    verdict = worst(verdicts)
    if verdict is None or len(verdicts) == 1:
        return verdict
    details = "\n\n".join(v.details for v in verdicts if v.details)
    until = min((v.until for v in verdicts if v.until), default=None)
    return Verdict(verdict.state, verdict.sentence, details, until)
