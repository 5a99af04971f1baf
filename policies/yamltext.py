"""The one place that turns YAML text into data: strict, bounded, and able to say on which line a value stands.

YAML 1.2's core schema is followed (``on`` and ``yes`` are strings, dates stay strings). Duplicate keys, aliases that
blow up, keys that are not plain scalars, deep nesting and oversized documents are refused. Never touches a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 200_000

# libyaml where the wheel carries it; the pure loader gives the same nodes, slower.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INT = re.compile(r"[-+]?[0-9]{1,18}\Z|0o[0-7]{1,18}\Z|0x[0-9a-fA-F]{1,15}\Z")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z|[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z"
)
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STRING_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file a person wrote: where it is, what it is, how to mend it.

    ``line`` is 1-based; 0 where no line can be named.
    """

    file: str
    line: int
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}" + (f" — {self.fix}" if self.fix else "")


class Problems(ValueError):
    """Everything that is wrong with one file, in the order of its lines, never just the first thing."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Document:
    """One YAML document as plain data, with the line of every key and item."""

    name: str
    data: Any
    lines: dict[Path, int] = field(default_factory=dict, repr=False)

    def line(self, path: Sequence[str | int] = ()) -> int:
        """The line of the value at ``path``, or of the nearest enclosing value that exists; 1-based."""
        at = tuple(path)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, path: Sequence[str | int], message: str, fix: str = "") -> Problem:
        return Problem(self.name, self.line(path), message, fix)


class _Builder:
    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.nodes = 0
        self.open: set[int] = set()

    def refuse(self, node: yaml.Node, message: str, fix: str = "") -> None:
        self.problems.append(Problem(self.name, node.start_mark.line + 1, message, fix))

    def build(self, node: yaml.Node, path: Path, line: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Problems([Problem(self.name, line, f"more than {MAX_NODES} values once aliases are expanded")])
        if len(path) > MAX_DEPTH:
            raise Problems([Problem(self.name, line, f"nested more than {MAX_DEPTH} levels deep")])
        if id(node) in self.open:
            raise Problems([Problem(self.name, line, "an alias that contains itself", "write the value out")])
        self.lines[path] = line
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(n, (*path, i), n.start_mark.line + 1) for i, n in enumerate(node.value)]
            return self.mapping(node, path)
        finally:
            self.open.discard(id(node))

    def mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(key, "a key that is a list or a map", "use a plain string as the key")
                continue
            name = key.value
            if name in result:
                first = self.lines.get((*path, name), 0)
                self.refuse(key, f"the key {name!r} is written twice (first on line {first})", "remove one of them")
                continue
            if name == "<<" and not key.style:
                self.refuse(key, "merge keys (<<) are not supported", "write the values out")
                continue
            result[name] = self.build(value, (*path, name), key.start_mark.line + 1)
        return result

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text: str = node.value
        if node.style or node.tag == "!":  # the C parser calls the plain style "", the other one None
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INT.match(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.match(text):
            return float(
                text.replace(".inf", "inf").replace(".nan", "nan").replace(".Inf", "inf").replace(".NaN", "nan")
            )
        return text


def _decode(text: str | bytes, name: str) -> str:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise Problems([Problem(name, 0, f"larger than {MAX_BYTES} bytes", "split it into several files")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise Problems([Problem(name, line, "not UTF-8 text", "save the file as UTF-8")]) from None


@contextmanager
def parsing(text: str | bytes, name: str) -> Iterator[Any]:
    """A PyYAML loader over ``text``; whatever it refuses is raised as :class:`Problems` with the line.

    For a language whose own reading of scalars, aliases and documents has to be kept: only the size is bounded here,
    depth and aliases by whoever takes the events.
    """
    with _reading(_decode(text, name), name) as loader:
        yield loader


@contextmanager
def _reading(text: str, name: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        yield loader
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        raise Problems([Problem(name, mark.line + 1 if mark else 0, f"not YAML: {e.problem or e.context}")]) from None
    except (yaml.YAMLError, RecursionError) as e:
        raise Problems([Problem(name, 0, f"not YAML: {str(e) or 'nested too deeply'}")]) from None
    finally:
        loader.dispose()


def refuse_deep(text: str, *, name: str, most: int = MAX_DEPTH) -> None:
    """Raise :class:`Problems` where a text is nested more than ``most`` levels deep, or is no YAML.

    To be asked before anything composes the text: the C composer overflows its stack on deep input and takes the
    process with it. The parser's events, which this looks at, do not.
    """
    with _reading(text, name) as loader:
        depth = 0
        while (event := loader.get_event()) is not None:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > most:
                    line = event.start_mark.line + 1 if event.start_mark else 0
                    raise Problems([Problem(name, line, f"nested more than {most} levels deep")])
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1


def load(text: str | bytes, *, name: str = "<yaml>") -> Document:
    """Parse exactly one YAML document; an empty text gives ``data=None``.

    ``name`` is what messages call the file. Raises :class:`Problems`.
    """
    decoded = _decode(text, name)
    refuse_deep(decoded, name=name)
    with _reading(decoded, name) as loader:
        node = loader.get_single_node()
    if node is None:
        return Document(name, None, {(): 1})
    builder = _Builder(name)
    data = builder.build(node, (), node.start_mark.line + 1)
    if builder.problems:
        raise Problems(builder.problems)
    return Document(name, data, builder.lines)
