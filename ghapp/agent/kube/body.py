"""Objects as the bytes that an API server reads without surprises.

The bodies of server-side apply are parsed as YAML: surrogate pairs are refused, a raw U+0085 or U+2028 is changed into
a line break, a raw DEL is refused. So text goes out as UTF-8, with those few characters escaped.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

_UNSAFE = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]")


def encode(value: Any) -> bytes:
    """JSON with sorted keys, safe to be read as YAML 1.1. Raises TypeError for what JSON cannot say."""
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return _UNSAFE.sub(_escape, raw) if _UNSAFE.search(raw) else raw


def _escape(found: re.Match[bytes]) -> bytes:
    return rb"\u%04x" % ord(found.group().decode("utf-8", "surrogatepass"))
