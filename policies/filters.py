"""CEL, the Common Expression Language: conditions that teams write, compiled once, bounded, never a pass by mistake.

Expressions are limited in length and in loops, so that none can keep anything busy. Asks nobody; computes on what it is
given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Annotated, Any

import cel
from pydantic import BeforeValidator, WithJsonSchema

MAX_LENGTH = 2_000
_MOST_LOOPS = 3
_LOOPS = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w*)")
_FUNCTIONS = frozenset(
    (
        *("size", "contains", "startsWith", "endsWith", "matches"),
        *("string", "int", "uint", "double", "bytes", "type", "dyn", "timestamp", "duration"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    )
)
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


class BadExpression(ValueError):
    """An expression that has no answer; the message says why, for whoever wrote it."""


@lru_cache(maxsize=2048)
def compiled(expression: str) -> Any:
    """The program of an expression. Raises :class:`BadExpression`."""
    if not expression.strip():
        raise BadExpression("an empty condition — write a CEL expression such as image.tag.startsWith('v')")
    if len(expression) > MAX_LENGTH:
        raise BadExpression(f"longer than {MAX_LENGTH} characters — split the condition")
    if len(_LOOPS.findall(_TEXT.sub("", expression))) > _MOST_LOOPS:
        raise BadExpression(f"more than {_MOST_LOOPS} loops — split the condition")
    try:
        return cel.compile(expression)
    except Exception as e:  # the binding raises several kinds, and each means that this is not CEL
        raise BadExpression(f"not CEL: {_reason(e)}") from None


def _reason(e: Exception) -> str:
    text = str(e)
    if (found := re.search(r"ERROR: <input>:(\d+):(\d+): (.*)", text)) is not None:
        return f"{found[3].split(' expecting ')[0].strip()} at character {found[2]}"
    return text.splitlines()[0][:200]


def check(expression: str, variables: Collection[str]) -> str:
    """The expression, if it is CEL over these variables. Raises :class:`BadExpression`."""
    program = compiled(expression)
    loops = set(_LOOPS.findall(_TEXT.sub("", expression)))
    if unknown := sorted(set(program.variables()) - set(variables) - loops):
        raise BadExpression(f"`{unknown[0]}` is not known — write one of {', '.join(sorted(variables))}")
    named = {name for name in program.functions() if name.isidentifier() and not name.startswith("_")}
    if unknown := sorted(named - _FUNCTIONS):
        raise BadExpression(f"there is no function `{unknown[0]}` — write one of {', '.join(sorted(_FUNCTIONS))}")
    return expression


def holds(expression: str, variables: Mapping[str, Any]) -> bool:
    """Whether the condition is true. Raises :class:`BadExpression` for anything but true and false."""
    program = compiled(expression)
    try:
        value = program.execute(dict(variables))
    except KeyError as e:
        raise BadExpression(
            f"there is no {str(e).strip(chr(39))!r} in what it looks at — guard it with has()"
        ) from None
    except Exception as e:  # as above: whatever it is, there is no answer
        raise BadExpression(f"it cannot be evaluated: {_reason(e)}") from None
    if not isinstance(value, bool):
        raise BadExpression(f"gives {str(value)[:60]!r} — a condition has to give true or false")
    return value


# What conditions about a promotion may speak of; :mod:`policies.gates.filter` fills them.
PROMOTION_VARIABLES = frozenset(
    {
        "app",
        "commit",
        "environment",
        "evidence",
        "image",
        "images",
        "kind",
        "labels",
        "now",
        "reason",
        "release",
        "repository",
        "requested_by",
        "tag",
        "tags",
    }
)


def _check_condition(value: Any) -> str:
    if not isinstance(value, str):
        raise BadExpression("a condition is text — write a CEL expression in quotes")
    return check(value, PROMOTION_VARIABLES)


Condition = Annotated[
    str,
    BeforeValidator(_check_condition),
    WithJsonSchema({"type": "string", "description": "CEL", "examples": ["image.tag.startsWith('v')"]}),
]
