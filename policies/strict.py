"""From a strictly read YAML document to a policy's model, or to every problem with its line and its fix.

The one base class of what people write in policy files. Unknown keys are errors, numbers are no strings.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from policies.yamltext import Document, Problem, Problems

Model = TypeVar("Model", bound=BaseModel)
_Loc = tuple[int | str, ...]


class Block(BaseModel):
    """A block of a policy file: unknown keys are errors, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


def validate(model: type[Model], document: Document, *, without: Sequence[str] = ()) -> Model:
    """The document as ``model``, the top-level keys ``without`` left aside. Raises :class:`Problems`."""
    if not isinstance(document.data, dict):
        raise Problems([document.problem((), "the document must be a map of keys to values", "begin with `kind:`")])
    data = {key: value for key, value in document.data.items() if key not in without}
    try:
        return model.model_validate(data)
    except ValidationError as e:
        raise Problems(_translate(e, document, model)) from None


def _translate(e: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    problems: dict[tuple[int, str], Problem] = {}
    for error in e.errors(include_url=False):
        path = _written(error["loc"], document.data)
        message, fix = _MESSAGES.get(error["type"], _other)(error, model)
        name = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
        problem = document.problem(path, f"`{name}`: {message}" if name else message, fix)
        problems.setdefault((problem.line, str(problem)), problem)
    return list(problems.values())


def _written(loc: _Loc, data: Any) -> _Loc:
    """Pydantic's path without the names of union members, which nobody wrote; a missing last key stays."""
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
    known = _keys(model, tuple(error["loc"][:-1]))
    close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
    return "unknown key", f"did you mean `{close[0]}`?" if close else f"remove it; known are {', '.join(sorted(known))}"


def _keys(model: type[BaseModel], within: _Loc) -> set[str]:
    """The keys that could stand at a place of the model: those of the block there, else those of the whole model."""
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.get("$defs", {})
    here = [schema]
    for part in (p for p in within if isinstance(p, str)):
        below = [_resolve(b.get("properties", {}).get(part, {}), definitions) for b in here]
        here = [b for blocks in below for b in blocks] or here
    return {key for block in here for key in block.get("properties", {})}


def _resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in schema:
        return [definitions[schema["$ref"].rpartition("/")[2]]]
    options = schema.get("anyOf", []) + schema.get("oneOf", []) + schema.get("allOf", [])
    if "items" in schema and isinstance(schema["items"], dict):
        options.append(schema["items"])
    return [block for option in options for block in _resolve(option, definitions)]


def _other(error: Any, _: type[BaseModel]) -> tuple[str, str]:
    message, _dash, fix = str(error["msg"]).removeprefix("Value error, ").partition(" — ")
    return message[:1].lower() + message[1:], fix


def _choice(error: Any, _: type[BaseModel]) -> tuple[str, str]:
    return "not a value that is known", f"write one of {error['ctx']['expected']}"


def _kind_of_value(what: str, example: str) -> Callable[[Any, type[BaseModel]], tuple[str, str]]:
    return lambda _error, _model: (f"must be {what}", f"write it like {example}")


_MESSAGES: dict[str, Callable[[Any, type[BaseModel]], tuple[str, str]]] = {
    "extra_forbidden": _unknown,
    "missing": lambda _error, _model: ("is missing", "add it"),
    "literal_error": _choice,
    "enum": _choice,
    "string_type": _kind_of_value("text", '"…", in quotes'),
    "tuple_type": _kind_of_value("a list", "[a, b]"),
    "model_type": _kind_of_value("a map", "{key: value}"),
    "model_attributes_type": _kind_of_value("a map", "{key: value}"),
    "dict_type": _kind_of_value("a map", "{key: value}"),
}
