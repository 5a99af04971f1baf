"""Two agents by mistake: one leads. A Lease in the environment's namespace says which; the other one waits.

Times are the cluster's own seconds as far as possible: a lease counts as alive while we see it being renewed.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ghapp.agent import names
from ghapp.agent.inventory import slug
from ghapp.agent.kube.client import Kube, escaped
from ghapp.agent.kube.errors import ApiError

DURATION = 15  # seconds without a renewal after which another agent may lead


class Led(Exception):
    """Another agent leads this environment; the message says which."""


def identity() -> str:
    """This process, as a name no other has."""
    return f"{os.environ.get('HOSTNAME') or os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


class Lease:
    """The lease of one environment."""

    def __init__(self, kube: Kube, namespace: str, environment: str, who: str) -> None:
        self._kube = kube
        self._name = f"ghapp-agent-{slug(environment)}"
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{escaped(namespace)}/leases"
        self._path = f"{self._collection}/{self._name}"
        self._who = who
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = 0.0
        self.held = False

    async def acquire(self) -> str:
        """Try to lead (or to go on leading): empty when we do, else who does. Raises ApiError."""
        there = await self._kube.get(self._path)
        if there is None:
            return await self._create()
        spec = there.get("spec") or {}
        holder = str(spec.get("holderIdentity") or "")
        if holder and holder != self._who and self._alive(holder, str(spec.get("renewTime"))):
            self.held = False
            return holder
        changes = 0 if holder == self._who else int(spec.get("leaseTransitions") or 0) + 1
        try:
            await self._kube.replace(
                self._path, {**there, "spec": {**spec, **self._spec(changes)}}, manager=names.FIELD_MANAGER
            )
        except ApiError as e:
            if e.code != 409:
                raise
            self.held = False
            return holder or "another agent"
        self.held = True
        return ""

    async def wait(self) -> None:
        """Lead, waiting for as long as a dead leader's lease lasts. Raises :class:`Led`.

        Where we may not have leases at all, or the namespace is only being made, nobody is kept from anything.
        """
        if self.held:
            return
        until = time.monotonic() + DURATION + 3
        while True:
            try:
                holder = await self.acquire()
            except ApiError as e:
                if e.code in (403, 404):
                    return
                raise
            if not holder:
                return
            if time.monotonic() > until:
                raise Led(f"the agent {holder} leads this environment; stop it, or let it do the work")
            await asyncio.sleep(0.5)

    async def release(self) -> None:
        """Let another agent lead at once."""
        if not self.held:
            return
        self.held = False
        try:
            there = await self._kube.get(self._path)
            if there and (there.get("spec") or {}).get("holderIdentity") == self._who:
                spec = {**there["spec"], "holderIdentity": "", "renewTime": _now()}
                await self._kube.replace(self._path, {**there, "spec": spec}, manager=names.FIELD_MANAGER)
        except ApiError:
            return  # it ends by itself

    def _alive(self, holder: str, renewed: str) -> bool:
        if (holder, renewed) != self._seen:
            first = not self._seen[0]
            self._seen, self._seen_at = (holder, renewed), time.monotonic()
            # A lease long out of date by the clock is dead at once; clocks that differ cost one duration of waiting.
            return not (first and _age(renewed) > 4 * DURATION)
        return time.monotonic() - self._seen_at < DURATION

    async def _create(self) -> str:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name},
            "spec": self._spec(0),
        }
        try:
            await self._kube.create(self._collection, body, manager=names.FIELD_MANAGER)
        except ApiError as e:
            if e.code == 409:
                return "another agent"
            raise
        self.held = True
        return ""

    def _spec(self, changes: int) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "holderIdentity": self._who,
            "leaseDurationSeconds": DURATION,
            "renewTime": _now(),
            "leaseTransitions": changes,
        }
        return spec


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _age(text: str) -> float:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds()
    except ValueError:
        return 0.0
