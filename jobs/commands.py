"""Commands in comments, read as a person would: at the start of a line, outside code and quotes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from policies.markdown import code as code_span


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word without the slash, lower-case, and what stood behind it on the line."""

    word: str
    rest: str = ""

    @property
    def arguments(self) -> list[str]:
        return self.rest.split()


# word → how it is written, and what it does; /help prints this.
WORDS: dict[str, tuple[str, str]] = {
    "test": ("/test [name]", "run the pipeline of this commit, or one app's"),
    "retest": ("/retest [name]", "run what is not green again"),
    "cancel": ("/cancel [name]", "stop what is running"),
    "ok-to-test": ("/ok-to-test <sha>", "let this commit of a fork run"),
    "hold": ("/hold [<environment>] [reason]", "let nothing newer in until it is lifted"),
    "unhold": ("/unhold [<environment>]", "lift a hold or a pin"),
    "promote": ("/promote [<release>] [to <environment>] [reason]", "carry a release into an environment"),
    "rollback": ("/rollback [<environment>] [to <release>] [reason]", "go back to an earlier release"),
    "reject": ("/reject <release> <reason>", "mark a release as bad; it is never proposed again"),
    "stop": ("/stop [<environment>|everything] [reason]", "emergency stop: nothing is deployed until /resume"),
    "resume": ("/resume [<environment>|everything]", "lift an emergency stop"),
    "break-glass": ("/break-glass <reason>", "let findings pass this once, with the approval that the policy demands"),
    "refresh": ("/refresh", "look at everything afresh"),
    "help": ("/help", "this list"),
}

_LINE = re.compile(r"/([a-z][a-z-]*)(?:[ \t]+(.*))?\Z", re.IGNORECASE)
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_MOST = 10  # commands of one comment


def parse(comment: str) -> list[Command]:
    """The commands of a comment, in order; unknown words are not commands (``/etc/passwd`` is a path).

    Code blocks, code spans, quotes, lists, tables, headings and HTML are not looked into.
    """
    found = []
    for line in _lines(comment.replace("\r\n", "\n")):
        match = _LINE.match(line.strip())
        if match and match[1].lower() in WORDS:
            found.append(Command(match[1].lower(), (match[2] or "").strip()))
    return found[:_MOST]


def _lines(comment: str) -> Iterator[str]:
    """The lines of the paragraphs that stand at the top level."""
    tokens = _MARKDOWN.parse(comment[:65_536])
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type == "paragraph_open" and before.level == 0:
            yield from _text(token)


def _text(inline: Token) -> Iterator[str]:
    """A paragraph's source lines, without those that begin in the middle of a code span."""
    line, code = "", False
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            yield line
            line, code = "", False
        elif child.type in ("code_inline", "html_inline"):
            line += "`" if not line else f" {child.content}"
            code = True
        elif child.content:
            line += child.content
    yield line if line or not code else ""


def usage() -> str:
    """The list that ``/help`` answers with."""
    rows = [f"| {code_span(how)} | {what} |" for how, what in WORDS.values()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows, ""])


@dataclass(frozen=True, slots=True)
class Target:
    """What a promotion command is about; ``""`` where it was not said."""

    release: str = ""
    environment: str = ""
    reason: str = ""


_RELEASE = re.compile(r"(?=.*[0-9])[0-9a-f]{7}(-[0-9a-f]{6})?\Z|[0-9a-f]{40}\Z|v?\d+(\.\d+)+\S*\Z")


def target(command: Command, environments: set[str]) -> Target:
    """Read ``[<release>] [to <environment>] [reason]`` and its kin; words that are neither begin the reason."""
    release = environment = ""
    words = command.arguments
    while words:
        word = words[0]
        if word.lower() in ("to", "from", "in", "for") and len(words) > 1 and _known(words[1], environments):
            words = words[1:]
        elif not environment and word in environments:
            environment, words = word, words[1:]
        elif not release and _RELEASE.match(word):
            release, words = word, words[1:]
        else:
            break
    return Target(release, environment, " ".join(words))


def _known(word: str, environments: set[str]) -> bool:
    return word in environments or bool(_RELEASE.match(word))
