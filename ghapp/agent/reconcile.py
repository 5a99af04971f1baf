"""One pass over one environment: the steps in order, each in the module of its name.

Gate, fetch, verify, read, decrypt, normalise, order, plan, migrate, apply, inventory, prune, health, report; the
schedule calls it again. A pass can be cut at any point and simply repeated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ghapp.agent import books, diff, members
from ghapp.agent.apply import Applier, Failed
from ghapp.agent.branch import Branch
from ghapp.agent.environment import Environment
from ghapp.agent.fetch import FetchError, Source
from ghapp.agent.gate import Gate, gate
from ghapp.agent.inventory import Inventory, State, Store, joined
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import ConfigError
from ghapp.agent.kube.errors import ApiError, Unreachable
from ghapp.agent.kube.kinds import Kinds
from ghapp.agent.lease import Led
from ghapp.agent.members import Pass
from ghapp.agent.objects import Key
from ghapp.agent.plan import Action
from ghapp.agent.prune import prune
from ghapp.agent.report import AppOutcome, Outcome
from ghapp.agent.rollout import Result, Rollout
from ghapp.agent.verify import Unverified
from ghapp.agent.wait import Superseded, Waiter

Lead = Callable[[], Awaitable[None]]
Begin = Callable[[str, list[AppOutcome]], Awaitable[None]]


class Reconciler:
    """One environment. ``own`` is the agent's own access (inventory); ``acting`` the one that objects are applied by.

    ``lead`` is called before anything is written, and raises where another agent leads; ``begin`` is told of each new
    commit before it is applied. ``keep`` has everything read at once, for healing at any moment.
    """

    def __init__(
        self,
        environment: Environment,
        source: Source,
        own: Kube,
        acting: Kube,
        lead: Lead,
        begin: Begin | None = None,
        *,
        keep: bool = False,
    ) -> None:
        self.environment = environment
        self.source = source
        self.kube = acting
        self.kinds = Kinds(acting)
        self.store = Store(own, environment.namespace, environment.name)
        self.branch = Branch(source, self.kinds, environment)
        self.inventory = Inventory()
        self.lead = lead
        self.tried = ""  # the newest commit that was looked at
        self._begin = begin
        self._keep = keep

    async def run(self) -> Outcome:
        """A pass over the newest commit; over again when a newer one arrives while it waits for health."""
        started, requests, tries = time.monotonic(), self.kube.requests, 0
        while True:
            outcome = Outcome(self.environment.name)
            try:
                await self._pass(outcome)
            except Superseded:
                continue
            except (FetchError, Unverified, Unreachable, Failed, Led, ConfigError) as e:
                outcome.stopped = str(e)
            except ApiError as e:
                if e.code == 409 and tries < 3:
                    tries += 1  # another agent wrote the inventory meanwhile: look at everything afresh
                    continue
                outcome.stopped = self._explained(e)
            done = outcome.ok and outcome.plan is None
            outcome.applied_sha = outcome.sha if done else self.inventory.state.sha
            outcome.requests, outcome.seconds = self.kube.requests - requests, time.monotonic() - started
            return outcome

    async def _pass(self, outcome: Outcome) -> None:
        self.inventory = await self.store.load()
        match gate(self.environment, annotated=self.inventory.suspended):
            case Gate.SUSPENDED:
                outcome.suspended, outcome.objects = True, len(self.inventory.records)
                return
            case Gate.FINALISE:
                await self._finalise(outcome)
                return
        wanted = await self.branch.look(self.inventory.state)
        outcome.sha = self.tried = wanted.sha
        if self._keep:
            await self.branch.load(wanted, wanted.trees)
        now = await members.gather(self.environment, self.branch, wanted, self.inventory, self.kube, self.kinds)
        outcome.objects, outcome.drift = now.objects, now.drift
        if self.environment.plan:
            outcome.plan, refused = await diff.plan(self.kube, now)
            outcome.failures = [*(f for app in now.wanted.trees for f in now.failures(app)), *now.blocked, *refused]
            return
        await self._deploy(now, outcome)

    async def _deploy(self, now: Pass, outcome: Outcome) -> None:
        fresh: set[str] = set()
        applier = Applier(self.kube, self.environment.timeout, fresh)
        waiter = Waiter(self.kube)
        pool = asyncio.Semaphore(self.kube.pool)
        rollout = Rollout(self.environment, applier, self.kinds, waiter, pool, fresh)
        results = {app: Result(app) for app in (*now.wanted.trees, *(now.stale.keys() - now.wanted.trees.keys()))}
        if now.writes:
            await self.lead()
            if self._begin is not None and self.inventory.state.sha != now.wanted.sha:
                await self._begin(now.wanted.sha, [books.outcome_of(now, app, []) for app in now.wanted.trees])
            await self._home(now, applier)
            await self._remember_all(now)
        watch = asyncio.create_task(self._newer(now.wanted.sha, waiter))
        try:
            await rollout.all(now, results)
        finally:
            watch.cancel()
            await waiter.close()
            books.remember(now, self.inventory, results, self.environment.settings())
            await self._save()
        books.tell(now, results, outcome)

    async def _home(self, now: Pass, applier: Applier) -> None:
        """The namespace that holds the inventory, where the branch itself brings it."""
        item = now.work.get(Key("", "Namespace", "", self.environment.namespace))
        if item is not None and item.action is Action.APPLY and item.live is None:
            await applier.apply(item.desired, None)

    async def _remember_all(self, now: Pass) -> None:
        """Old ∪ new, before anything is applied: a crash loses no member."""
        before = joined(self.inventory.records, (w.desired.record() for w in now.todo()))
        if before != self.inventory.records:
            self.inventory.records = before
            await self.store.save(self.inventory)

    async def _newer(self, sha: str, waiter: Waiter) -> None:
        """Call off the waiting when the branch moves on."""
        while True:
            await asyncio.sleep(self.source.pace)
            if not waiter.waiting:
                continue
            try:
                head = await self.source.head()
            except FetchError:
                continue
            if head != sha:
                waiter.call_off(head)

    async def _finalise(self, outcome: Outcome) -> None:
        """The environment goes: prune all of it, then forget it."""
        await self.lead()
        confirmed, wait = self.environment.allow_prune, self.environment.timeout if self.environment.wait else 0.0
        pool, records = asyncio.Semaphore(self.kube.pool), list(self.inventory.records.values())
        result = await prune(self.kube, self.kinds, records, pool, confirmed=confirmed, wait=wait)
        for record in result.forgotten:
            del self.inventory.records[record.key]
        outcome.pruned = [str(r.key) for r in result.deleted]
        outcome.kept = [str(r.key) for r in result.kept]
        outcome.failures = list(result.failures)
        self.inventory.state = State()
        if self.inventory.records:
            await self._save()
        else:
            await self.store.remove(self.inventory)

    async def _save(self) -> None:
        try:
            await self.store.save(self.inventory)
        except ApiError as e:
            # The inventory's own namespace was a member and is going: nothing is left to remember.
            if self.inventory.records or e.code not in (403, 404, 409):
                raise

    def _explained(self, e: ApiError) -> str:
        namespace = self.environment.namespace
        if e.code == 404 and f'namespaces "{namespace}" not found' in e.message:
            return f'the namespace "{namespace}" does not exist; create it, or put a Namespace object into the branch'
        if e.code == 403:
            return f"the agent may not do this: {e.message}"
        return f"the API server refused: {e.message}"
