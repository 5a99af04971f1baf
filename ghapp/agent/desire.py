"""Steps 4 to 6 together: what each app wants, from its folder to normalised objects, or why that cannot be known.

An app with anything unreadable is held: nothing of it is applied and nothing pruned, and the other apps go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ghapp.agent import decrypt, normalise, plan, read, yamlfile
from ghapp.agent.environment import Environment
from ghapp.agent.kube.kinds import Kinds
from ghapp.agent.normalise import Refused
from ghapp.agent.objects import Desired, Failure, Key
from ghapp.agent.yamlfile import Unreadable
from ghapp.git import Git


@dataclass(frozen=True)
class App:
    """What an app wants. ``held``: it could not be read or verified, so nothing of it is touched.

    ``failures`` of an app that is not held are objects that cannot be applied, beside those that can. ``text`` is what
    a held app's files say, for finding the names in it.
    """

    name: str
    tree: str
    objects: tuple[Desired, ...] = field(default=(), repr=False)
    failures: tuple[Failure, ...] = ()
    held: bool = False
    text: bytes = field(default=b"", repr=False)

    def mentions(self, key: Key) -> bool:
        """Whether a held app may want an object: its files name it."""
        return self.held and (not self.text or key.name.encode() in self.text)


def held(folder_name: str, tree: str, what: str, message: str, text: bytes = b"") -> App:
    return App(folder_name, tree, failures=(Failure(what, message),), held=True, text=text)


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A document whose kind the cluster did not serve when it was read; a definition on the branch may bring it."""

    document: dict[str, Any]
    source: str


async def load(git: Git, folders: Sequence[read.Folder], kinds: Kinds, environment: Environment) -> dict[str, App]:
    """Read, decrypt and normalise apps."""
    contents = await asyncio.to_thread(read.collect, git, folders)
    loaded: dict[str, App] = {}
    unknown: dict[str, list[_Unknown]] = {}
    for folder in folders:
        found = contents[folder.app]
        if isinstance(found, Unreadable):
            loaded[folder.app] = held(folder.app, folder.tree, f"{folder.app}/", str(found))
            continue
        loaded[folder.app], unknown[folder.app] = await _app(folder, found, kinds, environment)
        contents[folder.app] = []  # thousands of files are not kept twice
    for app, documents in unknown.items():
        if documents and not loaded[app].held:
            loaded[app] = await _late(loaded[app], documents, kinds, environment)
    return loaded


async def _app(
    folder: read.Folder, files: Iterable[read.File], kinds: Kinds, environment: Environment
) -> tuple[App, list[_Unknown]]:
    objects: list[Desired] = []
    unknown: list[_Unknown] = []
    files, file = list(files), None
    try:
        app = normalise.label_of(folder.app)
        for file in files:
            for document in await documents_of(file):
                for one in normalise.flatten(document, file.name):
                    for kind in normalise.defined([one]):
                        kinds.add(kind)
                    found = await _normalised(one, file.name, app, kinds, environment)
                    if found is None:
                        unknown.append(_Unknown(one, file.name))
                    else:
                        objects.append(found)
        _refuse_twins(objects)
    except Refused as e:
        said = e.message if file is None or file.name in f"{e.object}{e.message}" else f"{e.message} ({file.name})"
        return held(folder.app, folder.tree, e.object, said, b"\n".join(f.content for f in files)), []
    except Unreadable as e:
        return held(folder.app, folder.tree, f"{folder.app}/", str(e), b"\n".join(f.content for f in files)), []
    return App(folder.app, folder.tree, tuple(plan.scaled(objects))), unknown


async def documents_of(file: read.File) -> list[Any]:
    """A file's documents, decrypted. Raises :class:`Unreadable`."""
    documents = yamlfile.load(file.content, file.name)
    if not decrypt.encrypted(documents):
        return documents
    plain = await asyncio.to_thread(decrypt.decrypt, file.content, file.name)
    return yamlfile.load(plain, file.name)


async def _normalised(
    document: dict[str, Any], source: str, app: str, kinds: Kinds, environment: Environment
) -> Desired | None:
    """``None`` where the cluster does not serve the kind. Raises :class:`Refused`."""
    kind = kinds.known(document["apiVersion"], document["kind"])
    if kind is None:
        kind = await kinds.find(document["apiVersion"], document["kind"])
    if kind is None:
        return None
    one = normalise.normalise(document, kind, app, source, environment.namespace)
    if environment.service_account and kind.namespaced and one.key.namespace != environment.namespace:
        raise Refused(
            str(one.key),
            f"lies in another namespace than {environment.namespace}; an environment with a service account of its own "
            "stays in its namespace",
        )
    return one


async def _late(app: App, documents: list[_Unknown], kinds: Kinds, environment: Environment) -> App:
    objects, failures = list(app.objects), list(app.failures)
    try:
        for one in documents:
            found = await _normalised(one.document, one.source, app.name, kinds, environment)
            if found is not None:
                objects.append(found)
                continue
            meta, kind, version = one.document["metadata"], one.document["kind"], one.document["apiVersion"]
            said = f"the cluster does not know the kind {kind} of {version}; install its definition, or add it here"
            place = f"{meta['namespace']}/" if meta.get("namespace") else ""
            failures.append(Failure(f"{kind} {place}{meta['name']}", f"{said} ({one.source})"))
        _refuse_twins(objects)
    except Refused as e:
        return held(app.name, app.tree, e.object, e.message)
    return App(app.name, app.tree, tuple(plan.scaled(objects)), tuple(failures))


def _refuse_twins(objects: Iterable[Desired]) -> None:
    seen: dict[Key, Desired] = {}
    for one in objects:
        if one.key in seen:
            first = seen[one.key].source
            places = first if first == one.source else f"{first} and {one.source}"
            raise Refused(str(one.key), f"is there twice, in {places}; remove one of them")
        seen[one.key] = one


def refuse_shared(apps: Mapping[str, App], owners: Mapping[Key, str]) -> dict[str, App]:
    """Hold every app that wants another app's object.

    ``owners`` says which app had an object so far; it keeps it while it is not in ``apps`` (its folder did not change)
    or still wants it. Else the first by name has it.
    """
    wanted: dict[Key, list[str]] = {}
    for name in sorted(apps):
        for one in apps[name].objects:
            wanted.setdefault(one.key, []).append(name)
    result = dict(apps)
    for key, claimants in wanted.items():
        owner = owners.get(key, claimants[0])
        if owner in apps and owner not in claimants:
            owner = claimants[0]
        for name in claimants:
            if name != owner and not result[name].held:
                said = f"belongs to the app {owner} already; remove it from one of the two"
                text = b"\n".join(o.body for o in apps[name].objects)
                result[name] = held(name, apps[name].tree, str(key), said, text)
    return result
