"""``--plan``: what a pass would change, asked of the API server by dry run, as a diff that never shows a secret."""

from __future__ import annotations

import difflib
from typing import Any

import orjson
import yaml

from ghapp.agent import names
from ghapp.agent.apply import Applier
from ghapp.agent.kube.client import JSON, Kube
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.members import Pass
from ghapp.agent.objects import Failure, Record
from ghapp.agent.plan import Work

_NOISE = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")


async def plan(kube: Kube, now: Pass) -> tuple[str, list[Failure]]:
    """The differences as text, and what would be refused. Changes nothing."""
    out: list[str] = []
    failures: list[Failure] = []
    applier = Applier(kube)
    for item in now.todo():
        try:
            out.append(await _one(kube, item))
        except ApiError as e:
            failures.append(Failure(str(item.desired.key), applier.explain(item.desired, e)))
    for records in now.stale.values():
        out += [f"- {_named(record)} (pruned)\n" for record in records]
    return "".join(out), failures


async def _one(kube: Kube, item: Work) -> str:
    one = item.desired
    live = await kube.get(one.path, accept=JSON)
    try:
        answer = await kube.apply(
            one.path, one.body, manager=names.FIELD_MANAGER, force=True, dry_run=True, accept=JSON
        )
        after = answer.data
    except ApiError as e:
        if live is not None or e.code != 404:
            raise
        after = orjson.loads(one.body)  # its namespace or definition comes first, in the same pass
    before = shown(live, other=after, side="before") if live else []
    header = f"{one.key} ({one.app})"
    names_of = (f"live {header}" if live else "(not there)", f"branch {header}")
    lines = difflib.unified_diff(before, shown(after, other=live, side="after"), *names_of, lineterm="")
    text = "\n".join(lines)
    return f"{text}\n" if text else ""


def shown(obj: dict[str, Any], *, other: dict[str, Any] | None, side: str) -> list[str]:
    """An object as lines of YAML, without what the server keeps for itself; of a Secret's values only that they differ.

    ``side`` (before, after) stands in the place of a value that is not the same on the ``other`` one.
    """
    meta = {k: v for k, v in obj["metadata"].items() if k not in _NOISE}
    visible: dict[str, Any] = {**{k: v for k, v in obj.items() if k != "status"}, "metadata": meta}
    if obj.get("kind") == "Secret" and isinstance(obj.get("data"), dict):
        theirs = (other or {}).get("data") or {}
        visible["data"] = {k: "***" if v == theirs.get(k) else f"*** ({side})" for k, v in obj["data"].items()}
    return yaml.safe_dump(visible, sort_keys=True, default_flow_style=False, allow_unicode=True).splitlines()


def _named(record: Record) -> str:
    return f"{record.key} ({record.app})"
