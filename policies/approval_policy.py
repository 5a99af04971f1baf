"""The body of ``kind: Approval``: the policy-bot language under the envelope that every policy here has.

Reads by :mod:`policies.approval`, which owns the language; adds nothing to it but where the policy applies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from policies.approval.parse import parse
from policies.approval.rules import POLICY, REQUIREMENT_SCHEMA
from policies.approval.rules import Policy as Rules
from policies.scope import Scope
from policies.strict import Block, validate
from policies.yamltext import Document, Problem, Problems

if TYPE_CHECKING:
    from policies.kinds import Source

_ENVELOPE = ("kind", "name", "description", "scope")


class _Where(Block):
    scope: Scope = Scope()


@dataclass(frozen=True)
class ApprovalPolicy:
    """Rules in the policy-bot language, and where they apply."""

    rules: Rules
    scope: Scope


def read(source: Source) -> ApprovalPolicy:
    """The rules of a document. Raises :class:`Problems`."""
    document = source.document
    others = [key for key in document.data if key not in _ENVELOPE]
    scope = validate(_Where, document, without=[*others, "kind", "name", "description"]).scope
    return ApprovalPolicy(parse(_without_envelope(source.text, document), document.name), scope)


def _without_envelope(text: str, document: Document) -> str:
    """The text with the envelope's lines emptied, so that the rest is a policy-bot file with its line numbers."""
    lines = text.splitlines()
    starts = sorted((document.line((key,)), key) for key in document.data)
    if len({line for line, _ in starts}) < len(starts):
        fix = "write each key on a line of its own"
        raise Problems([document.problem((), "several keys stand on one line", fix)])
    ends = [line for line, _ in starts[1:]] + [len(lines) + 1]
    for (start, key), end in zip(starts, ends, strict=True):
        if key in _ENVELOPE:
            lines[start - 1 : end - 1] = [""] * (end - start)
    return "\n".join(lines)


def problems_in(text: str, name: str) -> list[Problem]:
    """What is wrong in a ``.policy.yml``."""
    try:
        parse(text, name)
    except Problems as e:
        return list(e.problems)
    return []


def schema() -> dict[str, Any]:
    """The JSON Schema of the body."""
    where = _Where.model_json_schema()
    rules = POLICY.schema()
    return {
        **rules,
        "properties": {**rules.get("properties", {}), **where["properties"]},
        "$defs": {"requirement": REQUIREMENT_SCHEMA, **where["$defs"]},
    }
