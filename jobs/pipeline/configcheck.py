"""``ghapp / config``: one check run with everything that is wrong with a repository's files, each at its line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ghapp import names
from ghapp.config import AppFile
from ghapp.github.checks import Annotation, Check
from policies.markdown import code, escape
from policies.yamltext import Problem

_MOST = 200


def check(problems: Sequence[Problem], *, elsewhere: bool = False) -> Check:
    """The check that lists ``problems``; green where there are none. ``elsewhere``: the file is another commit's."""
    if not problems:
        return Check(names.CHECK_CONFIG, "nothing is wrong", "Nothing is wrong.", conclusion="success")
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    where = " (in the base branch's files, which are what runs for a fork)" if elsewhere else ""
    rows = [_row(problem) for problem in problems[:_MOST]]
    if len(problems) > _MOST:
        rows.append(f"\nand {len(problems) - _MOST} more")
    summary = "\n".join(
        [f"Nothing runs until {'they are' if len(problems) > 1 else 'it is'} mended{where}.", "", *rows]
    )
    annotations = [] if elsewhere else [_annotation(problem) for problem in problems[:_MOST] if problem.line]
    return Check(names.CHECK_CONFIG, f"{count} to mend", summary, conclusion="failure", annotations=annotations)


def condition(file: AppFile, error: Exception) -> Check:
    """A trigger's condition that turned out to be wrong when it was asked."""
    return check([file.document.problem(("pipeline", "on"), f"a condition of a trigger cannot be evaluated: {error}")])


def refused_call(app: str, why: str) -> Check:
    """A call for a run whose inputs cannot be taken."""
    summary = f"A call for {escape(app)} was refused: {escape(why, limit=2_000)}."
    return Check(names.CHECK_CONFIG, f"a call for {app} was refused", summary, conclusion="neutral")


def _row(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    fix = f" — {escape(problem.fix)}" if problem.fix else ""
    return f"- {code(place)}: {escape(problem.message, limit=600)}{fix}"


def _annotation(problem: Problem) -> Annotation:
    message = problem.message + (f"\n{problem.fix}" if problem.fix else "")
    return Annotation(problem.file, problem.line, problem.line, "failure", message, "cannot be used as it is")
