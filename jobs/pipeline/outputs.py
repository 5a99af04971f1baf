"""What a step gives to later ones: ``key=value`` lines, or ``key<<END`` … ``END`` for several lines, in a file.

The file was written by code that is not trusted: it is read as a plain file, bounded, and never followed elsewhere.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

MAX_BYTES = 1_000_000
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z")


class BadOutputs(ValueError):
    """An outputs file that cannot be understood; the message names the line."""


def read(path: Path) -> dict[str, str]:
    """The outputs in a step's file. Raises :class:`BadOutputs`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError:
        raise BadOutputs("the outputs file is not a plain file") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadOutputs("the outputs file is not a plain file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadOutputs(f"the outputs file is larger than {MAX_BYTES} bytes; keep large results as artifacts")
    return parse(data.decode("utf-8", "replace"))


def parse(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at].rstrip("\r")
        at += 1
        if not line.strip():
            continue
        key, sign, value = _split(line)
        if not sign or not _KEY.match(key):
            raise BadOutputs(f"line {at} of the outputs file is not key=value: {line[:80]!r}")
        if sign == "<<":
            try:
                end = [other.rstrip("\r") for other in lines].index(value.strip(), at)
            except ValueError:
                raise BadOutputs(f"the output {key!r} (line {at}) is not ended by {value.strip()!r}") from None
            value, at = "\n".join(lines[at:end]), end + 1
        found[key] = value
    return found


def _split(line: str) -> tuple[str, str, str]:
    """Key, ``=`` or ``<<`` (whichever comes first), and the rest."""
    equals, heredoc = line.find("="), line.find("<<")
    sign = "<<" if heredoc >= 0 and (equals < 0 or heredoc < equals) else "="
    key, found, value = line.partition(sign)
    return key.strip(), found, value
