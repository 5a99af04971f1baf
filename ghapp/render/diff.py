"""What a promotion changes in the cluster: objects added, changed and removed, and in each the fields that matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ghapp.render.manifests import Manifest
from ghapp.render.rules import containers

# Lists of maps whose items have a name: compared by it, so that an inserted container is one change and not five.
_KEYS = ("name", "mountPath", "containerPort", "port", "type", "key", "ip", "host", "path")
_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its path as people write it (``spec.template.spec.containers[web].image``), before and after.

    ``None`` means absent. Values of Secrets are never shown.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Diff:
    """Objects by their printed name; ``changed`` with the fields that differ."""

    added: tuple[Manifest, ...] = ()
    removed: tuple[Manifest, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed)

    def summary(self) -> str:
        """``2 added, 1 changed``; ``nothing`` where nothing differs."""
        counts = ((len(self.added), "added"), (len(self.changed), "changed"), (len(self.removed), "removed"))
        return ", ".join(f"{n} {word}" for n, word in counts if n) or "nothing"


def diff(before: Sequence[Manifest], after: Sequence[Manifest]) -> Diff:
    """From the objects deployed to the objects proposed."""
    old, new = {m.key: m for m in before}, {m.key: m for m in after}
    changed = {}
    for key in (k for k in new if k in old):
        hide = new[key].kind == "Secret"
        if fields := tuple(_fields("", old[key].data, new[key].data, hide)):
            changed[str(new[key])] = fields
    return Diff(
        added=tuple(m for k, m in new.items() if k not in old),
        removed=tuple(m for k, m in old.items() if k not in new),
        changed=changed,
    )


def images(manifests: Sequence[Manifest]) -> dict[str, str]:
    """Every image that is run: its name without tag and digest → as it is written."""
    found = {}
    for container in (c for m in manifests for c in containers(m)):
        image = str(container["image"])
        name, _, _ = image.partition("@")
        head, slash, tail = name.rpartition("/")
        found[f"{head}{slash}{tail.partition(':')[0]}"] = image
    return found


def _fields(path: str, before: Any, after: Any, hide: bool) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _fields(_join(path, key), before.get(key), after.get(key), hide)
    elif (key := _list_key(before, after)) is not None:
        old, new = ({str(item[key]): item for item in items} for items in (before, after))
        for name in dict.fromkeys([*old, *new]):
            yield from _fields(f"{path}[{name}]", old.get(name), new.get(name), hide)
    else:
        secret = hide and path.startswith(("data", "stringData"))
        shown = [_HIDDEN if secret and v is not None else v for v in (before, after)]
        yield Change(path, *shown)


def _list_key(before: Any, after: Any) -> str | None:
    if not (isinstance(before, list) and isinstance(after, list)):
        return None
    items = [*before, *after]
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _KEYS:
        if all(key in item for item in items) and all(len({str(i[key]) for i in x}) == len(x) for x in (before, after)):
            return key
    return None


def _join(path: str, key: str) -> str:
    part = f'["{key}"]' if "." in key or "/" in key else f".{key}" if path else key
    return f"{path}{part}"
