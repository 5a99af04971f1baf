"""Step 6, normalise: from a parsed document to exactly what is sent to the API server.

Folds ``stringData``, drops what a server writes, labels every member, and refuses what could not work or would be
dangerous, before anything is sent. Pure; mutates nothing it was given.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ghapp.agent import names
from ghapp.agent.kube.body import encode
from ghapp.agent.kube.kinds import Kind, split
from ghapp.agent.objects import Desired, Key

_SERVER_SIDE = ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")
_SERVER_SIDE_TOO = ("selfLink", "deletionGracePeriodSeconds")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")


class Refused(ValueError):
    """A document that is not applied; ``object`` names it as well as it can be named."""

    def __init__(self, what: str, message: str) -> None:
        self.object, self.message = what, message
        super().__init__(f"{what}: {message}")


def flatten(document: Any, source: str) -> Iterator[dict[str, Any]]:
    """The objects of a document: itself, or the items of a list. Raises :class:`Refused`."""
    if not isinstance(document, dict):
        raise Refused(source, "is not a Kubernetes object; a manifest is a map with apiVersion, kind and metadata")
    kind, items = document.get("kind"), document.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for item in items:
            yield from flatten(item, source)
        return
    check(document, source)
    yield document


def check(document: dict[str, Any], source: str) -> None:
    """Refuse an object without an identity. Raises :class:`Refused`."""
    meta = document.get("metadata")
    if not isinstance(meta, dict):
        meta = {}
    shown = f"{document.get('kind') or 'an object'} {meta.get('name') or ''}".strip()
    where = f"{shown} ({source})"
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise Refused(where, f"has no {field}; every manifest needs one")
    name = meta.get("name")
    if not isinstance(name, str) or not name:
        hint = "generateName would make a new object each time" if meta.get("generateName") else "give it a fixed name"
        raise Refused(where, f"has no metadata.name; {hint}")
    if name in (".", "..") or "/" in name or "%" in name:
        raise Refused(where, "has a name that cannot stand in a path")
    for field in ("labels", "annotations"):
        value = meta.get(field)
        if value is not None and not isinstance(value, dict):
            raise Refused(where, f"metadata.{field} must be a map")
        wrong = next((k for k, v in (value or {}).items() if v is not None and not isinstance(v, str)), None)
        if wrong is not None:
            raise Refused(where, f"metadata.{field}.{wrong} must be a string; quote it")


def label_of(app: str) -> str:
    """The label value for an app. Raises :class:`Refused` where its folder's name cannot be one."""
    if not _LABEL.match(app):
        raise Refused(f"{app}/", "is not a name for an app: use at most 63 letters, digits, dots, dashes, underscores")
    return app


def normalise(document: dict[str, Any], kind: Kind, app: str, source: str, namespace: str) -> Desired:
    """What is sent for a document that :func:`check` let pass. ``namespace`` is where an object without one goes.

    Raises :class:`Refused`.
    """
    obj = {k: v for k, v in document.items() if k != "status"}
    meta = {k: v for k, v in obj["metadata"].items() if k not in _SERVER_SIDE and k not in _SERVER_SIDE_TOO}
    obj["metadata"] = meta
    home = str(meta.get("namespace") or namespace) if kind.namespaced else ""
    key = Key(kind.group, kind.name, home, meta["name"])
    if kind.namespaced:
        meta["namespace"] = home
    else:
        meta.pop("namespace", None)
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if v is not None}
    _word(annotations, names.PRUNE, ("keep", "confirm"), str(key))
    meta["labels"] = {**(meta.get("labels") or {}), names.LABEL_APP: app}
    # An empty or null map of annotations makes the next, equal apply move the resourceVersion.
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations
    if (kind.group, kind.name) == ("", "Secret"):
        _fold_secret(obj, str(key))
    if kind.name == "CustomResourceDefinition":
        _strip_authority(obj)
    try:
        body = encode(obj)
    except TypeError as e:
        raise Refused(str(key), f"cannot be said in JSON: {e}") from None
    return Desired(
        key=key,
        kind=kind,
        app=app,
        body=body,
        digest=hashlib.sha256(body).hexdigest()[:16],
        source=source,
        wave=_wave(annotations, str(key)),
        once=_word(annotations, names.APPLY, ("once",), str(key)) == "once",
        recreate=_word(annotations, names.IMMUTABLE, ("recreate",), str(key)) == "recreate",
        expires=kind.name == "Job" and isinstance(obj.get("spec"), dict) and "ttlSecondsAfterFinished" in obj["spec"],
        ignore=_pointers(annotations, str(key)),
    )


