"""CEL conditions of a pipeline (``when``, ``pass_if``, ``fail_if``) and ``${{ … }}`` in values; never in a script.

Expressions are bounded in length and in nested loops, so that none can keep a worker busy.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import cel

MAX_LENGTH = 2_000
_LOOPS = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
_MOST_LOOPS = 3
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class BadCondition(ValueError):
    """An expression that cannot be evaluated; the message quotes it and says why."""


@functools.lru_cache(maxsize=512)
def program(expression: str) -> Any:
    """The compiled expression. Raises :class:`BadCondition`."""
    if len(expression) > MAX_LENGTH:
        raise BadCondition(f"a condition has at most {MAX_LENGTH} characters, this one {len(expression)}")
    if len(_LOOPS.findall(expression)) > _MOST_LOOPS:
        raise BadCondition(f"{expression!r} loops more than {_MOST_LOOPS} times; split it into several steps")
    try:
        return cel.compile(expression)
    except Exception as e:  # the binding raises many kinds; each means that it is not CEL
        reason = str(e).splitlines()[0].removeprefix("Failed to parse expression ")
        raise BadCondition(f"{expression!r} is not CEL: {reason}") from None


def evaluate(expression: str, facts: Mapping[str, Any]) -> Any:
    """The expression's value over ``facts``. Raises :class:`BadCondition`."""
    compiled = program(expression)
    try:
        return compiled.execute(dict(facts))
    except KeyError as e:
        raise BadCondition(f"{expression!r} speaks of {e}, which does not exist; guard it with has()") from None
    except Exception as e:
        raise BadCondition(f"{expression!r} cannot be evaluated: {str(e).splitlines()[0]}") from None


def holds(expression: str, facts: Mapping[str, Any]) -> bool:
    """Whether a condition is true. Anything but a boolean is a mistake. Raises :class:`BadCondition`."""
    value = evaluate(expression, facts)
    if not isinstance(value, bool):
        raise BadCondition(f"{expression!r} gives {value!r}, not true or false")
    return value


def embedded(text: str) -> list[str]:
    """The expressions that a value contains."""
    return [found.strip() for found in _EMBEDDED.findall(text)]


def fill(value: Any, facts: Mapping[str, Any]) -> Any:
    """``value`` (also inside lists and maps) with each ``${{ … }}`` replaced. Raises :class:`BadCondition`.

    A text that is nothing but one expression becomes its value, with its type.
    """
    if isinstance(value, dict):
        return {key: fill(inner, facts) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inner, facts) for inner in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    if (whole := _EMBEDDED.fullmatch(value.strip())) and "}}" not in whole[1]:
        return evaluate(whole[1].strip(), facts)
    return _EMBEDDED.sub(lambda match: as_text(evaluate(match[1].strip(), facts)), value)


def as_text(value: Any) -> str:
    """A value as a script sees it: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
