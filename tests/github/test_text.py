"""Text for GitHub: cut on characters and outside code fences, and harmless whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ghapp.github.text import CUT, clip, fenced, open_fence, plain


@given(st.text(max_size=600), st.integers(min_value=200, max_value=700))
def test_clipped_text_fits_and_is_a_beginning(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or (cut.endswith(CUT) and text.startswith(cut[: -len(CUT)].rstrip("`~").rstrip("\n")))


@pytest.mark.parametrize("size", [65_534, 65_535])
def test_what_fits_is_left_alone(size: int) -> None:
    assert clip("x" * size) == "x" * size


def test_an_open_code_block_is_closed() -> None:
    cut = clip("before\n````python\n" + "x = 1\n" * 20_000)
    assert cut.endswith(f"\n````{CUT}")
    assert open_fence(cut) == ""


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("```\ncode", "```"),
        ("```\ncode\n```\n", ""),
        ("~~~ sh\n```\n", "~~~"),
        ("````\n```\n", "````"),
        ("```\ncode\n``` not an end", "```"),
        ("    ```\n", ""),
        ("a ``` b", ""),
    ],
)
def test_open_fence_follows_commonmark(text: str, fence: str) -> None:
    assert open_fence(text) == fence


HOSTILE = [
    "<script>alert(1)</script>",
    "[click](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "`code` **bold** _it_ ~~no~~",
    "# title\n\n- list\n> quote",
    "https://evil.example www.evil.example",
    "| a | b |\n|---|---|",
    "&lt;b&gt; \\` ]( <b>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_strangers_text_is_only_text(text: str) -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(plain(text))
    inside = html.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in inside
    assert "\n" not in plain(text)


def test_nobody_is_mentioned() -> None:
    assert "@everyone" not in plain("@everyone @acme/sre a@b")
    assert "https://" not in plain("see https://evil.example")


@pytest.mark.parametrize("text", ["x", "```\nx\n```", "`````", "a\n```` b"])
def test_a_code_block_cannot_be_left(text: str) -> None:
    tokens = MarkdownIt().parse(fenced(text, "text"))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == text + "\n"
