"""``kind: RequiredPlugins``: plugins that have to have run, judged by signed evidence, never by what a file promises.

Each shortcoming has its own sentence and shows the lines to add to ``.ghapp.yml``. Whether a signature is good was
found out before; it arrives as a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from policies.evidence import Evidence
from policies.expiry import Expiring, soon
from policies.markdown import block, code, escape
from policies.policy import Policy
from policies.scope import Place, Scope
from policies.strict import Block
from policies.verdict import State, Verdict, failed, passed, pending
from policies.versions import parse_range, parse_version
from policies.window.clock import Moment, Zone, resolve, zone_named
from policies.window.judge import say

Result = Literal["success", "failure", "skipped", "cancelled", "error"]


def _version_range(value: Any) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise ValueError('must be a version range in quotes — write it like ">=1.4,<2"')
    parse_range(text)
    return text


VersionRange = Annotated[
    str, BeforeValidator(_version_range), WithJsonSchema({"type": ["string", "number"], "examples": [">=1.4,<2", "^2"]})
]


class Requirement(Block):
    """One plugin that has to have run."""

    plugin: str = Field(min_length=1, description="its name, as `uses:` writes it")
    version: VersionRange = Field("*", description="range of versions: `>=1.4,<2`, `^2`, `1.x`")
    stage: Literal["before", "image", "after", "any"] = Field("any", description="where in the pipeline")
    inputs: Mapping[str, Any] = Field({}, description="inputs it has to have been given; others are free")
    results: tuple[Result, ...] = Field(("success",), min_length=1, description="results that are good enough")


class Waiver(Expiring):
    """A repository or app that need not, for a reason and for a while."""

    repositories: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()

    @model_validator(mode="after")
    def for_someone(self) -> Waiver:
        if not (self.repositories or self.apps):
            raise ValueError("a waiver is for some repository or app — add `repositories` or `apps`")
        return self

    def covers(self, place: Place) -> bool:
        return Scope(repositories=self.repositories, apps=self.apps).covers(place)


class RequiredPlugins(Block):
    """Plugins that have to have run before something is built, released or promoted."""

    plugins: tuple[Requirement, ...] = Field(min_length=1)
    on: Literal["promotions", "builds", "both"] = Field("promotions", description="what waits for them")
    consequence: Literal["warn", "block"] | None = Field(None, description="block is the default")
    block_from: Moment | None = Field(None, description="warns until then, blocks from then on")
    timezone: Zone = "UTC"
    waivers: tuple[Waiver, ...] = ()
    scope: Scope = Scope()

    @model_validator(mode="after")
    def one_consequence(self) -> RequiredPlugins:
        if self.consequence and self.block_from:
            raise ValueError("`consequence` and `block_from` exclude each other — remove one of them")
        return self

    @property
    def deadline(self) -> datetime | None:
        return resolve(self.block_from, zone_named(self.timezone)) if self.block_from else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What is judged: the evidence about ``commit`` and the image ``digests`` of one app at one place."""

    place: Place
    commit: str
    digests: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Stop(IntEnum):
    """How far a piece of evidence gets; the furthest one is what the sentence is about."""

    MISSING = 0
    ELSEWHERE = 1
    UNVERIFIED = 2
    STAGE = 3
    VERSION = 4
    INPUTS = 5
    SKIPPED = 6
    CONTINUED = 7
    RESULT = 8
    GOOD = 9


def evaluate(policies: Iterable[Policy], ran: Ran, now: datetime, *, on: str = "promotions") -> Verdict:
    """Whether every plugin that ``policies`` demand of ``on`` (``promotions`` or ``builds``) has run as demanded.

    Missing evidence is pending, wrong evidence fails; a policy that only warns passes and says what it warns of.
    """
    verdicts = [_one_policy(p, ran, now) for p in policies if p.scope.covers(ran.place) and p.body.on in (on, "both")]
    if not verdicts:
        return passed("no plugin is required here")
    details = "\n\n".join(v.details for v in verdicts if v.details)
    until = min((v.until for v in verdicts if v.until), default=None)
    blocking = [v for v in verdicts if not v.passed]
    if blocking:
        worst = max(blocking, key=lambda v: v.state is State.FAIL)
        more = f" (and {len(blocking) - 1} more)" if len(blocking) > 1 else ""
        return Verdict(worst.state, worst.sentence + more, details, until)
    warnings = [v for v in verdicts if v.sentence]
    if warnings:
        first = min(warnings, key=lambda v: (v.until is None, v.until or now))
        return passed(
            first.sentence + (f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""),
            details=details,
            until=until,
        )
    return passed("every required plugin has run", details=details, until=until)


