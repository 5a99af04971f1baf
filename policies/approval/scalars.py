"""What a plain YAML scalar means to the Go library that policy-bot reads its policies with (yaml.v2).

``yes``, ``on`` and ``y`` are booleans there, ``010`` is eight, and ``1_000`` a thousand; a policy that relies on it
keeps its meaning. Only scalars are decided here; shapes are :mod:`shapes`' part.
"""

from __future__ import annotations

import base64
import binascii
import math
import re

PREFIX = "tag:yaml.org,2002:"
STR, BOOL, INT, FLOAT = PREFIX + "str", PREFIX + "bool", PREFIX + "int", PREFIX + "float"
NULL, TIMESTAMP, BINARY, MERGE = PREFIX + "null", PREFIX + "timestamp", PREFIX + "binary", PREFIX + "merge"
_RESOLVABLE = frozenset({"", STR, BOOL, INT, FLOAT, NULL, TIMESTAMP})

Value = None | bool | int | float | str


_WORDS: dict[str, tuple[str, Value]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), (BOOL, True)),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), (BOOL, False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (NULL, None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (FLOAT, math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), (FLOAT, math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (FLOAT, -math.inf)),
    "<<": (MERGE, "<<"),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)


class Unreadable(ValueError):
    """A scalar whose tag and text contradict each other, such as ``!!int abc``."""


def resolve(tag: str, text: str) -> Value:
    """The value of a scalar with the long form of its ``tag`` (``""`` for an untagged plain one)."""
    if tag == BINARY:
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Unreadable("a !!binary value that is not the base64 of some text") from None
    if tag not in _RESOLVABLE:
        return text
    # A date stays text: the language has no dates, and what reads as one reads as nothing else.
    found, value = (tag, text) if tag in (STR, TIMESTAMP) else _untagged(text)
    if tag == FLOAT and found == INT and isinstance(value, int):
        return float(value)
    if tag not in ("", found):
        raise Unreadable(f"{text!r} is not a !!{tag.removeprefix(PREFIX)}")
    return value


def _untagged(text: str) -> tuple[str, Value]:
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        return _real(text)
    if first not in "+-0123456789":
        return STR, text
    plain = text.replace("_", "")
    if (integer := _integer(plain)) is not None:
        return INT, integer
    found, value = _real(plain)
    return (found, value) if found == FLOAT else (STR, text)


def _real(text: str) -> tuple[str, Value]:
    if _FLOAT.match(text) and math.isfinite(number := float(text)):
        return FLOAT, number
    return STR, text


def _integer(plain: str) -> int | None:
    if not (match := _INTEGER.match(plain)):
        return None
    sign, hexadecimal, binary, octal, decimal = match.groups()
    for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)):
        if digits:
            if len(digits) > 64:
                return None
            magnitude = int(digits, base)
            break
    value = -magnitude if sign == "-" else magnitude
    # Beyond 64 bits Go gives up on integers; a sign rules out the unsigned half.
    return value if -(2**63) <= value < (2**63 if sign else 2**64) else None
