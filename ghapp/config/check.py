"""Checking files that people write, on a laptop or in a check run: every problem with its file, line and fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ghapp import names
from ghapp.config.read import AppFile, AppList, parse
from policies.yamltext import Problem, Problems

Deeper = Callable[[AppFile], list[Problem]]


def files_below(path: Path) -> list[Path]:
    """``path`` itself if it is a file; else the files in that folder that ghapp reads."""
    if not path.is_dir():
        return [path]
    apps = [p for p in (path / names.CONFIG_FILE,) if p.is_file()]
    policies = sorted(p for p in (path / names.POLICY_FOLDER).glob("*.y*ml") if not p.name.endswith(".test.yml"))
    shared = [p for p in (path / ".policy.yml",) if p.is_file()]
    return [*apps, *policies, *shared]


def check_file(path: Path, deeper: Deeper = lambda _file: []) -> list[Problem]:
    """Everything that is wrong with one file. A file that cannot be read is one problem.

    ``deeper`` is asked about each app whose shape is right: whether the plugins that it names exist, for one.
    """
    try:
        content = path.read_bytes()
    except OSError as e:
        return [Problem(str(path), 0, f"cannot be read: {e.strerror}", "name a file that exists")]
    if path.name.endswith(names.CONFIG_FILE):
        return list(_app_problems(path, content, deeper))
    return _policy_problems(path, content)


def _app_problems(path: Path, content: bytes, deeper: Deeper) -> Iterator[Problem]:
    try:
        found = parse(content, path=str(path))
    except Problems as e:
        yield from e.problems
        return
    if isinstance(found, AppFile):
        yield from deeper(found)
    for glob in found.globs if isinstance(found, AppList) else ():
        members = sorted(p for p in path.parent.glob(glob) if p.is_file())
        if not members:
            yield Problem(str(path), 1, f"no file matches {glob!r}", "correct the glob under `apps`")
        for member in members:
            yield from check_file(member, deeper)


def _policy_problems(path: Path, content: bytes) -> list[Problem]:
    from policies.kinds import problems_in

    beside = {str(p): p.read_text(errors="replace") for p in path.parent.glob("*.ics")}
    return problems_in(content, name=str(path), files=beside)
