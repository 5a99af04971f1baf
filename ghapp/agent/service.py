"""The agent as it runs for good: per environment a loop that passes, waits, heals and reports; all in one process.

Woken by the interval, by the server (a long poll; nothing connects to the agent), and by drift. Only the holder of the
environment's lease writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ghapp.agent import events, schedule
from ghapp.agent.drift import Drift
from ghapp.agent.heal import heal
from ghapp.agent.kube.errors import ApiError, Unreachable
from ghapp.agent.lease import DURATION, Lease, Led
from ghapp.agent.metrics import Metrics
from ghapp.agent.reconcile import Reconciler
from ghapp.agent.report import Outcome, body
from ghapp.agent.server import Server, ServerError

log = logging.getLogger("ghapp.agent")

_FAREWELL = 3.0  # seconds that giving back a lease may take


def _give_back() -> None:
    """Return the memory that reading a large branch took: the C library would keep it for the next large branch."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)


Reporter = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass
class Service:
    """One environment's loops. ``repository`` is its name on GitHub; ``server`` may be ``None``."""

    reconciler: Reconciler
    lease: Lease
    repository: str
    metrics: Metrics
    server: Server | None = None
    reporters: Sequence[Reporter] = ()
    _poked: asyncio.Event = field(default_factory=asyncio.Event)
    _leading: asyncio.Event = field(default_factory=asyncio.Event)
    _patience: schedule.Patience = field(default_factory=schedule.Patience)
    _reported: Any = None

    @property
    def name(self) -> str:
        return self.reconciler.environment.name

    async def run(self) -> None:
        """Until it is cancelled; then gives the lease back."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lead())
                group.create_task(self._work())
                if self.server is not None:
                    group.create_task(self._listen(self.server))
        finally:
            # Nobody waits long for somebody who leaves: an API server that is away learns it from the lease's age.
            with contextlib.suppress(Unreachable, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self.lease.release()

    async def lead(self) -> None:
        """Raises :class:`Led` where another agent leads."""
        if not self._leading.is_set():
            raise Led("another agent leads this environment")

    # --- the three loops --------------------------------------------------------------------------

    async def _lead(self) -> None:
        renewed = 0.0
        while True:
            try:
                holder = await self.lease.acquire()
                leading, renewed = not holder, time.monotonic()
            except ApiError as e:
                # No right to leases, or no namespace yet: there is nothing to lead by, so nobody is kept from working.
                leading = e.code in (403, 404)
                if not leading:
                    log.warning("%s: the lease cannot be had: %s", self.name, e.message)
            except Unreachable:
                leading = self._leading.is_set() and time.monotonic() - renewed < DURATION
            if leading != self._leading.is_set():
                log.info("%s: %s", self.name, "leading" if leading else "another agent leads")
            (self._leading.set if leading else self._leading.clear)()
            self.metrics.leads(self.name, leading)
            await asyncio.sleep(DURATION / 3)

    async def _listen(self, server: Server) -> None:
        delay, source, told = 2.0, self.reconciler.source, ""
        while True:
            asked = time.monotonic()
            try:
                sha = await server.wait(self.repository, source.branch, self.reconciler.tried)
            except ServerError as e:
                log.warning("%s: %s", self.name, e)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 60.0)
                continue
            delay = 2.0
            if sha and sha != self.reconciler.tried:
                self._poked.set()
                # The pass it starts will know the new SHA by then; one that cannot be had is not asked for at once.
                await asyncio.sleep(0.5 if sha != told else 15.0)
                told = sha
            elif time.monotonic() - asked < 1.0:
                await asyncio.sleep(5.0)  # a server with too many waiting answers at once

    async def _work(self) -> None:
        drift = Drift(self.reconciler.kube, self.reconciler.kinds)
        failures, interval = 0, self.reconciler.environment.interval
        try:
            while True:
                self.metrics.beat(self.name, self.reconciler.environment.timeout + 3 * interval + 600)
                await self._leading.wait()
                self._poked.clear()
                outcome = await self._pass()
                if outcome.created or outcome.changed or not self._reported:
                    _give_back()
                failures = 0 if outcome.ok or outcome.suspended else failures + 1
                await self._tell(outcome)
                await drift.follow(self.reconciler.inventory.records if not outcome.suspended else {})
                chance = random.random()  # noqa: S311
                pause = schedule.retry(failures, interval) if failures else schedule.spread(interval, chance)
                await self._heal_until(time.monotonic() + pause, drift)
        finally:
            await drift.close()

    async def _pass(self) -> Outcome:
        """A pass. A defect of ours in one environment is told, and does not end the others."""
        try:
            return await self.reconciler.run()
        except Exception as e:
            log.exception("%s: the pass broke", self.name)
            return Outcome(self.name, stopped=f"the agent broke: {type(e).__name__}: {e}")

    async def _heal_until(self, due: float, drift: Drift) -> None:
        """Heal what drifts, until the next pass is due or something pokes."""
        while (now := time.monotonic()) < due and not self._poked.is_set():
            suspects = drift.suspects()
            moments = {key: self._patience.due(key, now) for key in suspects}
            ready = {key for key, at in moments.items() if at <= now}
            if ready and self._leading.is_set():
                outcome = await heal(self.reconciler, ready)
                drift.seen_to(ready)
                for key in ready:
                    self._patience.healed(key, time.monotonic())
                await self._tell(outcome, healing=True)
                if outcome.stopped or outcome.failures:
                    return
                continue
            next_at = min([due, *(at for at in moments.values() if at > now)])
            await self._first(drift.noticed if not suspects else None, max(next_at - now, 0.05))

    async def _first(self, noticed: asyncio.Event | None, seconds: float) -> None:
        """Wait for a poke, for drift, or for the time to pass."""
        waits = [asyncio.create_task(self._poked.wait())]
        waits += [asyncio.create_task(noticed.wait())] if noticed is not None else []
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    # --- telling ----------------------------------------------------------------------------------

    async def _tell(self, outcome: Outcome, *, healing: bool = False) -> None:
        self.metrics.passed(outcome)
        if healing and not outcome.drift and not outcome.errors():
            return
        for failure in outcome.errors():
            log.warning("%s: %s: %s", self.name, failure.object or "-", failure.message)
        for one in outcome.drift:
            log.warning("%s: drift of %s: %s by %s", self.name, one.object, one.fields, one.managers or "nobody known")
        said = body(outcome, self.repository, self.reconciler.source.branch)
        news = {k: v for k, v in said.items() if k not in ("created", "changed", "pruned")}
        if news == self._reported and not outcome.created + outcome.changed + outcome.pruned:
            return
        self._reported = news if not healing else self._reported
        if outcome.created or outcome.changed or outcome.pruned or outcome.errors() or outcome.drift:
            log.info("%s: %s: %s", self.name, outcome.sha[:12], outcome.description)
            await events.tell(self.reconciler.kube, self.reconciler.environment.namespace, outcome)
        await self.report(said)

    async def report(self, said: Mapping[str, Any]) -> None:
        """To the server, or to GitHub. A report that does not get through is made again by the next change."""
        for reporter in self.reporters:
            try:
                await reporter(said)
            except ServerError as e:
                log.warning("%s: the report did not get through: %s", self.name, e)
                self._reported = None
