"""Text for GitHub's fields: cut to their size without breaking a character or a code fence, and made harmless."""

from __future__ import annotations

import re

FIELD_BYTES = 65_535  # https://docs.github.com/en/rest/checks/runs: summary and text, each
COMMENT_BYTES = 65_536
CUT = "\n\n… cut: the rest does not fit GitHub's limit."

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def clip(text: str, limit: int = FIELD_BYTES, *, note: str = CUT) -> str:
    """``text`` in at most ``limit`` bytes of UTF-8.

    When it has to be cut: at a line's end if one is near, with an open code fence closed and ``note`` at the end.
    """
    if len(text) * 4 <= limit or len(text.encode()) <= limit:
        return text
    room = limit - len(note.encode()) - 80  # for the fence that may have to be closed, the longest one that we close
    kept = text.encode()[:room].decode("utf-8", "ignore")
    line_end = kept.rfind("\n")
    if line_end > len(kept) - 2_000:
        kept = kept[:line_end]
    fence = open_fence(kept)
    return kept + (f"\n{fence}" if fence else "") + note


def open_fence(text: str) -> str:
    """The code fence that is still open at the end of ``text``, empty if none (CommonMark 4.5)."""
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if not found:
            continue
        mark = found[1]
        if not fence:
            fence = mark[:64]
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not line[found.end() :].strip():
            fence = ""
    return fence


def plain(text: str) -> str:
    """``text`` as it stands, in Markdown: no markup, no HTML, no mention, no link, on one line.

    For titles, branch names and user names that strangers choose.
    """
    flat = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)
    flat = re.sub(r"([\\`*_{}\[\]()<>#+!|~&-])", r"\\\1", flat)
    # A zero-width joiner keeps @name, #1 and addresses from becoming mentions and links.
    return re.sub(r"(@|https?:|www\.|\bGH-)(?=\S)", "\\1\u200d", flat)


def fenced(text: str, language: str = "") -> str:
    """``text`` as a code block that its own back-ticks cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
