"""Reading a Containerfile as far as the ``layer`` builder needs it: one stage, no commands run.

What goes beyond that is not an error of the file but a job for another builder; :class:`NotSimple` says why.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_INSTRUCTION = re.compile(r"([A-Za-z]+)\s+(.*)\Z", re.DOTALL)
_VARIABLE = re.compile(r"\\\$|\$\{(\w+)(?:(:?[-+])([^}]*))?\}|\$(\w+)")


class NotSimple(ValueError):
    """The file needs another builder; the message names the line and the instruction."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Files from the context into the image: ``sources`` (paths or globs), ``target`` as written, mode and owner."""

    sources: tuple[str, ...]
    target: str
    workdir: str
    mode: int | None = None
    owner: tuple[int, int] = (0, 0)


@dataclass
class Recipe:
    """What a simple Containerfile says. ``base`` is ``""`` for scratch."""

    base: str = ""
    copies: list[Copy] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    user: str = ""
    workdir: str = ""
    ports: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    stop_signal: str = ""


def read(text: str, arguments: Mapping[str, str]) -> Recipe:
    """The recipe in a file. Raises :class:`NotSimple`."""
    recipe = Recipe()
    known: dict[str, str] = {}
    begun = False
    for number, line in _lines(text):
        match = _INSTRUCTION.match(line)
        if not match:
            raise NotSimple(f"line {number}: {line[:60]!r} is not an instruction")
        word, rest = match[1].upper(), match[2].strip()
        if word == "ARG":
            name, sign, default = _fill(rest, {**known, **recipe.env}).partition("=")
            known[name] = arguments.get(name, _unquoted(default) if sign else "")
        elif word == "FROM":
            if begun:
                raise NotSimple(f"line {number}: a second FROM (several stages)")
            begun, recipe.base = True, _from(_fill(rest, known), number)
        elif not begun:
            raise NotSimple(f"line {number}: {word} before FROM")
        elif word in _SIMPLE:
            _SIMPLE[word](recipe, rest, {**known, **recipe.env}, number)
        else:
            raise NotSimple(f"line {number}: {word}")
    if not begun:
        raise NotSimple("it has no FROM")
    return recipe


def _lines(text: str) -> list[tuple[int, str]]:
    """Instructions with the line that they begin on; comments and continuations resolved."""
    found: list[tuple[int, str]] = []
    open_line, start = "", 0
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        stripped = raw.strip()
        if stripped.startswith("#") or (not stripped and open_line):
            if number < 5 and re.match(r"#\s*escape\s*=\s*`", stripped, re.IGNORECASE):
                raise NotSimple("line 1: another escape character")
            continue
        if not open_line:
            start = number
        if stripped.endswith("\\"):
            open_line += f"{stripped[:-1]} "
            continue
        if whole := f"{open_line}{stripped}".strip():
            found.append((start, whole))
        open_line = ""
    if open_line.strip():
        found.append((start, open_line.strip()))
    return found


def _fill(text: str, values: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        name, operator, word = match[1] or match[4], match[2] or "", match[3] or ""
        value = values.get(name, "")
        there = bool(value) if operator.startswith(":") else name in values
        if operator.endswith("-"):
            return value if there else word
        return (word if there else "") if operator.endswith("+") else value

    return _VARIABLE.sub(one, text)


def _unquoted(text: str) -> str:
    return "".join(shlex.split(text)) if text[:1] in "\"'" else text


def _from(rest: str, number: int) -> str:
    words = rest.split()
    if words and words[0].startswith("--platform"):
        raise NotSimple(f"line {number}: FROM --platform")
    base = words[0] if words else ""
    return "" if base == "scratch" else base


def _flags(rest: str) -> tuple[dict[str, str], str]:
    flags: dict[str, str] = {}
    while match := re.match(r"--([a-z-]+)(?:=(\S*))?\s+", rest):
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    return flags, rest


def _json_list(rest: str) -> list[str] | None:
    if not rest.startswith("["):
        return None
    try:
        data = json.loads(rest)
    except ValueError:
        return None
    return data if isinstance(data, list) and all(isinstance(item, str) for item in data) else None


def _copy(recipe: Recipe, rest: str, values: Mapping[str, str], number: int) -> None:
    flags, rest = _flags(rest)
    if unknown := set(flags) - {"chmod", "chown", "link"}:
        raise NotSimple(f"line {number}: COPY --{min(unknown)}")
    words = _json_list(rest) or shlex.split(rest)
    words = [_fill(word, values) for word in words]
    if len(words) < 2 or any(word.startswith("<<") for word in words):
        raise NotSimple(f"line {number}: a COPY of this form")
    mode = flags.get("chmod", "")
    if mode and not re.fullmatch(r"[0-7]{3,4}", mode):
        raise NotSimple(f"line {number}: COPY --chmod={mode}")
    owner = _fill(flags.get("chown", "0:0"), values)
    user, _, group = owner.partition(":")
    if not user.isdecimal() or (group and not group.isdecimal()):
        raise NotSimple(f"line {number}: COPY --chown={owner} (names of users can only be known inside of the image)")
    ids = (int(user), int(group or user))
    recipe.copies.append(Copy(tuple(words[:-1]), words[-1], recipe.workdir, int(mode, 8) if mode else None, ids))


def _add(recipe: Recipe, rest: str, values: Mapping[str, str], number: int) -> None:
    sources = (_json_list(_flags(rest)[1]) or shlex.split(_flags(rest)[1]))[:-1]
    for source in sources:
        if "://" in source or re.search(r"\.(tar|tgz|tar\.\w+|git)\Z", source):
            raise NotSimple(f"line {number}: ADD of an address or an archive")
    _copy(recipe, rest, values, number)


def _pairs(rest: str, values: Mapping[str, str]) -> dict[str, str]:
    if "=" not in rest.split()[0]:
        name, _, value = rest.partition(" ")
        return {name: _fill(value.strip(), values)}
    return {name: value for name, _, value in (word.partition("=") for word in shlex.split(_fill(rest, values)))}


def _shell_form(rest: str) -> list[str]:
    return ["/bin/sh", "-c", rest]


def _env(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.env |= _pairs(rest, values)


def _label(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.labels |= _pairs(rest, values)


def _workdir(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    path = _unquoted(_fill(rest, values))
    recipe.workdir = path if path.startswith("/") else f"{recipe.workdir.rstrip('/')}/{path}"


def _user(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.user = _fill(rest, values)


def _expose(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.ports += [port if "/" in port else f"{port}/tcp" for port in _fill(rest, values).split()]


def _volume(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.volumes += _json_list(rest) or _fill(rest, values).split()


def _entrypoint(recipe: Recipe, rest: str, _: Mapping[str, str], __: int) -> None:
    recipe.entrypoint, recipe.command = _json_list(rest) or _shell_form(rest), None


def _cmd(recipe: Recipe, rest: str, _: Mapping[str, str], __: int) -> None:
    recipe.command = _json_list(rest) or _shell_form(rest)


def _stop_signal(recipe: Recipe, rest: str, values: Mapping[str, str], _: int) -> None:
    recipe.stop_signal = _fill(rest, values)


_SIMPLE = {
    "ADD": _add,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "LABEL": _label,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
