"""Regular expressions that people write into a ``.ghapp.yml``: RE2, so that none can be slow."""

from __future__ import annotations

from typing import Any

import re2


class BadPattern(ValueError):
    """A regular expression that means nothing; the message says why."""


def regex(pattern: str) -> Any:
    """A compiled RE2 pattern. Raises :class:`BadPattern`."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as e:
        reason = e.args[0].decode() if e.args and isinstance(e.args[0], bytes) else str(e)
        raise BadPattern(f"{pattern!r} is not an RE2 pattern: {reason}") from None
