"""Regular expressions as Go has them: RE2's dialect, unanchored, in time linear in the text.

Two engines share the dialect but not every corner; what google-re2 takes and Go does not is refused here. Never
Python's ``re``, which rejects what policies use (``\\b(?i)x``) and can be made to run for ever.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

import re2

_MEMORY = 64 << 20  # Go compiles programs that RE2's default of 8 MiB would refuse, such as `\PL{1000}`
_ALWAYS = ""  # a pattern that matches every text
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\(?:.|\Z)|\(\?P?<(?P<name>[^>]*)>|\[\^?\]?(?:\[:[^\]]*:\]|\\.|[^\]\\])*\]?|.", re.DOTALL
)


class BadPattern(ValueError):
    """A pattern that Go would not compile; ``fix`` says what to write instead, where that is known."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


class Pattern:
    """One compiled pattern. ``str()`` is its source."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        _refuse_what_go_refuses(source)
        try:
            self._compiled = re2.compile(source.encode(), _options())
        except re2.error as e:
            reason = e.args[0] if e.args else "not understood"
            raise BadPattern(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
        except UnicodeEncodeError:
            raise BadPattern("it is not Unicode text") from None

    def matches(self, text: str) -> bool:
        return self._compiled.search(text.encode(errors="replace")) is not None

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"


@functools.lru_cache(maxsize=2048)
def compile(source: str) -> Pattern:  # noqa: A001 - the word that regular expressions have
    """Raises :class:`BadPattern`."""
    return Pattern(source)


class PatternList:
    """Several patterns asked together: one pass over a text says which of them match.

    ``None`` stands for a pattern that was left empty, which matches nothing but makes the list a given one.
    """

    __slots__ = ("_given", "_length", "_set", "_single", "sources")

    def __init__(self, patterns: Sequence[Pattern | None]) -> None:
        self._length = len(patterns)
        self._given = tuple(p for p in patterns if p is not None)
        self.sources = tuple(p.source for p in self._given)
        self._single = self._given[0] if len(self._given) == 1 else None
        self._set = _search_set(self.sources) if len(self._given) > 1 else None

    def __bool__(self) -> bool:
        return bool(self._length)

    def matches(self, text: str) -> bool:
        """Whether any of the patterns matches."""
        if self._single is not None:
            return self._single.matches(text)
        return bool(self._given) and bool(self.which(text))

    def which(self, text: str) -> frozenset[int]:
        """The positions of the patterns that match, ``None`` patterns not counted."""
        if self._set is not None:
            hits = self._set.Match(text.encode(errors="replace")) or ()
            # The last member of the set matches everything: its absence means that the set gave up.
            if len(self._given) in hits:
                return frozenset(hits) - {len(self._given)}
        return frozenset(i for i, p in enumerate(self._given) if p.matches(text))


@functools.lru_cache(maxsize=512)
def _search_set(sources: tuple[str, ...]) -> re2.Set | None:
    matcher = re2.Set.SearchSet(_options())
    try:
        for source in (*sources, _ALWAYS):
            matcher.Add(source.encode())
        matcher.Compile()
    except re2.error:
        return None
    return matcher


NO_PATTERNS = PatternList(())


@functools.lru_cache(maxsize=512)
def every(sources: tuple[str, ...]) -> PatternList:
    """The patterns of these sources, which compile."""
    return PatternList([compile(source) for source in sources])


def any_of(patterns: Iterable[Pattern | None] | None) -> PatternList:
    return PatternList(tuple(patterns or ()))


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.never_capture = True
    options.log_errors = False
    return options


def _refuse_what_go_refuses(source: str) -> None:
    for token in _TOKEN.finditer(source):
        if token.group() == "\\C":
            raise BadPattern("`\\C` matches single bytes, which Go has no notion of", "use `.` or `(?s:.)`")
        name = token["name"]
        if name and not name.isascii():
            raise BadPattern(f"the group name {name!r} has letters outside ASCII")
