"""What a client sent, checked against where it sent it and turned into what the server holds. Stores nothing."""

from __future__ import annotations

from ghapp.sandbox.cluster import custom, decode, errors, fitting
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Write


def blank(resource: Resource) -> Object:
    """An object of a kind before anybody wrote anything into it."""
    return {} if resource.custom else decode.typed({}, resource.type)


def decoded(resource: Resource, given: Object, write: Write) -> Object:
    """An object that came by POST, PUT or patch. Never changes ``given``. Raises ApiError 400."""
    unknown: list[str] = []
    try:
        result = _typed(resource, given, unknown)
    except decode.WrongType as e:
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {e}'
        ) from None
    _report(unknown, write)
    return ordered({**result, "apiVersion": resource.api_version, "kind": resource.kind})


def merged(resource: Resource, given: Object, namespace: str, name: str) -> Object:
    """An object that came out of an apply. Raises ApiError 500: an apply's types were checked before."""
    try:
        return ordered(_typed(resource, given, []))
    except decode.WrongType as e:
        where = f"{namespace}/{name}; {_kind(resource)}"
        raise errors.internal(
            f"failed to convert new object ({where}) to proper version ({resource.api_version}): {e}"
        ) from None


def _typed(resource: Resource, given: Object, unknown: list[str]) -> Object:
    return custom.decoded(given, resource, unknown) if resource.custom else decode.typed(given, resource.type, unknown)


def check_configuration(resource: Resource, namespace: str, name: str, config: Object) -> None:
    """Refuse a configuration that cannot be applied at its path; fills in its name. Raises ApiError 400 and 500."""
    version = config.get("apiVersion")
    if version != resource.api_version:
        raise errors.bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {resource.api_version}"
        )
    if config.get("kind") != resource.kind:
        raise errors.bad_request(
            f'{config.get("kind")} in version "{resource.version}" cannot be handled as a {resource.kind}'
        )
    if not isinstance(config.get("metadata"), dict):
        config["metadata"] = {}
    meta = config["metadata"]
    if meta.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    place(resource, namespace, name, meta)
    wrong = list(fitting.problems(config, resource.type))
    if wrong:
        said = wrong[0] if len(wrong) == 1 else "errors:\n" + "\n".join(f"  {w}" for w in wrong)
        where = f"{namespace}/{name}; {_kind(resource)}"
        raise errors.internal(f"failed to create typed patch object ({where}): {said}")


def place(resource: Resource, namespace: str, name: str, meta: Object) -> None:
    """Settle name and namespace of an object that is written at a path. Raises ApiError 400 where they contradict."""
    if name and meta.setdefault("name", name) != name:
        raise errors.bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    if not resource.namespaced:
        meta.pop("namespace", None)
        return
    if meta.get("namespace", namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    meta["namespace"] = namespace


def ordered(obj: Object) -> Object:
    """kind, apiVersion and metadata first, as the server writes them; lists cut the first two off."""
    head = {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), "metadata": obj.get("metadata") or {}}
    return {**head, **{k: v for k, v in obj.items() if k not in head}}


def _kind(resource: Resource) -> str:
    return f"{resource.api_version}, Kind={resource.kind}"


def _report(unknown: list[str], write: Write) -> None:
    if not unknown or write.validation == "Ignore":
        return
    said = [f'unknown field "{path}"' for path in unknown]
    if write.validation == "Strict":
        raise errors.bad_request(f"strict decoding error: {', '.join(said)}")
    write.warnings.extend(said)
