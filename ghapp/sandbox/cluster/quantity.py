"""Kubernetes quantities (``500m``, ``1.5Gi``): parsing, and the one canonical way in which the server writes each.

After the rules of the API's resource.Quantity: the unit family that was given stays, the number is made a whole one.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, InvalidOperation
from functools import lru_cache

_SHAPE = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)\Z")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)\Z")
_NANO = Decimal("1e-9")

NOT_A_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def parse(text: str) -> tuple[Decimal, str]:
    """The number and its unit family: "decimal", "binary" or "exponent". Raises ValueError in the server's words."""
    match = _SHAPE.match(text)
    if not match:
        raise ValueError(NOT_A_QUANTITY)
    digits, suffix = match.groups()
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise ValueError(NOT_A_QUANTITY) from None
    if suffix in _DECIMAL:
        value, family = number.scaleb(_DECIMAL[suffix]), "decimal"
    elif suffix in _BINARY:
        value, family = number * 1024 ** _BINARY[suffix], "binary"
    elif exponent := _EXPONENT.match(suffix):
        value, family = number.scaleb(int(exponent[1])), "exponent"
    else:
        raise ValueError("unable to parse quantity's suffix")
    return value.quantize(_NANO, ROUND_UP) if value % _NANO else value, family


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """``1000m`` → ``1``, ``0.5`` → ``500m``, ``1024Mi`` → ``1Gi``. Raises ValueError."""
    value, family = parse(text)
    if family == "binary" and (abs(value) < 1024 or value % 1):
        family = "decimal"
    if not value:
        return "0"
    if family == "binary":
        number, power = int(value), 0
        while number % 1024 == 0 and power < 6:
            number, power = number // 1024, power + 1
        return f"{number}{next((s for s, p in _BINARY.items() if p == power), '')}"
    power = 18
    while power > -9 and value.scaleb(-power) % 1:
        power -= 3
    number = int(value.scaleb(-power))
    if family == "exponent":
        return f"{number}e{power}" if power else str(number)
    return f"{number}{next(s for s, p in _DECIMAL.items() if p == power)}"
