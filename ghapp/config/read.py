"""From the text of a ``.ghapp.yml`` to an :class:`App`, or to every problem in it with its line and its fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ghapp.config.graph import order_problems
from ghapp.config.model import App, Monorepo
from policies import filters, yamltext
from policies.demands import BadDemand, read_demands
from policies.strict import validate
from policies.yamltext import Document, Problem, Problems


@dataclass(frozen=True)
class AppFile:
    """An app and the file it was read from; ``directory`` is where the file lies, ``""`` for the root."""

    app: App
    path: str
    document: Document

    @property
    def directory(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class AppList:
    """A monorepo's root file: the globs at which the apps' own files lie."""

    globs: tuple[str, ...]
    path: str


def parse(text: str | bytes, *, path: str = ".ghapp.yml") -> AppFile | AppList:
    """Read a root file. Raises :class:`Problems` with everything that is wrong, never just the first."""
    document = yamltext.load(text, name=path)
    if isinstance(document.data, dict) and "apps" in document.data:
        if "app" in document.data:
            raise Problems([document.problem(("apps",), "a file has either `app` or `apps`", "remove one of them")])
        return AppList(validate(Monorepo, document).apps, path)
    return _app(document, path)


def parse_app(text: str | bytes, *, path: str) -> AppFile:
    """Read a file that must declare one app (a root file of a single app, or a member of a monorepo)."""
    return _app(yamltext.load(text, name=path), path)


def _app(document: Document, path: str) -> AppFile:
    if document.data is None:
        raise Problems([Problem(path, 1, "the file is empty", "declare at least `version: 1` and `app: <name>`")])
    app = validate(App, document)
    problems = [*order_problems(app, document), *_step_problems(app, document), *_gate_problems(app, document)]
    if problems:
        raise Problems(problems)
    return AppFile(app, path, document)


def _step_problems(app: App, document: Document) -> Iterable[Problem]:
    seen: dict[str, str] = {}
    for stage in ("before", "after"):
        for i, step in enumerate(getattr(app.pipeline, stage)):
            if step.id and step.id in seen:
                where = ("pipeline", stage, i, "id")
                yield document.problem(where, f"the step id {step.id!r} is used twice", "give each step its own id")
            seen[step.id] = stage


def _gate_problems(app: App, document: Document) -> Iterable[Problem]:
    """Filters that are no CEL, and checks and gates that are none."""
    for i, environment in enumerate(app.deploy.environments):
        where = ("deploy", "environments", i)
        try:
            if environment.filter:
                filters.check(environment.filter, filters.PROMOTION_VARIABLES)
        except filters.BadExpression as e:
            yield document.problem((*where, "filter"), f"`filter`: {e}")
        for key, checks, gates in (("checks", environment.checks, ()), ("gates", (), environment.gates)):
            try:
                read_demands(checks, gates, f"environment {environment.name}")
            except BadDemand as e:
                yield document.problem((*where, key), str(e))
