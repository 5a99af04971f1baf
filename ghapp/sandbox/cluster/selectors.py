"""Label and field selectors, as LIST, WATCH and DELETE of collections take them.

A selector is parsed once into a function of an object; what is malformed is refused with the server's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ghapp.sandbox.cluster.errors import bad_request
from ghapp.sandbox.cluster.types import Object

Matcher = Callable[[Object], bool]

_SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*(?:,|\Z)")
_ONE = re.compile(r"\s*(?P<key>[^\s!=,()<>]+)\s*(?P<op>==|=|!=|>|<)\s*(?P<value>[^\s,()]*)\s*(?:,|\Z)")
_HAS = re.compile(r"\s*(?P<no>!)?\s*(?P<key>[^\s!=,()]+)\s*(?:,|\Z)")

_FIELDS: dict[str, frozenset[str]] = {
    "Pod": frozenset(
        {"status.phase", "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName",
         "status.podIP", "status.nominatedNodeName"}
    ),
    "Event": frozenset(
        {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
         "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
         "reportingComponent", "source", "type"}
    ),
    "Secret": frozenset({"type"}),
    "Namespace": frozenset({"status.phase"}),
    "Node": frozenset({"spec.unschedulable"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "ReplicationController": frozenset({"status.replicas"}),
    "Job": frozenset({"status.successful"}),
    "CertificateSigningRequest": frozenset({"spec.signerName"}),
}  # fmt: skip


def labels(selector: str) -> Callable[[dict[str, str]], bool] | None:
    """A predicate on labels, or None for the selector that selects everything."""
    if not selector.strip():
        return None
    checks: list[Callable[[dict[str, str]], bool]] = []
    at = 0
    while at < len(selector):
        for pattern in (_SET, _ONE, _HAS):
            if match := pattern.match(selector, at):
                checks.append(_check(match.groupdict()))
                at = match.end()
                break
        else:
            raise bad_request(
                f"unable to parse requirement: found '{selector[at:].strip()[:40]}', expected: !, identifier, or \",\""
            )
    return lambda found: all(check(found) for check in checks)


def _check(parts: dict[str, Any]) -> Callable[[dict[str, str]], bool]:
    key, op = parts["key"], parts.get("op")
    if op in ("in", "notin"):
        values = {v.strip() for v in parts["values"].split(",")}
        return (lambda f: f.get(key) in values) if op == "in" else (lambda f: f.get(key) not in values)
    if op in ("=", "=="):
        return lambda f: f.get(key) == parts["value"]
    if op == "!=":
        return lambda f: f.get(key) != parts["value"]
    if op in ("<", ">"):
        limit = int(parts["value"]) if parts["value"].lstrip("-").isdigit() else 0
        return lambda f: (
            _number(f.get(key)) is not None
            and (
                _number(f[key]) > limit if op == ">" else _number(f[key]) < limit  # type: ignore[operator]
            )
        )
    return (lambda f: key not in f) if parts.get("no") else (lambda f: key in f)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.lstrip("-").isdigit() else None


def of_label_selector(selector: dict[str, Any]) -> Callable[[dict[str, str]], bool]:
    """A predicate from a LabelSelector object: ``matchLabels`` and ``matchExpressions``."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []

    def matches(found: dict[str, str]) -> bool:
        if any(found.get(k) != v for k, v in wanted.items()):
            return False
        for e in expressions:
            key, op, values = e.get("key"), e.get("operator"), e.get("values") or []
            ok = {
                "In": found.get(key) in values,
                "NotIn": found.get(key) not in values,
                "Exists": key in found,
                "DoesNotExist": key not in found,
            }.get(op, False)
            if not ok:
                return False
        return True

    return matches


def fields(selector: str, kind: str) -> Matcher | None:
    """A predicate on objects of ``kind``, or None for everything. Refuses fields that the kind does not select by."""
    checks: list[tuple[list[str], str, bool]] = []
    for term in filter(None, (t.strip() for t in selector.split(","))):
        name, negated, value = _term(term, selector)
        if name not in ("metadata.name", "metadata.namespace") and name not in _FIELDS.get(kind, ()):
            raise bad_request(
                f'Unable to find "{kind}" that match label selector "", field selector "{selector}": '
                f"field label not supported: {name}"
            )
        checks.append((name.split("."), value, negated))
    if not checks:
        return None
    return lambda o: all((str(_at(o, path)) == value) != negated for path, value, negated in checks)


def _term(term: str, selector: str) -> tuple[str, bool, str]:
    for op, negated in (("!=", True), ("==", False), ("=", False)):
        name, found, value = term.partition(op)
        if found:
            return name.strip(), negated, value.strip()
    raise bad_request(f"invalid field selector: '{selector}'; can't understand '{term}'")


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else value


def matcher(label_selector: str, field_selector: str, kind: str) -> Matcher | None:
    """Both selectors together, or None when neither restricts anything."""
    by_labels, by_fields = labels(label_selector), fields(field_selector, kind)
    if by_labels is None:
        return by_fields
    if by_fields is None:
        return lambda o: by_labels(o["metadata"].get("labels") or {})
    return lambda o: by_labels(o["metadata"].get("labels") or {}) and by_fields(o)
