"""Which kinds of policy there are, and how the text of a policy file becomes policies or problems.

A kind is one line in :data:`KINDS`. Text comes in, nothing is read from anywhere; a document that cannot be read is
kept as broken, so that whoever judges can never take it for absent.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from policies import approval_policy, yamltext
from policies.build_profile import BuildProfile
from policies.policy import BrokenPolicy, Origin, Policy, PolicySet
from policies.promotion import PromotionPolicy
from policies.required_plugins import RequiredPlugins
from policies.strict import validate
from policies.vulnerability import Vulnerability
from policies.window.model import Window
from policies.yamltext import Document, Problem, Problems

# Other files of the policy folder by path: what a policy may refer to (a window's .ics).
Files = Mapping[str, str]
ENVELOPE = ("kind", "name", "description")
POLICY_BOT_FILE = ".policy.yml"
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Source:
    """One document: its text, after as many empty lines as stand before it in the file, and its data."""

    text: str
    document: Document
    files: Files


@dataclass(frozen=True)
class Kind:
    """One kind: ``read`` turns a document into its body or raises :class:`Problems`; ``schema`` is of the body."""

    name: str
    summary: str
    read: Callable[[Source], Any]
    schema: Callable[[], dict[str, Any]]


def _model(name: str, summary: str, model: type[BaseModel]) -> Kind:
    return Kind(
        name, summary, lambda source: validate(model, source.document, without=ENVELOPE), model.model_json_schema
    )


def _read_window(source: Source) -> Window:
    """A window whose ``ics`` may be the path of a calendar beside it."""
    document = source.document
    path = document.data.get("ics")
    if isinstance(path, str) and "BEGIN:VCALENDAR" not in path:
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(document.name), path.strip()))
        if beside in source.files:
            document = Document(document.name, {**document.data, "ics": source.files[beside]}, document.lines)
    return validate(Window, document, without=ENVELOPE)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("Approval", "who has to approve: the policy-bot language", approval_policy.read, approval_policy.schema),
        Kind("Window", "when promotions may go", _read_window, Window.model_json_schema),
        _model("RequiredPlugins", "which plugins have to have run", RequiredPlugins),
        _model("Vulnerability", "which findings block", Vulnerability),
        _model("Promotion", "who may bypass environments or roll back, and filters", PromotionPolicy),
        _model("BuildProfile", "what a build may use", BuildProfile),
    )
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one policy of a kind, with the keys that all kinds share."""
    body = KINDS[kind].schema()
    properties = {
        "kind": {"const": kind},
        "name": {"type": "string", "description": "what sentences call it; the file's name if absent"},
        "description": {"type": "string"},
        **body.get("properties", {}),
    }
    required = ["kind", *body.get("required", [])]
    return {**body, "$schema": _DIALECT, "title": kind, "properties": properties, "required": required}


def parse_policy(text: str, name: str, *, origin: Origin = Origin.REPOSITORY, files: Files | None = None) -> Policy:
    """The one policy in a text. ``name`` is its file's path. Raises :class:`Problems`."""
    found = parse_policies(text, name, origin=origin, files=files)
    problems = [p for broken in found.broken for p in broken.problems]
    if not problems and len(found.policies) != 1:
        problems = [Problem(name, 1, f"holds {len(found.policies)} policies where one is wanted", "give each its file")]
    if problems:
        raise Problems(problems)
    return found.policies[0]


def parse_policies(
    text: str, name: str, *, origin: Origin = Origin.REPOSITORY, files: Files | None = None
) -> PolicySet:
    """Every policy in a text of one or more documents, separated by ``---``; what is broken is kept as such."""
    policies: list[Policy] = []
    broken: list[BrokenPolicy] = []
    for part in _documents(text):
        kind = ""
        try:
            document = yamltext.load(part, name=name)
            kind = _kind_of(document)
            policies.append(_policy(Source(part, document, files or {}), kind, len(policies), origin))
        except Problems as e:
            broken.append(BrokenPolicy(tuple(e.problems), kind, origin))
    if not policies and not broken:
        nothing = Problem(name, 1, "the file holds no policy", "write one, or remove the file")
        broken.append(BrokenPolicy((nothing,), "", origin))
    return PolicySet(tuple(policies), tuple(broken))


