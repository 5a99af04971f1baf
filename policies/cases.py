"""Test cases beside the policies: `windows.test.yml` says what `windows.yml` has to decide about which facts, and when.

Judges like the server; reads nothing but the texts it is given.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from policies import yamltext
from policies.gates.record import BadFacts, read_moment, read_promotion
from policies.gates.registry import GATES, judge, ready
from policies.kinds import Files, is_policy_file, read_folder
from policies.policy import Origin, PolicySet
from policies.strict import Block, validate
from policies.verdict import Verdict
from policies.window.clock import Moment
from policies.yamltext import Problems

_NAMES = frozenset({gate.NAME for gate in GATES} | {"ready"})
_Answer = Literal["pass", "pending", "fail", "error", "none"]


class Expected(Block):
    """A verdict in words. What is left out may be anything."""

    state: _Answer
    says: str = Field("", description="part of the sentence")
    until: Moment | None = Field(None, description="UTC unless it says otherwise")


class Case(Block):
    """One question to the policies."""

    name: str = Field(min_length=1)
    now: Moment = Field(description="when it is asked; UTC unless it says otherwise")
    facts: Mapping[str, Any] = Field({}, description="over the file's `facts`; a short form of the recorded ones")
    expect: Mapping[str, _Answer | Expected] = Field(min_length=1, description="gate, or `ready` → state")


class Suite(Block):
    """A `*.test.yml` file."""

    policies: tuple[str, ...] = Field((), description="files to judge by; absent: every policy of the folder")
    organisation: bool = Field(False, description="judge them as the organisation's")
    facts: Mapping[str, Any] = Field({}, description="what all cases have in common")
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. ``problem`` is empty when it is as expected; ``line`` is the case's."""

    file: str
    line: int
    name: str
    problem: str = ""


def is_test_file(path: str) -> bool:
    """Whether a file of a policy folder holds test cases, by its name."""
    return path.endswith((".test.yml", ".test.yaml"))


def run(path: str, files: Files) -> list[Outcome]:
    """Every case of the test file ``path`` over the policies beside it. Raises :class:`Problems` for a broken file."""
    document, suite = _read(files[path], path)
    policies = _policies(suite, path, files)
    return [
        Outcome(path, document.line(("cases", i)), case.name, "; ".join(_differences(case, suite, policies)))
        for i, case in enumerate(suite.cases)
    ]


def problems_in(text: str, path: str) -> list[yamltext.Problem]:
    """What is wrong with the shape of a test file."""
    try:
        _read(text, path)
    except Problems as e:
        return list(e.problems)
    return []


def _read(text: str, path: str) -> tuple[yamltext.Document, Suite]:
    document = yamltext.load(text, name=path)
    suite = validate(Suite, document)
    _check_names(suite, document)
    return document, suite


def _check_names(suite: Suite, document: yamltext.Document) -> None:
    known = ", ".join(sorted(_NAMES))
    unknown = [
        document.problem(("cases", i, "expect", name), f"`{name}` is not a gate", f"write one of {known}")
        for i, case in enumerate(suite.cases)
        for name in case.expect
        if name not in _NAMES
    ]
    if unknown:
        raise Problems(unknown)


def _policies(suite: Suite, path: str, files: Files) -> PolicySet:
    folder = posixpath.dirname(path)
    beside = {name: text for name, text in files.items() if posixpath.dirname(name) == folder}
    if suite.policies:
        wanted = {posixpath.normpath(posixpath.join(folder, name)) for name in suite.policies}
        if missing := sorted(wanted - files.keys()):
            problem = yamltext.Problem(path, 1, f"there is no file {missing[0]}", "correct `policies:`")
            raise Problems([problem])
        beside = {n: t for n, t in files.items() if n in wanted or (n in beside and not is_policy_file(n))}
    return read_folder(beside, Origin.ORGANISATION if suite.organisation else Origin.REPOSITORY)


def _differences(case: Case, suite: Suite, policies: PolicySet) -> Iterator[str]:
    try:
        facts = read_promotion(_over(suite.facts, case.facts))
    except BadFacts as e:
        yield f"its facts cannot be read: {e}"
        return
    verdicts = judge(facts, policies, read_moment(case.now, "now"))
    for name, expected in case.expect.items():
        wanted = Expected(state=expected) if isinstance(expected, str) else expected
        verdict = ready(verdicts) if name == "ready" else verdicts.get(name)
        if problem := _difference(wanted, verdict):
            yield f"{name}: {problem}"


def _difference(wanted: Expected, verdict: Verdict | None) -> str:
    state = verdict.state.value if verdict else "none"
    said = f" ({verdict.sentence})" if verdict else ""
    if state != wanted.state:
        return f"is {state}, not {wanted.state}{said}"
    if verdict and wanted.says not in verdict.sentence:
        return f"does not say {wanted.says!r} but {verdict.sentence!r}"
    if verdict and wanted.until and verdict.until != read_moment(wanted.until, "until"):
        return f"may change at {_text(verdict.until)}, not at {_text(read_moment(wanted.until, 'until'))}"
    return ""


def _text(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else "no moment by itself"


def _over(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``own`` over ``common``, map by map; a list replaces a list."""
    merged = dict(common)
    for key, value in own.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged
