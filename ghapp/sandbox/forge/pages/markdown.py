"""Markdown to HTML that is safe to show: CommonMark with tables, task lists and a few harmless HTML tags.

Everything goes through one filter that knows which tags and attributes may stay; what it does not know becomes text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt

_VOID = frozenset({"br", "hr", "img", "input"})
_TAGS = _VOID | {
    *("a", "b", "blockquote", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "i", "ins", "kbd", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "code": {"class"},
    "details": {"open"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
    "td": {"style"},
    "th": {"style"},
}
_VALUES = {
    "href": re.compile(r"(?i)(?:https?:|mailto:|/(?!/)|#|[^:/?#]*$|\.{1,2}/)"),
    "src": re.compile(r"(?i)https?:|/(?!/)"),
    "class": re.compile(r"language-[\w+-]+$"),
    "type": re.compile(r"checkbox$"),
    "style": re.compile(r"text-align:(?:left|right|center)$"),
    "start": re.compile(r"\d{1,9}$"),
}
_TASK = re.compile(r"<li>(<p>)?\[([ xX])\] ")


class _Filter(HTMLParser):
    """Copies allowed tags, balanced, and writes everything else as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.pieces.append(escape(self.get_starttag_text() or ""))
            return
        kept = [(name, value or "") for name, value in attrs if self._allowed(tag, name, value or "")]
        if tag == "a":
            kept.append(("rel", "nofollow noopener noreferrer"))
        if tag == "input":
            kept = [("type", "checkbox"), ("disabled", ""), *(pair for pair in kept if pair[0] == "checked")]
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in kept)
        self.pieces.append(f"<{tag}{attributes}>")
        if tag not in _VOID:
            self._open.append(tag)

    @staticmethod
    def _allowed(tag: str, name: str, value: str) -> bool:
        rule = _VALUES.get(name)
        return name in _ATTRIBUTES.get(tag, ()) and (rule is None or rule.match(value.strip()) is not None)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            if tag not in _TAGS:
                self.pieces.append(escape(f"</{tag}>"))
            return
        while (last := self._open.pop()) != tag:
            self.pieces.append(f"</{last}>")
        self.pieces.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(escape(data, quote=False))

    def handle_comment(self, data: str) -> None:
        """Comments are invisible on GitHub, and carry nothing that a reader needs."""

    def finished(self) -> str:
        self.close()
        return "".join(self.pieces) + "".join(f"</{tag}>" for tag in reversed(self._open))


class _Text(HTMLParser):
    """What is left when all tags are taken away."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def html(source: str) -> str:
    """Safe HTML of a Markdown text."""
    rendered = _MARKDOWN.render(source)
    allowed = _Filter()
    allowed.feed(_TASK.sub(_box, rendered))
    return allowed.finished()


def _box(task: re.Match[str]) -> str:
    """The checkbox of an item that begins with ``[ ]`` or ``[x]``."""
    checked = "" if task[2] == " " else " checked"
    return f'<li>{task[1] or ""}<input type="checkbox"{checked}> '


def text(source: str) -> str:
    """The same without any markup."""
    stripped = _Text()
    stripped.feed(html(source))
    return "".join(stripped.pieces).strip()
