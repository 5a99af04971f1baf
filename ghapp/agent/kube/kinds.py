"""Which kinds a cluster serves, under which paths: asked once per group and version, only for those that are needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ghapp.agent.kube.client import Kube, escaped
from ghapp.agent.kube.errors import ApiError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the cluster serves it. ``version`` is the one the manifest asked for."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection(self, namespace: str = "") -> str:
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{escaped(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        return f"{self.collection(namespace)}/{escaped(name)}"


def split(api_version: str) -> tuple[str, str]:
    """``apps/v1`` → ``("apps", "v1")``; ``v1`` → ``("", "v1")``."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", group)


class Kinds:
    """What the cluster serves, as far as anyone asked."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._known: dict[tuple[str, str], Kind] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind, or ``None`` where the cluster does not serve it (now)."""
        found = self._known.get((api_version, kind))
        if found is None:
            if api_version not in self._asked:
                self._asked[api_version] = asyncio.ensure_future(self._ask(api_version))
            try:
                await asyncio.shield(self._asked[api_version])
            except BaseException:
                self._asked.pop(api_version, None)
                raise
            found = self._known.get((api_version, kind))
        return found

    def known(self, api_version: str, kind: str) -> Kind | None:
        """The kind, if it was found before."""
        return self._known.get((api_version, kind))

    def forget(self, api_version: str) -> None:
        """Ask again next time: a definition came or went."""
        self._asked.pop(api_version, None)
        for key in [k for k in self._known if k[0] == api_version]:
            del self._known[key]

    def add(self, kind: Kind) -> None:
        """Take a kind's word for it: its definition stands beside the objects that need it."""
        self._known.setdefault((kind.api_version, kind.name), kind)

    async def _ask(self, api_version: str) -> None:
        group, version = split(api_version)
        path = f"/apis/{escaped(group)}/{escaped(version)}" if group else f"/api/{escaped(version)}"
        try:
            answer = await self._kube.get(path)
        except ApiError as e:
            if e.code == 503:
                answer = None  # an aggregated API whose server is away: as good as not there
            else:
                raise
        for resource in (answer or {}).get("resources") or ():
            if "/" not in resource["name"]:
                kind = Kind(group, version, resource["kind"], resource["name"], bool(resource["namespaced"]))
                self._known[api_version, kind.name] = kind
