"""Markdown becomes what GitHub would show, and nothing that a browser would run or that breaks out of its place."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ghapp.sandbox.forge.git.objects import FileChange
from ghapp.sandbox.forge.pages.diff import ROWS_SHOWN, file_diff
from ghapp.sandbox.forge.pages.markdown import html, text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
        ("| a |\n|--:|\n| 1 |", '<td style="text-align:right">1</td>'),
        ("- [x] done\n- [ ] open", '<li><input type="checkbox" disabled="" checked=""> done</li>'),
        ("~~gone~~", "<s>gone</s>"),
        ("<details><summary>s</summary>\n\n*x*\n</details>", "<details><summary>s</summary>\n<p><em>x</em></p>"),
        ("a <!-- unseen --> b", "<p>a  b</p>"),
        ("[x](https://a.example/?b=1&c=2)", 'href="https://a.example/?b=1&amp;c=2"'),
        ("[x](#anchor) [y](/a/b) [z](docs/x.md)", 'href="#anchor"'),
        ("```py\na<b\n```", '<pre><code class="language-py">a&lt;b\n</code></pre>'),
    ],
)
def test_what_is_shown(source, shown):
    assert shown in html(source)


@pytest.mark.parametrize(
    "source",
    [
        "<script>x()</script>",
        "<img src=x onerror=x()>",
        "<svg onload=x()>",
        "[x](javascript:x())",
        "<a href='&#106;avascript:x()'>x</a>",
        "<a href='java\tscript:x()'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<a href='//evil.example'>x</a>",
        "<iframe src=//evil.example></iframe>",
        "<form action=//evil.example><input name=a></form>",
        "<style>*{}</style>",
        "<div style='position:fixed'>x</div>",
        "<b onclick=x()>x</b>",
        "<script",
        "<!--><script>x()</script>-->",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=x()>",
    ],
)
def test_what_is_not(source):
    assert not harmful(html(source)), html(source)


class _Judge(HTMLParser):
    """Collects whatever a browser could run, load from elsewhere or send."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.depth: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "iframe", "object", "embed", "form", "svg", "math", "base", "link", "meta"):
            self.found.append(tag)
        for name, value in attrs:
            clean = "".join((value or "").split()).lower()
            if name.startswith("on") or (name == "style" and not clean.startswith("text-align:")):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src") and (clean.startswith("//") or clean.split(":")[0] in ("javascript", "data")):
                self.found.append(f"{tag} {name}={value}")
        if tag not in ("br", "hr", "img", "input"):
            self.depth.append(tag)

    def handle_endtag(self, tag):
        if not self.depth or self.depth.pop() != tag:
            self.found.append(f"unbalanced </{tag}>")


def harmful(markup: str) -> list[str]:
    judge = _Judge()
    judge.feed(markup)
    judge.close()
    return judge.found + [f"open <{tag}>" for tag in judge.depth]


_PIECES = ["<", ">", "</", "script", "div", " onload=", "'", '"', "=", "x", "\n", "`", "[", "](", ")", "<!--", "-->"]
_PIECES += [
    "javascript:",
    "&#x6a;",
    "<a href=",
    "<details>",
    "</details>",
    "<td>",
    "</p>",
    "<img src=",
    "|",
    "- [ ] ",
    "\t",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join))
def test_nothing_that_can_be_put_together_does_harm_or_is_unbalanced(source):
    assert harmful(html(source)) == []


def test_the_text_alone():
    assert text("# A\n\n*b* <b>c</b> &amp; [d](https://e.example)") == "A\nb c & d"


def test_a_patch_in_rows():
    patch = "@@ -1,3 +1,3 @@ def f():\n a\n-b\n+B\n c\n\\ No newline at end of file"
    rows = file_diff(FileChange("f", "modified", "0" * 40, 1, 1, patch)).rows
    assert [(row.kind, row.old, row.new, row.text) for row in rows] == [
        ("hunk", None, None, "@@ -1,3 +1,3 @@ def f():"),
        ("same", 1, 1, "a"),
        ("del", 2, None, "b"),
        ("add", None, 2, "B"),
        ("same", 3, 3, "c"),
        ("note", None, None, "No newline at end of file"),
    ]


def test_a_huge_patch_is_cut_and_says_by_how_much():
    patch = "@@ -0,0 +1,5000 @@\n" + "\n".join("+x" for _ in range(5000))
    shown = file_diff(FileChange("f", "added", "0" * 40, 5000, 0, patch))
    assert (len(shown.rows), shown.left_out) == (ROWS_SHOWN, 5001 - ROWS_SHOWN)
    assert file_diff(FileChange("f", "added", "0" * 40, 0, 0, None)).rows == ()
