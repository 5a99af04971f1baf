"""Which policy applies to a pull request, and what it says: the whole question, from files to a state.

The policy is the one on the base branch, else the owner's shared one, else none; a file may point once to a policy
elsewhere. Never the head's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from policies import verdict
from policies.approval.evaluate import evaluate
from policies.approval.facts import Facts, Repository, by_name
from policies.approval.parse import parse, remote_of
from policies.approval.result import Outcome, Result
from policies.verdict import Verdict
from policies.yamltext import Problem, Problems

POLICY_PATH = ".policy.yml"
SHARED_REPOSITORY = ".github"
SHARED_PATH = "policy.yml"


class State(StrEnum):
    """What GitHub is told; ``NONE`` is nothing at all: no policy, or not an open pull request."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILURE = "failure"
    ERROR = "error"
    NONE = "none"


_STATES = {
    Outcome.APPROVED: State.SUCCESS,
    Outcome.PENDING: State.PENDING,
    Outcome.DISAPPROVED: State.FAILURE,
    Outcome.SKIPPED: State.ERROR,
    Outcome.ERROR: State.ERROR,
}
_VERDICTS = {
    State.SUCCESS: verdict.State.PASS,
    State.PENDING: verdict.State.PENDING,
    State.FAILURE: verdict.State.FAIL,
    State.ERROR: verdict.State.ERROR,
    State.NONE: verdict.State.PASS,
}


@dataclass(frozen=True)
class Judgement:
    """The answer. ``result`` is ``None`` where nothing was evaluated; ``problems`` are those of the policy's file."""

    state: State
    sentence: str
    result: Result | None = None
    problems: tuple[Problem, ...] = field(default=())

    @classmethod
    def of(cls, result: Result) -> Judgement:
        """What an evaluation means on GitHub."""
        return cls(_STATES[result.outcome], result.sentence, result)

    def verdict(self, details: str = "") -> Verdict:
        """For a gate. No policy at all asks for nothing, which passes."""
        return Verdict(_VERDICTS[self.state], self.sentence, details)

    def to_json(self) -> dict[str, Any]:
        tree = self.result.to_json() if self.result is not None else None
        return {"state": str(self.state), "sentence": self.sentence, "tree": tree}


class NotThere(ValueError):
    """A policy that should be somewhere and is not; the text is the sentence."""


@dataclass(frozen=True)
class Found:
    """The text of the policy that applies, and what messages call its file."""

    text: str
    name: str


def judge(policy: str | None, facts: Facts, now: datetime) -> Judgement:
    """``policy`` is the text of ``.policy.yml`` on the base branch, ``None`` if there is none; ``now`` is UTC."""
    if facts.state != "open":
        return Judgement(State.NONE, f"the pull request is {facts.state}; only open ones are judged")
    try:
        found = find(policy, facts)
        if found is None:
            return Judgement(State.NONE, "there is no policy for this repository")
        rules = parse(found.text, found.name)
    except NotThere as e:
        return Judgement(State.ERROR, str(e))
    except Problems as e:
        more = f" (and {len(e.problems) - 1} more)" if len(e.problems) > 1 else ""
        return Judgement(State.ERROR, f"the policy is invalid: {e.problems[0]}{more}", problems=tuple(e.problems))
    return Judgement.of(evaluate(rules, facts, now))


def find(policy: str | None, facts: Facts) -> Found | None:
    """The policy that applies; ``None`` if there is none. Raises :class:`NotThere`."""
    if policy is not None:
        return _follow(policy, POLICY_PATH, facts)
    shared = by_name(facts.repositories, f"{facts.owner}/{SHARED_REPOSITORY}")
    text = _file(shared, "", SHARED_PATH)
    return _follow(text, f"{facts.owner}/{SHARED_REPOSITORY}:{SHARED_PATH}", facts) if text is not None else None


def _follow(text: str, name: str, facts: Facts) -> Found:
    remote = remote_of(text, name)
    if remote is None:
        return Found(text, name)
    if not remote["remote"]:
        raise NotThere(f"{name}: `remote` is empty; write owner/repository")
    owner, slash, repository = remote["remote"].partition("/")
    if not (owner and slash and repository):
        raise NotThere(f"{name}: `remote: {remote['remote']}` is not owner/repository")
    path = remote["path"] or POLICY_PATH
    found = _file(by_name(facts.repositories, remote["remote"]), remote["ref"], path)
    where = remote["remote"] + (f"@{remote['ref']}" if remote["ref"] else "")
    if found is None:
        raise NotThere(f"{name} points to {path} in {where}, which is not there; mend `remote`, `path` or `ref`")
    return Found(found, f"{where}:{path}")


def _file(repository: Repository | None, ref: str, path: str) -> str | None:
    if repository is None:
        return None
    branch = (ref or repository.default_branch).removeprefix("refs/").removeprefix("heads/")
    files = repository.files.get(ref or repository.default_branch) or repository.files.get(branch) or {}
    return files.get(path.removeprefix("/"))
