"""Waiting for health: everyone who waits shares one LIST per kind and round, however many apps there are.

Fails fast, ends at each waiter's own deadline, and is called off when a newer commit makes it pointless.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ghapp.agent.health import HEALTHY, Health, State, inert, judge, progressing
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.kube.kinds import Kind
from ghapp.agent.objects import Failure, Key, Live
from ghapp.agent.observe import observe, scopes


class Superseded(Exception):
    """A newer commit arrived; ``sha`` is it."""

    def __init__(self, sha: str) -> None:
        self.sha = sha
        super().__init__(sha)


@dataclass(frozen=True, slots=True)
class Member:
    """Something to wait for. ``may_go``: a Job whose TTL removes it."""

    kind: Kind
    key: Key
    may_go: bool = False


@dataclass
class _Ticket:
    pending: dict[Key, Member]
    until: float
    done: asyncio.Future[list[Failure]] = field(repr=False)
    timeout: float = 0.0


class Waiter:
    """Judges members until they settle. ``changed`` is told every health that was read."""

    def __init__(self, kube: Kube, changed: Callable[[Key, Health], None] = lambda key, health: None) -> None:  # noqa: ARG005
        self._kube = kube
        self._changed = changed
        self._tickets: list[_Ticket] = []
        self._task: asyncio.Task[None] | None = None

    async def settle(self, members: Iterable[Member], timeout: float) -> list[Failure]:
        """Wait until all are well: no failures; else those that failed, or were not well in time, by name."""
        pending = {m.key: m for m in members if not inert(m.key.group, m.key.kind)}
        if not pending:
            return []
        ticket = _Ticket(pending, time.monotonic() + timeout, asyncio.get_running_loop().create_future(), timeout)
        self._tickets.append(ticket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._rounds())
        try:
            return await ticket.done
        finally:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    @property
    def waiting(self) -> bool:
        return bool(self._tickets)

    def call_off(self, sha: str) -> None:
        """A newer commit is there: everyone stops waiting."""
        for ticket in self._tickets:
            if not ticket.done.done():
                ticket.done.set_exception(Superseded(sha))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _rounds(self) -> None:
        delay = 0.1
        while self._tickets:
            started = time.monotonic()
            members = {k: m for t in self._tickets for k, m in t.pending.items()}
            try:
                lives = await _listed(self._kube, members.values())
            except ApiError as e:
                self._everyone(f"its health cannot be read: {e.message}")
                return
            except Exception as e:
                for ticket in self._tickets:
                    if not ticket.done.done():
                        ticket.done.set_exception(e)
                return
            now = datetime.now(UTC)
            for ticket in list(self._tickets):
                self._look(ticket, lives, now)
            # A large environment is not listed all the time: at most a quarter of it.
            await asyncio.sleep(max(delay, 3 * (time.monotonic() - started)))
            delay = min(delay * 1.4, 2.0)

    def _look(self, ticket: _Ticket, lives: Mapping[Key, Live], now: datetime) -> None:
        if ticket.done.done():
            return
        failures: list[Failure] = []
        unwell: list[Failure] = []
        for key, member in list(ticket.pending.items()):
            health = health_of(lives.get(key), member, now)
            self._changed(key, health)
            if health.well:
                del ticket.pending[key]
            elif health.state is State.FAILED:
                failures.append(Failure(str(key), f"failed: {health.sentence}"))
            else:
                said = f"not healthy after {ticket.timeout:g} s: {health.sentence}"
                unwell.append(Failure(str(key), said))
        if failures or not ticket.pending:
            ticket.done.set_result(failures)
        elif time.monotonic() > ticket.until:
            ticket.done.set_result(unwell)

    def _everyone(self, message: str) -> None:
        for ticket in self._tickets:
            if not ticket.done.done():
                ticket.done.set_result([Failure(str(key), message) for key in ticket.pending])


def health_of(live: Live | None, member: Member, now: datetime) -> Health:
    """The health of a member, which may be gone."""
    if live is None:
        return HEALTHY if member.may_go else progressing("is not there any more")
    if not live.whole:
        return HEALTHY
    obj = live.object
    if "kind" not in obj:  # items of a typed list carry neither
        obj = {**obj, "kind": live.kind.name, "apiVersion": live.kind.api_version}
    return judge(obj, now)


async def _listed(kube: Kube, members: Iterable[Member]) -> dict[Key, Live]:
    wanted = scopes((m.kind, m.key) for m in members)
    return await observe(kube, wanted, whole={kind.name for kind in wanted})
