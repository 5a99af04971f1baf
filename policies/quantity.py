"""Durations, CPU and memory as people write them: ``1h30m``, ``500m``, ``4Gi``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_UNIT = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?\Z")
_MEMORY_UNIT = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def parse_duration(value: Any) -> timedelta:
    """``90s``, ``30m``, ``1h30m``, ``2d`` or ``0``. Raises ValueError with an example."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if text == "0":
        return timedelta()
    parts = _PART.findall(text)
    if isinstance(value, bool) or not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"{value!r} is not a duration; write it like 90s, 30m, 1h30m or 2d")
    try:
        return timedelta(seconds=sum(float(n) * _UNIT[u] for n, u in parts))
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is longer than any calendar; write it like 90s, 30m, 1h30m or 2d") from None


def format_duration(value: timedelta) -> str:
    """The shortest spelling: ``1h30m``; ``0s`` for nothing."""
    left = round(value.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_cpu(value: Any) -> float:
    """Cores: ``2``, ``0.5`` or ``500m``. Raises ValueError."""
    text = str(value).strip()
    try:
        cores = float(text[:-1]) / 1000 if text.endswith("m") else float(text)
    except ValueError:
        cores = -1.0
    if isinstance(value, bool) or not 0 < cores < 10_000:
        raise ValueError(f"{value!r} is not a number of processors; write it like 2, 0.5 or 500m")
    return cores


def parse_memory(value: Any) -> int:
    """Bytes: ``512Mi``, ``4Gi``. Raises ValueError."""
    match = _MEMORY.match(str(value).strip())
    if isinstance(value, bool) or not match:
        raise ValueError(f"{value!r} is not an amount of memory; write it like 512Mi or 4Gi")
    return int(float(match[1]) * _MEMORY_UNIT[match[2] or ""])


def format_memory(value: int) -> str:
    """The shortest spelling in binary units: ``4Gi``, ``1.5Mi``."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if value >= _MEMORY_UNIT[unit]:
            return f"{round(value / _MEMORY_UNIT[unit], 1):g}{unit}"
    return f"{value} bytes"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$|^0$", "examples": ["30m"]}
    ),
]
Cpu = Annotated[
    float, BeforeValidator(parse_cpu), WithJsonSchema({"type": ["string", "number"], "examples": [2, "500m"]})
]
Memory = Annotated[
    int, BeforeValidator(parse_memory), WithJsonSchema({"type": ["string", "integer"], "examples": ["4Gi"]})
]
