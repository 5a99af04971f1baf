"""From the text of a policy file to a policy, or to everything that is wrong with it: file, line, key, and the fix.

Never answers with half a policy: what cannot be read whole is not a policy.
"""

from __future__ import annotations

import functools
from typing import Any

from policies.approval.nodes import Node, first_document
from policies.approval.predicates import registry
from policies.approval.rules import POLICY, REMOTE, Both, Disapproval, Policy, Requirement, Rule
from policies.approval.shapes import Given, Reader
from policies.yamltext import Problem, Problems

MAX_DEPTH = 10  # of operators and rules below the top list, which is an `and` itself


_REMEMBERED = 50_000  # characters; policies are far smaller, and what is not must not fill the memory


def parse(text: str, name: str = ".policy.yml") -> Policy:
    """Read a policy; ``name`` is what messages call the file. Raises :class:`Problems`.

    An empty file is a policy that asks for nothing.
    """
    return _remembered(text, name) if len(text) <= _REMEMBERED else _parse(text, name)


@functools.lru_cache(maxsize=512)
def _remembered(text: str, name: str) -> Policy:
    return _parse(text, name)


def _parse(text: str, name: str) -> Policy:
    document = first_document(text, name)
    reader = Reader(name)
    values = POLICY.read(reader, document, None) if document is not None else {}
    if reader.problems:
        raise Problems(reader.problems)
    rules = _rules(values, reader, document)
    policy = values.get("policy") or {}
    approval = _approval(policy.get("approval") or [], rules, reader)
    if reader.problems:
        raise Problems(reader.problems)
    disapproval = Disapproval.of(policy.get("disapproval"))
    methods = [*(rule.options.methods for rule in rules.values()), disapproval.disapprove, disapproval.revoke]
    predicates = [p for rule in rules.values() for p in (*rule.when, *rule.conditions)] + [*disapproval.when]
    return Policy(
        approval=approval,
        disapproval=disapproval,
        rules=tuple(rules.values()),
        name=name,
        path_patterns=tuple(dict.fromkeys(registry.path_patterns(tuple(predicates)))),
        text_patterns=tuple(dict.fromkeys(pattern for m in methods for pattern in m.comment_patterns.sources)),
    )


def remote_of(text: str, name: str = ".policy.yml") -> dict[str, str] | None:
    """``remote``, ``path`` and ``ref`` of a file that points to a policy elsewhere; ``None`` for any other text."""
    try:
        document = first_document(text, name)
        if document is None or not any(key.text in ("remote", "<<") for key in document.children[::2]):
            return None
        reader = Reader(name)
        values = REMOTE.read(reader, document, None)
    except Problems:
        return None
    if reader.problems or values.get("remote") is None:
        return None
    return {key: values.get(key) or "" for key in ("remote", "path", "ref")}


def _rules(values: dict[str, Any], reader: Reader, document: Node | None) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    lines = _rule_lines(document)
    for i, given in enumerate(values.get("approval_rules") or ()):
        line = lines[i] if i < len(lines) else 0
        if given is None:
            message = f"`approval_rules[{i}]` is empty"
            reader.problems.append(Problem(reader.name, line, message, "give it a name, or remove it"))
            continue
        rule = Rule.of(given, line)
        rules[rule.name] = rule  # of two rules with one name the later stands
    return rules


def _rule_lines(document: Node | None) -> list[int]:
    pairs = zip(document.children[::2], document.children[1::2], strict=True) if document is not None else ()
    return [item.line for key, value in pairs if key.text == "approval_rules" for item in value.children]


def _approval(given: list[Given], rules: dict[str, Rule], reader: Reader) -> Requirement | None:
    children = tuple(_requirement(child, rules, reader, 1) for child in given)
    return Both("and", children) if children else None


_NOTHING = Rule("")  # stands where a problem was found; never judged, for a policy with problems is not one


def _requirement(given: Given, rules: dict[str, Rule], reader: Reader, depth: int) -> Requirement:
    if depth > MAX_DEPTH:
        reader.refuse(given.node, f"operators are nested more than {MAX_DEPTH - 1} deep", "flatten the policy")
        return _NOTHING
    value = given.value
    if isinstance(value, str):
        if value not in rules:
            known = ", ".join(f"`{name}`" for name in rules) or "none"
            reader.refuse(given.node, f"there is no rule named `{value}`", f"rules here: {known}")
        return rules.get(value, _NOTHING)
    if not isinstance(value, dict):
        what = "a list" if isinstance(value, list) else f"`{given.node.text}`"
        fix = "quote the name" if value is not None and not isinstance(value, list) else "write a rule's name"
        reader.refuse(given.node, f"expected a rule's name, `and` or `or`, found {what}", fix)
        return _NOTHING
    if len(value) != 1 or next(iter(value)) not in ("and", "or"):
        keys = ", ".join(f"`{key}`" for key in value) or "nothing"
        reader.refuse(given.node, f"expected the one key `and` or `or`, found {keys}", "indent or split the entry")
        return _NOTHING
    operator, below = next(iter(value.items()))
    if not isinstance(below.value, list) or not below.value:
        reader.refuse(below.node, f"`{operator}` needs a list with at least one entry", "name a rule")
        return _NOTHING
    return Both(operator, tuple(_requirement(child, rules, reader, depth + 1) for child in below.value))