def problems_in(content: str | bytes, *, name: str, files: Files | None = None) -> list[Problem]:
    """Everything that is wrong in one policy file; ``.policy.yml`` is read as policy-bot reads it."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [Problem(name, 0, "not UTF-8 text", "save the file as UTF-8")]
    if posixpath.basename(name) == POLICY_BOT_FILE:
        return approval_policy.problems_in(text, name)
    return [p for broken in parse_policies(text, name, files=files).broken for p in broken.problems]


@lru_cache(maxsize=8192)
def _parse_remembered(text: str, name: str, origin: Origin) -> PolicySet:
    return parse_policies(text, name, origin=origin)


def read_folder(files: Files, origin: Origin) -> PolicySet:
    """Every policy of a folder: path → text, of which ``.yml`` and ``.yaml`` are policies (``.test.yml`` are not)."""
    found: list[PolicySet] = []
    for path in sorted(files):
        if is_policy_file(path):
            refers = "ics:" in files[path]
            found.append(
                parse_policies(files[path], path, origin=origin, files=files)
                if refers
                else _parse_remembered(files[path], path, origin)
            )
    policies = tuple(p for s in found for p in s.policies)
    return PolicySet(policies, (*(b for s in found for b in s.broken), *_twice(policies)))


def is_policy_file(path: str) -> bool:
    """Whether a file of a policy folder holds policies, by its name."""
    return path.endswith((".yml", ".yaml")) and not path.endswith((".test.yml", ".test.yaml"))


def _twice(policies: tuple[Policy, ...]) -> Iterator[BrokenPolicy]:
    """Build profiles are asked for by name, so that no two may share one; other names are only for sentences."""
    seen: dict[str, Policy] = {}
    for policy in (p for p in policies if p.kind == "BuildProfile"):
        first = seen.setdefault(policy.name, policy)
        if first is not policy:
            message = f"a build profile called {policy.name!r} is already at {first.where}"
            problem = Problem(policy.file, policy.line, message, "give each a name of its own: `name:`")
            yield BrokenPolicy((problem,), policy.kind, policy.origin)


def _documents(text: str) -> Iterator[str]:
    """The documents of a text, each behind as many empty lines as stand before it, so that line numbers stay true."""
    if len(text) > yamltext.MAX_BYTES:
        yield text  # refused by load(), with its own sentence
        return
    starts = [0, *(m.end() for m in _SEPARATOR.finditer(text))]
    ends = [*(m.start() for m in _SEPARATOR.finditer(text)), len(text)]
    for start, end in zip(starts, ends, strict=True):
        part = text[start:end]
        if any(line.strip() and not line.lstrip().startswith("#") for line in part.splitlines()):
            yield "\n" * text.count("\n", 0, start) + part


def _kind_of(document: Document) -> str:
    if not isinstance(document.data, dict):
        raise Problems([document.problem((), "a policy is a map of keys to values", "begin with `kind:`")])
    kind = document.data.get("kind")
    known = ", ".join(KINDS)
    if kind is None:
        raise Problems([document.problem((), "`kind` is missing", f"add kind: with one of {known}")])
    if not isinstance(kind, str) or kind not in KINDS:
        close = difflib.get_close_matches(str(kind), KINDS, n=1)
        fix = f"did you mean `{close[0]}`?" if close else f"write one of {known}"
        raise Problems([document.problem(("kind",), f"`kind`: {str(kind)[:60]!r} is not a kind of policy", fix)])
    return kind


def _policy(source: Source, kind: str, index: int, origin: Origin) -> Policy:
    document = source.document
    problems = []
    for key in ("name", "description"):
        value = document.data.get(key, "")
        if not isinstance(value, str) or len(value) > 200:
            problems.append(document.problem((key,), f"`{key}`: must be text of at most 200 characters", "shorten it"))
    try:
        body = KINDS[kind].read(source)
    except Problems as e:
        raise Problems([*problems, *e.problems]) from None
    if problems:
        raise Problems(problems)
    stem = posixpath.basename(document.name).rsplit(".", 1)[0]
    name = document.data.get("name") or (f"{stem} ({index + 1})" if index else stem)
    return Policy(kind, name, body, document.name, document.line(("kind",)), origin, body.scope)
