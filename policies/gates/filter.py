"""Passes when the release is what the environment's condition and every Promotion policy's filter ask for.

A condition that has no answer is an error that names its file, line and field, never a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from policies.filters import BadExpression, holds
from policies.gates.facts import Promotion
from policies.gates.interface import broken
from policies.policy import PolicySet
from policies.verdict import Verdict, error, failed, passed, worst

NAME = "filter"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """The environment's `filter`, then each policy's; `fail` wins over `pass`."""
    if problem := broken(policies, "Promotion"):
        return problem
    verdicts = list(_verdicts(facts, policies, now))
    bad = worst(v for v in verdicts if not v.passed)
    return bad or next(iter(verdicts), None)


def _verdicts(facts: Promotion, policies: PolicySet, now: datetime) -> Iterator[Verdict]:
    known = variables(facts, now)
    environment = facts.environment
    if environment.filter:
        where = f"{environment.file}{f':{environment.line}' if environment.line else ''}"
        yield condition(environment.filter, "", known, f"{where}: environment {environment.name}: filter")
    for policy in policies.of("Promotion", facts.place):
        if (rule := policy.body.filter) is not None:
            verdict = condition(rule.pass_ or "", rule.fail or "", known, f"{policy.where}: filter")
            said = f"; {rule.message}" if rule.message and not verdict.passed else ""
            yield Verdict(verdict.state, f"{verdict.sentence}{said} ({policy.title})")


def condition(pass_: str, fail: str, known: dict[str, Any], where: str) -> Verdict:
    """Fails when ``fail`` is true or ``pass_`` is not; an empty one is not asked. ``where`` names file and field."""
    field = "fail"
    try:
        if fail and holds(fail, known):
            return failed(f"the release is turned away by the condition {fail}")
        field = "pass"
        if pass_ and not holds(pass_, known):
            return failed(f"the release does not meet the condition {pass_}")
    except BadExpression as e:
        written = fail if field == "fail" else pass_
        return error(f"{where}{f'.{field}' if fail else ''}: {written} — {e}")
    return passed(f"the release meets {pass_}" if pass_ else f"the release is not {fail}")


def variables(facts: Promotion, now: datetime) -> dict[str, Any]:
    """What a condition may speak of; :data:`policies.filters.PROMOTION_VARIABLES` lists the names."""
    release = facts.release
    tags = list(release.tags)
    images = [{"repository": r, "digest": d, "tag": tags[0] if tags else ""} for r, d in release.images.items()]
    newest = next((c for c in release.commits if c.sha == release.commit), None)
    commit = {
        "sha": release.commit,
        "message": newest.message if newest else "",
        "author": (newest.author or "") if newest else "",
        "authors": sorted({c.author for c in release.commits if c.author}),
    }
    evidence = [
        {
            "kind": e.kind,
            "plugin": e.plugin,
            "version": e.version,
            "stage": e.stage,
            "result": e.result,
            "findings": len(e.findings),
        }
        for e in release.evidence
        if e.verified
    ]
    return {
        "app": facts.app,
        "commit": commit,
        "environment": facts.environment.name,
        "evidence": evidence,
        "image": images[0] if images else {"repository": "", "digest": "", "tag": ""},
        "images": images,
        "kind": str(facts.kind),
        "labels": sorted(facts.labels),
        "now": now,
        "reason": facts.reason,
        "release": {"id": release.id, "ref": release.ref, "created_at": release.created_at},
        "repository": facts.repository,
        "requested_by": facts.requested_by or "",
        "tag": tags[0] if tags else "",
        "tags": tags,
    }
