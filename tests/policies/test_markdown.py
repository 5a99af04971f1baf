"""What strangers write is shown as they wrote it, and does nothing."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from policies.markdown import block, code, defuse_mentions, escape, link, plain

HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "**bold** _it_ ~~gone~~ `code`",
    "| a | b |\n|---|---|",
    "# heading\n- list\n1. list",
    "```\nfence",
    "&lt;b&gt; &amp;",
    "https://evil.example www.evil.example",
    "<!-- comment -->",
    "\\`\\*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_renders_as_itself(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(f"x {escape(text)}")
    shown = rendered.removeprefix("<p>").rstrip().removesuffix("</p>")
    assert "<" not in shown
    written = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert written.replace("\u200b", "") == f"x {' '.join(text.split())}"


@pytest.mark.parametrize("text", [*HOSTILE, "`", "``a``", "a`b", ""])
def test_code_spans_hold_anything(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(code(text).replace("\\|", "|"))
    assert rendered.startswith("<p><code>") and rendered.rstrip().endswith("</code></p>")
    assert rendered.count("<") == 4


@pytest.mark.parametrize("text", [*HOSTILE, "````", "~~~"])
def test_blocks_hold_anything(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(block(text) + "\n\nafter")
    assert rendered.endswith("<p>after</p>\n")
    assert rendered.count("<pre>") == 1


def test_nobody_is_pinged_and_nothing_is_linked() -> None:
    assert "@ada" not in escape("ping @ada and #12, GH-3")
    assert "#12" not in escape("#12") and "GH-3" not in escape("GH-3")
    assert "@acme" not in defuse_mentions("cc @acme/sre #7") and "#7" not in defuse_mentions("#7")


def test_text_cannot_be_reordered_or_hidden() -> None:
    assert plain("a\u202eb\u2066c\x1b[31md\x00") == "abc[31md"


def test_length_is_bounded() -> None:
    assert escape("x" * 100, limit=10) == "x" * 9 + "…"


def test_a_link_cannot_be_closed_early() -> None:
    assert link("a](b", "https://x.example/(y) z") == "[a\\]\\(b](https://x.example/%28y%29%20z)"
