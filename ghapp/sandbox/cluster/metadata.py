"""The part of an object that every kind has: names, labels, annotations, owners, and what only the server sets."""

from __future__ import annotations

import re
from typing import Any

from ghapp.sandbox.cluster.errors import Cause, field_forbidden, required, wrong
from ghapp.sandbox.cluster.types import Object

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z")

# Kinds whose names are labels rather than subdomains, and those that may be almost anything in a path.
_LABEL_NAMES = {"Namespace"}
_LABEL_1035_NAMES: set[str] = set()
_PATH_NAMES = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}

_SERVER_SET = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
_ANNOTATIONS_LIMIT = 256 * 1024

SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)

# Names without a slash that are finalizers all the same; the last one is what the API server holds definitions by.
_UNQUALIFIED_FINALIZERS = (
    "orphan",
    "foregroundDeletion",
    "kubernetes",
    "customresourcecleanup.apiextensions.k8s.io",
)


def keep(meta: Object, current: Object) -> None:
    """Put back what only the server sets; the given resourceVersion has been checked and is dropped."""
    for name in _SERVER_SET:
        if name in current:
            meta[name] = current[name]
        else:
            meta.pop(name, None)
    meta.pop("resourceVersion", None)


def problems(meta: Object, kind: str) -> list[Cause]:
    """What is wrong with an object's metadata."""
    found = _name_problems(meta.get("name", ""), kind, bool(meta.get("generateName")))
    labels = meta.get("labels") or {}
    for key, value in labels.items():
        found += qualified_name(key, "metadata.labels")
        if len(value) > 63 or not _VALUE.match(value):
            rule = "must be no more than 63 bytes" if len(value) > 63 else _VALUE_RULE
            found.append(wrong("metadata.labels", value, rule))
    annotations = meta.get("annotations") or {}
    size = 0
    for key, value in annotations.items():
        found += qualified_name(key.lower(), "metadata.annotations")
        size += len(key) + len(value.encode())
    if size > _ANNOTATIONS_LIMIT:
        message = "Too long: may not be more than 262144 bytes"
        found.append(Cause("metadata.annotations", message, "FieldValueTooLong"))
    for index, owner in enumerate(meta.get("ownerReferences") or ()):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                found.append(wrong(f"metadata.ownerReferences[{index}].{name}", "", f"{name} must not be empty"))
    for finalizer in meta.get("finalizers") or ():
        if "/" not in finalizer and finalizer not in _UNQUALIFIED_FINALIZERS:
            found.append(
                wrong(
                    "metadata.finalizers",
                    finalizer,
                    "name is neither a standard finalizer name nor is it fully qualified",
                )
            )
    return found


def _name_problems(name: str, kind: str, generated: bool) -> list[Cause]:
    if not name:
        return [required("metadata.name", "" if generated else "name or generateName is required")]
    if kind in _PATH_NAMES:
        if name in (".", "..") or "/" in name or "%" in name:
            return [wrong("metadata.name", name, "may not contain '/' or '%'")]
        return []
    if kind in _LABEL_NAMES:
        if len(name) > 63:
            return [wrong("metadata.name", name, "must be no more than 63 bytes")]
        return [] if _LABEL.match(name) else [wrong("metadata.name", name, LABEL_RULE)]
    if kind == "Service":
        if len(name) > 63:
            return [wrong("metadata.name", name, "must be no more than 63 bytes")]
        return [] if _LABEL_1035.match(name) else [wrong("metadata.name", name, _RULE_1035)]
    if len(name) > 253:
        return [wrong("metadata.name", name, "must be no more than 253 bytes")]
    return [] if _SUBDOMAIN.match(name) else [wrong("metadata.name", name, SUBDOMAIN_RULE)]


_RULE_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def qualified_name(key: str, path: str) -> list[Cause]:
    """What is wrong with a label's or annotation's key."""
    prefix, slash, name = key.rpartition("/")
    if slash and not _SUBDOMAIN.match(prefix):
        return [wrong(path, key, f"prefix part {SUBDOMAIN_RULE}")]
    if not name:
        return [wrong(path, key, "name part must be non-empty")]
    if len(name) > 63:
        return [wrong(path, key, "name part must be no more than 63 bytes")]
    return [] if _QUALIFIED.match(name) else [wrong(path, key, _NAME_RULE)]


def change_problems(new: Object, old: Object) -> list[Cause]:
    """What may not change in metadata."""
    if old.get("deletionTimestamp"):
        added = [f for f in new.get("finalizers") or () if f not in (old.get("finalizers") or ())]
        if added:
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            return [field_forbidden("metadata.finalizers", f"{why} []string{_go(added)}")]
    return []


def _go(values: list[Any]) -> str:
    return "{" + ", ".join(f'"{v}"' for v in values) + "}"


def is_label(text: str) -> bool:
    return len(text) <= 63 and bool(_LABEL.match(text))


def is_subdomain(text: str) -> bool:
    return len(text) <= 253 and bool(_SUBDOMAIN.match(text))
