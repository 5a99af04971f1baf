"""A judgement in words: a tree with ✓ ✗ … ⊘ and a sentence a node, for terminals and for a check run's page.

Titles, names, paths and comments come from strangers. On a page every piece of text is escaped, and mentions are broken
so that reading a check pings nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.approval.judge import Judgement, State
from policies.approval.result import Outcome, Result
from policies.approval.sentences import of_rejection
from policies.markdown import escape, plain

MARKS = {
    Outcome.APPROVED: "✓",
    Outcome.PENDING: "…",
    Outcome.SKIPPED: "⊘",
    Outcome.DISAPPROVED: "✗",
    Outcome.ERROR: "‼",
}
_STATE_MARKS = {State.SUCCESS: "✓", State.PENDING: "…", State.FAILURE: "✗", State.ERROR: "‼", State.NONE: "⊘"}
_LIMIT = 60_000  # characters; GitHub takes 65,535 in a check run's text
_TITLES = {"and": "all of", "or": "any of", "approval": "approval: all of", "disapproval": "disapproval"}


def text(judgement: Judgement) -> str:
    """For a terminal: the state, the sentence and the tree."""
    lines = [f"{_STATE_MARKS[judgement.state]} {judgement.state}: {_one_line(judgement.sentence)}"]
    lines += [f"  {problem}" for problem in judgement.problems]
    if judgement.result is not None:
        for depth, mark, words in _lines(judgement.result):
            lines.append(f"{'  ' * (depth + 1)}{mark} {_one_line(words)}")
    return "\n".join(lines)


def markdown(judgement: Judgement) -> str:
    """For a check run: the tree as nested lists, every piece of foreign text escaped."""
    lines = []
    if judgement.problems:
        lines += ["The policy file has to be mended:", ""]
        lines += [f"* {escape(str(problem))}" for problem in judgement.problems]
    if judgement.result is not None:
        lines += [f"{'  ' * depth}* {mark} {escape(words)}" for depth, mark, words in _lines(judgement.result)]
    if not lines:
        lines = [escape(judgement.sentence)]
    return _cut(lines)


def _lines(result: Result) -> Iterator[tuple[int, str, str]]:
    """Depth, mark and words of each line of the tree, the root left out: its sentence is the headline."""
    for child in result.children:
        yield from _node(child, 0)


def _node(result: Result, depth: int) -> Iterator[tuple[int, str, str]]:
    mark = MARKS[result.outcome]
    if result.kind == "rule":
        yield depth, mark, f"{result.name}: {result.sentence}"
        yield from _details(result, depth + 1)
        return
    title = _TITLES[result.kind]
    yield depth, mark, title if result.children else f"{title.removesuffix(': all of')}: {result.sentence}"
    for child in result.children:
        yield from _node(child, depth + 1)


def _details(result: Result, depth: int) -> Iterator[tuple[int, str, str]]:
    if result.outcome not in (Outcome.PENDING, Outcome.ERROR):
        return
    if result.description:
        yield depth, "·", result.description
    for finding in (*result.findings, *result.conditions):
        yield depth, "✓" if finding.satisfied else "✗", f"{finding.key}: {finding.sentence}"
    for candidate in result.approvers:
        yield depth, "✓", f"approved by @{candidate.login}"
    for rejection in result.rejections:
        yield depth, "⊘", of_rejection(rejection)


def _one_line(words: str) -> str:
    """Without control characters, which could forge lines or move a cursor."""
    return " ".join(plain(words).split())


def _cut(lines: list[str]) -> str:
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > _LIMIT:
            kept.append(f"* … {len(lines) - len(kept)} more lines")
            break
        kept.append(line)
    return "\n".join(kept)
