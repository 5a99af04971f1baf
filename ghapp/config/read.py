"""From the text of a ``.ghapp.yml`` to an :class:`App`, or to every problem in it with its line and its fix."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ghapp.config.graph import order_problems
from ghapp.config.model import App, Monorepo
from policies import yamltext
from policies.yamltext import Document, Problem, Problems

Model = TypeVar("Model", bound=BaseModel)


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
    problems = [*order_problems(app, document), *_step_problems(app, document)]
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


def validate(model: type[Model], document: Document) -> Model:
    """Check a document against a pydantic model; raises :class:`Problems` with the line of each one."""
    if not isinstance(document.data, dict):
        raise Problems([document.problem((), "the file must be a map of keys to values")])
    try:
        return model.model_validate(document.data)
    except ValidationError as e:
        raise Problems(_translate(e, document, model)) from None


def _translate(e: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    problems: dict[tuple[int, str, str], Problem] = {}
    for error in e.errors(include_url=False):
        path = _existing(error["loc"], document.data)
        message, fix = _MESSAGES.get(error["type"], _other)(error, model)
        name = ".".join(str(p) for p in path)
        problem = document.problem(path, f"{name}: {message}" if name else message, fix)
        problems.setdefault((problem.line, name, message), problem)
    return list(problems.values())


def _existing(loc: tuple[int | str, ...], data: Any) -> tuple[int | str, ...]:
    """Pydantic's path without the names of union members, which are not in the file; a missing last key stays."""
    path: list[int | str] = []
    for i, part in enumerate(loc):
        in_list = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if in_list or (isinstance(data, dict) and part in data):
            path.append(part)
            data = data[part]
        elif i == len(loc) - 1 and isinstance(data, dict):
            path.append(part)
    return tuple(path)


def _unknown(error: Any, model: type[BaseModel]) -> tuple[str, str]:
    key = str(error["loc"][-1])
    close = difflib.get_close_matches(key, _keys(model), n=1)
    return "unknown key", f"did you mean `{close[0]}`?" if close else "remove it, or see `ghapp schema`"


def _keys(model: type[BaseModel]) -> set[str]:
    schema = model.model_json_schema()
    blocks = [schema, *schema.get("$defs", {}).values()]
    return {key for block in blocks for key in block.get("properties", {})}


def _other(error: Any, _: type[BaseModel]) -> tuple[str, str]:
    return str(error["msg"]).removeprefix("Value error, "), ""


def _choice(error: Any, _: type[BaseModel]) -> tuple[str, str]:
    return f"{error['input']!r} is not known", f"write one of {error['ctx']['expected']}"


def _pattern(error: Any, _: type[BaseModel]) -> tuple[str, str]:
    return (
        f"{error['input']!r} is not a valid name",
        "lower-case letters, digits and dashes, at most 63, as Kubernetes names are",
    )


_MESSAGES: dict[str, Callable[[Any, type[BaseModel]], tuple[str, str]]] = {
    "extra_forbidden": _unknown,
    "missing": lambda _error, _model: ("is missing", "add it"),
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
}
