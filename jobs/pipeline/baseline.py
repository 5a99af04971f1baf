"""Which findings the base has as well, so that a check can say what is new: from the evidence on the base's commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ghapp import names
from ghapp.evidence import notes
from ghapp.git import Git
from jobs.pipeline.order import Order
from jobs.pipeline.result import StepResult
from policies.finding import Finding

Baseline = Mapping[str, frozenset[str]]  # plugin → fingerprints of what it found on the base


def read(git: Git, order: Order, keys: Iterable[Ed25519PublicKey]) -> Baseline:
    """What scans of this app found where a pull request branches off, or on the commit before a push."""
    pull = order.occasion.pull
    base = git.merge_base(f"refs/heads/{pull.base}", order.sha) if pull else git.resolve(f"{order.sha}^1")
    if base is None:
        return {}
    found: dict[str, set[str]] = {}
    for statement in notes.read_note(git, base, keys):
        p = statement.predicate
        if statement.kind == names.PREDICATE_SCAN and p.get("app") == order.app and not p.get("findings_left_out"):
            fingerprints = {Finding.from_json(f).fingerprint for f in p.get("findings", ())}
            found.setdefault(str(p.get("plugin")), set()).update(fingerprints)
    return {plugin: frozenset(fingerprints) for plugin, fingerprints in found.items()}


def compared(result: StepResult, baseline: Baseline) -> StepResult:
    """The result with each finding that the base has as well marked, and how many of the base's are gone."""
    before = baseline.get(result.plugin)
    if before is None or "scanner" not in result.ended.facts:
        return result
    findings = [replace(f, in_base=f.fingerprint in before) for f in result.ended.findings]
    now = {f.fingerprint for f in findings}
    counts = {"new": sum(not f.in_base for f in findings), "fixed": len(before - now)}
    outputs = {**result.ended.outputs, **{name: str(count) for name, count in counts.items()}}
    facts = {**result.ended.facts, **{f"findings_{name}": count for name, count in counts.items()}}
    return replace(result, ended=replace(result.ended, findings=findings, outputs=outputs, facts=facts))
