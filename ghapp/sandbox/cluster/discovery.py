"""What the cluster serves, told to clients: versions, groups, resources, plain and aggregated."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.kinds import Kinds, Resource
from ghapp.sandbox.cluster.types import Object

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+ghapp-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "sandbox",
}
_AGGREGATED = "apidiscovery.k8s.io"


def wants_aggregated(accept: str) -> str:
    """The version of aggregated discovery that an Accept header asks for, or ""."""
    if _AGGREGATED not in accept or "APIGroupDiscoveryList" not in accept:
        return ""
    return "v2" if "v=v2;" in accept + ";" or "v=v2," in accept else "v2beta1"


def core_versions() -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _versions(resources: Iterable[Resource]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for r in resources:
        versions = found.setdefault(r.group, [])
        if r.version not in versions:
            versions.append(r.version)
    return {group: sorted(versions, key=_preference) for group, versions in found.items()}


def _preference(version: str) -> tuple[int, str]:
    """Stable versions before betas before alphas."""
    return (2 if "alpha" in version else 1 if "beta" in version else 0, version)


def groups(kinds: Kinds) -> Object:
    named = [g for g in _versions(kinds.all()) if g]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(kinds, g, bare=True) for g in named]}


def group(kinds: Kinds, name: str, *, bare: bool = False) -> Object | None:
    versions = _versions(kinds.all()).get(name)
    if not versions or not name:
        return None
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    head = {} if bare else {"kind": "APIGroup", "apiVersion": "v1"}
    return {**head, "name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(kinds: Kinds, group: str, version: str) -> Object | None:
    """The APIResourceList of one group and version, or None where it is not served."""
    found = [r for r in kinds.all() if r.group == group and r.version == version]
    if not found:
        return None
    listed: list[Object] = []
    for r in found:
        entry: Object = {
            "name": r.plural,
            "singularName": r.singular,
            "namespaced": r.namespaced,
            "kind": r.kind,
            "verbs": list(r.verbs),
        }
        if r.short_names:
            entry["shortNames"] = list(r.short_names)
        if r.categories:
            entry["categories"] = list(r.categories)
        listed.append(entry)
        for name in r.subresources:
            kind, own_group, own_version, verbs = _subresource(r, name)
            below: Object = {
                "name": f"{r.plural}/{name}",
                "singularName": "",
                "namespaced": r.namespaced,
                "kind": kind,
                "verbs": verbs,
            }
            if own_version:
                below["group"], below["version"] = own_group, own_version
            listed.append(below)
    gv = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": listed}


def _subresource(r: Resource, name: str) -> tuple[str, str, str, list[str]]:
    """Kind, group and version (where they are others than the resource's) and verbs of a subresource."""
    if name == "scale":
        return "Scale", "autoscaling", "v1", ["get", "patch", "update"]
    if name == "log":
        return r.kind, "", "", ["get"]
    if name == "eviction":
        return "Eviction", "policy", "v1", ["create"]
    if name == "token":
        return "TokenRequest", "authentication.k8s.io", "v1", ["create"]
    if name == "finalize":
        return r.kind, "", "", ["update"]
    return r.kind, "", "", ["get", "patch", "update"]


def aggregated(kinds: Kinds, *, core: bool, version: str) -> Object:
    """All groups with all resources in one answer, as ``apidiscovery.k8s.io`` describes it."""
    items: list[Object] = []
    for name, versions in _versions(kinds.all()).items():
        if (name == "") != core:
            continue
        listed = [
            {
                "version": v,
                "resources": [_discovered(r) for r in kinds.all() if (r.group, r.version) == (name, v)],
                "freshness": "Current",
            }
            for v in versions
        ]
        meta: Object = {"creationTimestamp": None}
        if name:
            meta["name"] = name
        items.append({"metadata": meta, "versions": listed})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{_AGGREGATED}/{version}",
        "metadata": {},
        "items": items,
    }


def _discovered(r: Resource) -> Object:
    entry: Object = {
        "resource": r.plural,
        "responseKind": {"group": r.group, "version": r.version, "kind": r.kind},
        "scope": "Namespaced" if r.namespaced else "Cluster",
        "singularResource": r.singular,
        "verbs": list(r.verbs),
    }
    if r.short_names:
        entry["shortNames"] = list(r.short_names)
    if r.categories:
        entry["categories"] = list(r.categories)
    below = []
    for name in r.subresources:
        kind, group, version, verbs = _subresource(r, name)
        answer = {"group": group or r.group, "version": version or r.version, "kind": kind}
        below.append({"subresource": name, "responseKind": answer, "verbs": verbs})
    if below:
        entry["subresources"] = below
    return entry