def _wave(annotations: dict[str, str], what: str) -> int:
    text = annotations.get(names.WAVE, "0")
    try:
        return int(text)
    except ValueError:
        raise Refused(what, f'{names.WAVE} is {text!r}; it must be a whole number, such as "1"') from None


def _word(annotations: dict[str, str], name: str, allowed: tuple[str, ...], what: str) -> str:
    value = annotations.get(name, "")
    if value and value not in allowed:
        raise Refused(what, f"{name} is {value!r}; it can be {' or '.join(allowed)}")
    return value


def _pointers(annotations: dict[str, str], what: str) -> tuple[str, ...]:
    pointers = tuple(p for p in (s.strip() for s in annotations.get(names.IGNORE, "").split(",")) if p)
    for pointer in pointers:
        if not pointer.startswith("/") or len(pointer) < 2:
            raise Refused(what, f"{names.IGNORE}: {pointer!r} is not a JSON pointer, such as /spec/replicas")
        if pointer.split("/")[1] in ("apiVersion", "kind") or pointer in ("/metadata", "/metadata/name"):
            raise Refused(what, f"{names.IGNORE}: {pointer} is what the object is known by")
    return pointers


def _fold_secret(obj: dict[str, Any], what: str) -> None:
    """``stringData`` into ``data``, as the API server would; values are checked here so that none is ever echoed."""
    if "sops" in obj:
        raise Refused(what, "still carries `sops`: it is encrypted, and applying it would publish the ciphertext")
    for field in ("data", "stringData"):
        value = obj.get(field)
        if value is not None and not isinstance(value, dict):
            raise Refused(what, f"{field} must be a map")
    data = dict(obj.get("data") or {})
    for name, value in data.items():
        if value is None:
            data[name] = ""
        elif not isinstance(value, str):
            raise Refused(what, f"data.{name} must be a base64 string; quote it")
        else:
            try:
                base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                raise Refused(what, f"data.{name} is not base64; encode it, or use stringData") from None
    for name, value in (obj.pop("stringData", None) or {}).items():
        if value is not None and not isinstance(value, str):
            raise Refused(what, f"stringData.{name} must be a string; quote it")
        data[name] = base64.b64encode((value or "").encode("utf-8", "surrogatepass")).decode()
    if data or "data" in obj:
        obj["data"] = data


def _strip_authority(obj: dict[str, Any]) -> None:
    """A ``caBundle`` that is no certificate is accepted by the API server, and the definition never established."""
    spec = obj.get("spec")
    webhook = ((spec.get("conversion") or {}).get("webhook") or {}) if isinstance(spec, dict) else {}
    client = webhook.get("clientConfig") if isinstance(webhook, dict) else None
    if not isinstance(spec, dict) or not isinstance(client, dict) or "caBundle" not in client:
        return
    if not _certificates(client["caBundle"]):
        kept = {k: v for k, v in client.items() if k != "caBundle"}
        conversion = {**spec["conversion"], "webhook": {**webhook, "clientConfig": kept}}
        obj["spec"] = {**spec, "conversion": conversion}


def _certificates(bundle: Any) -> bool:
    from cryptography import x509

    try:
        return bool(x509.load_pem_x509_certificates(base64.b64decode(str(bundle), validate=True)))
    except (ValueError, binascii.Error):
        return False


def defined(documents: Iterable[dict[str, Any]]) -> Iterator[Kind]:
    """The kinds that the CustomResourceDefinitions among these documents define."""
    for document in documents:
        if document.get("kind") != "CustomResourceDefinition":
            continue
        if split(str(document.get("apiVersion")))[0] != "apiextensions.k8s.io":
            continue
        spec = document.get("spec")
        spec = spec if isinstance(spec, dict) else {}
        said: Any = spec.get("names") if isinstance(spec.get("names"), dict) else {}
        for version in spec.get("versions") or ():
            if isinstance(version, dict) and version.get("served", True) and said.get("kind") and said.get("plural"):
                yield Kind(
                    str(spec.get("group")),
                    str(version.get("name")),
                    str(said["kind"]),
                    str(said["plural"]),
                    spec.get("scope") == "Namespaced",
                )


def secret_values(body: bytes) -> list[str]:
    """Every value of a Secret in the forms in which a message could show it."""
    import orjson

    found = []
    for value in (orjson.loads(body).get("data") or {}).values():
        found.append(value)
        plain = base64.b64decode(value).decode("utf-8", "replace")
        found += [plain, *plain.splitlines()]
    return found