def _one_policy(policy: Policy, ran: Ran, now: datetime) -> Verdict:
    """Pass with an empty sentence when all is well, pass with one for a warning."""
    body: RequiredPlugins = policy.body
    short = [(r, *shortcoming(r, ran)) for r in body.plugins]
    wrong = [(r, stop, why) for r, stop, why in short if stop is not Stop.GOOD]
    if not wrong:
        return passed("")
    notes: list[str] = []
    waiver = next((w for w in body.waivers if w.covers(ran.place) and not w.expired(now)), None)
    if waiver:
        note = f"{policy.title} is waived here until {waiver.expires_text}: {waiver.reason} ({waiver.owner})"
        warning = soon(waiver.expires_at, now)
        return passed(
            f"{note}{warning}" if warning else "", details=f"- {escape(note + warning)}", until=waiver.expires_at
        )
    notes += [
        f"the waiver for {w.reason!r} ended on {w.expires_text} and no longer counts"
        for w in body.waivers
        if w.covers(ran.place) and w.expired(now)
    ]
    why = wrong[0][2]
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    sentence = f"{why}{more}; {policy.title} requires it"
    details = "\n\n".join([*(_details(r, w, policy) for r, _, w in wrong), *(f"- {escape(n)}" for n in notes)])
    if body.consequence == "warn":
        return passed(f"warning: {sentence}", details=details)
    deadline = body.deadline
    if deadline and now < deadline:
        left = how_long(deadline - now)
        return passed(
            f"warning: {sentence}, and blocks from {say(deadline, body.timezone)} on, in {left}",
            details=details,
            until=deadline,
        )
    verdict = pending if all(s is Stop.MISSING for _, s, _ in wrong) else failed
    return verdict(sentence + (f"; {notes[0]}" if notes else ""), details=details)


def shortcoming(requirement: Requirement, ran: Ran) -> tuple[Stop, str]:
    """What is wrong with the evidence for a requirement, and the sentence; ``GOOD`` and ``""`` if nothing.

    Of the runs that are what is demanded the newest counts; where there is none, the one that comes closest is named.
    """
    name = requirement.plugin
    looks = [
        (*_look(requirement, e, ran), e.at)
        for e in ran.evidence
        if e.plugin == name and e.kind in ("step", "scan", "build")
    ]
    if not looks:
        return Stop.MISSING, f"{name} has not run on {ran.commit[:7]}"
    fitting = [look for look in looks if look[0] >= Stop.SKIPPED]
    stop, why, _ = (
        max(fitting, key=lambda look: look[2]) if fitting else max(looks, key=lambda look: (look[0], look[2]))
    )
    return stop, why


def _look(requirement: Requirement, e: Evidence, ran: Ran) -> tuple[Stop, str]:
    name = requirement.plugin
    if e.commit != ran.commit or (e.digest and ran.digests and e.digest not in ran.digests):
        other = f"image {e.digest[:19]}…" if e.commit == ran.commit else f"commit {e.commit[:7]}"
        return Stop.ELSEWHERE, f"{name} ran on another {other}, not on what is released here ({ran.commit[:7]})"
    if not e.verified:
        return Stop.UNVERIFIED, f"the evidence that {name} ran cannot be trusted: {e.problem or 'it is not signed'}"
    if requirement.stage != "any" and e.stage != requirement.stage:
        return Stop.STAGE, f"{name} ran in the stage {e.stage or 'unknown'!r}, not in {requirement.stage!r}"
    version = parse_version(e.version)
    demanded = parse_range(requirement.version)
    if demanded.bounds and (version is None or version not in demanded):
        return Stop.VERSION, f"{name} ran in version {e.version or 'unknown'}, not in one of {requirement.version}"
    for key, value in requirement.inputs.items():
        if key not in e.inputs or e.inputs[key] != value:
            given = repr(e.inputs[key]) if key in e.inputs else "none"
            return Stop.INPUTS, f"{name} ran with {key} = {given}, not with {value!r}"
    if e.result == "skipped" and "skipped" not in requirement.results:
        return Stop.SKIPPED, f"{name} was skipped"
    if e.continued and "failure" not in requirement.results:
        return Stop.CONTINUED, f"{name} failed, and the pipeline went on past it (continue_on_error)"
    if e.result not in requirement.results:
        return Stop.RESULT, f"{name} ended with {e.result or 'no result'}, not with {' or '.join(requirement.results)}"
    return Stop.GOOD, ""


def _details(requirement: Requirement, why: str, policy: Policy) -> str:
    head = f"**{escape(requirement.plugin)}**: {escape(why)} — {escape(policy.title)}, {code(policy.where)}"
    return f"{head}\n\nAdd to `.ghapp.yml`:\n\n{block(snippet(requirement), language='yaml')}"


def snippet(requirement: Requirement) -> str:
    """The lines of ``.ghapp.yml`` that fulfil a requirement."""
    stage = requirement.stage if requirement.stage in ("before", "after") else "before"
    bounds = parse_range(requirement.version).bounds
    lowest = next((v for operator, v in bounds if operator in ("=", ">=")), None)
    at = f"@{'.'.join(map(str, lowest.numbers))}" if lowest else ""
    lines = ["pipeline:", f"  {stage}:", f"    - uses: {requirement.plugin}{at}"]
    if requirement.inputs:
        import json

        lines += [
            "      with:",
            *(f"        {k}: {json.dumps(v, ensure_ascii=False)}" for k, v in requirement.inputs.items()),
        ]
    return "\n".join(lines)


def how_long(left: timedelta) -> str:
    """``3 days``, ``5 hours`` or ``12 minutes``, rounded down but never to nothing."""
    seconds = max(int(left.total_seconds()), 60)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' if seconds // size > 1 else ''}"
    return "1 minute"


def coming_dates(policies: Sequence[Policy], now: datetime) -> list[datetime]:
    """When the consequence of these policies changes by itself: deadlines and ends of waivers, in order."""
    found = {p.body.deadline for p in policies} | {w.expires_at for p in policies for w in p.body.waivers}
    return sorted(d for d in found if d and d > now)
