"""Typed inputs of a pipeline that is started by a call: only those that are declared, each of its type. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ghapp.config.model import Input

_MOST = 10_000  # characters of one value


class BadInputs(ValueError):
    """Inputs that cannot be taken; the message lists everything that is wrong with them."""


def read(declared: Mapping[str, Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs by name, with defaults filled in. Raises :class:`BadInputs`."""
    known = ", ".join(declared) or "none"
    wrong = [f"there is no input {name!r}, there are {known}" for name in given if name not in declared]
    found: dict[str, Any] = {}
    for name, wish in declared.items():
        value = given.get(name, wish.default)
        if value is None:
            if wish.required:
                wrong.append(f"{name} is required")
            continue
        try:
            found[name] = _READERS[wish.type](value, wish)
        except ValueError as e:
            wrong.append(f"{name}: {e}")
    if wrong:
        raise BadInputs("; ".join(wrong))
    return found


def _string(value: Any, _: Input) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > _MOST:
        raise ValueError(f"must be a text of at most {_MOST} characters")
    return str(value)


def _number(value: Any, _: Input) -> int | float:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    if isinstance(value, int | float):
        return value
    text = str(value)[:40]
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _bool(value: Any, _: Input) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError(f"{str(value)[:40]!r} is neither true nor false")


def _date(value: Any, _: Input) -> str:
    """A day, written so that comparing texts compares days."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is not a date like 2026-03-01") from None


def _choice(value: Any, wish: Input) -> str:
    if str(value) not in wish.choices:
        raise ValueError(f"{str(value)[:80]!r} is not one of {', '.join(wish.choices)}")
    return str(value)


def _file(value: Any, _: Input) -> str:
    """A path in the checkout."""
    text = str(value)
    if len(text) > 1_000 or text.startswith("/") or ".." in text.split("/") or "\0" in text:
        raise ValueError(f"{text[:80]!r} is not a path inside of the repository")
    return text


_READERS: dict[str, Callable[[Any, Input], Any]] = {
    "string": _string,
    "number": _number,
    "bool": _bool,
    "date": _date,
    "choice": _choice,
    "file": _file,
}
