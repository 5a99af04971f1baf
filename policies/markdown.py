"""Text from strangers, made harmless in Markdown: no markup, no HTML, nobody pinged, no table or fence broken.

Everything that a person outside wrote — titles, names, branch names, messages, scanner output — passes here before it
reaches a check run, a comment or a pull request's body.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")
_REFERENCE = re.compile(r"(?i)(?<![A-Za-z0-9])(#|gh-)(?=\d)")
_URL = re.compile(r"(?i)\b(https?|ftp)(?=://)|\b(www)(?=\.)")
# C0 and C1 controls, and the characters that reorder or hide text (https://trojansource.codes).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BREAK = "\u200b"  # zero-width space: invisible, and no mention, link or reference any more


def plain(text: str) -> str:
    """``text`` without control characters and text-reordering marks; line breaks and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def defuse_mentions(text: str) -> str:
    """``@name`` that pings nobody and ``#1`` that links nowhere; looks the same."""
    return _REFERENCE.sub(lambda m: f"{m[0]}{_BREAK}", _MENTION.sub(f"@{_BREAK}", text))


def escape(text: str, *, limit: int = 0) -> str:
    """One line of plain text: shown as it is written, whatever it contains. ``limit`` in characters, 0 for none."""
    line = " ".join(plain(text).split())
    if limit and len(line) > limit:
        line = f"{line[: limit - 1]}…"
    broken = _URL.sub(lambda m: f"{m[0]}{_BREAK}", line)
    return _SPECIAL.sub(r"\\\1", _MENTION.sub(f"@{_BREAK}", _REFERENCE.sub(lambda m: f"{m[0]}{_BREAK}", broken)))


def code(text: str, *, limit: int = 0) -> str:
    """``text`` as a code span, also when it contains backticks; safe in a table cell."""
    line = " ".join(plain(text).split()) or " "
    if limit and len(line) > limit:
        line = f"{line[: limit - 1]}…"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|")


def block(text: str, *, language: str = "") -> str:
    """``text`` as a fenced code block that nothing in it can close."""
    body = plain(text).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def link(text: str, url: str) -> str:
    """A link with plain text; ``url`` is ours, but is still kept from ending the link early."""
    safe = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
    return f"[{escape(text)}]({safe})"
