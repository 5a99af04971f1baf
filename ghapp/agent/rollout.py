"""The apps' ways into the cluster: steps in order, waves with health between them, prune, health.

Apps know nothing of each other here except whom they depend on. What goes wrong is collected, never raised, so that
one app's trouble stays its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ghapp.agent import order
from ghapp.agent.apply import Applied, Applier, Failed, each
from ghapp.agent.environment import Environment
from ghapp.agent.health import State, judge
from ghapp.agent.kube.errors import ApiError, Unreachable
from ghapp.agent.kube.kinds import Kinds
from ghapp.agent.members import Pass
from ghapp.agent.objects import Failure, Key, Record
from ghapp.agent.order import Step
from ghapp.agent.plan import Action, Work
from ghapp.agent.prune import Pruned, prune
from ghapp.agent.wait import Member, Waiter

_ESTABLISHED = 60.0  # seconds a definition may take to be served


@dataclass
class Result:
    """What came of one app. ``applied`` holds objects that were sent, ``never`` new ones that were refused.

    ``whole``: everything that the branch wants of it is applied.
    """

    app: str
    applied: dict[Key, Applied] = field(default_factory=dict)
    never: list[Key] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    pruned: Pruned = field(default_factory=Pruned)
    whole: bool = False
    healthy: bool = False


@dataclass(frozen=True)
class Rollout:
    """Takes all apps of a pass through their steps with shared tools: one pool, one waiter."""

    environment: Environment
    applier: Applier
    kinds: Kinds
    waiter: Waiter
    pool: asyncio.Semaphore
    fresh: set[str]  # API groups whose definitions were made in this pass

    async def all(self, now: Pass, results: Mapping[str, Result]) -> None:
        """Every app, as far as it gets; what came of each is in ``results``. Raises Superseded, after all ended."""
        apps = [app for app in now.wanted.trees if not now.held(app)]
        for app in now.wanted.trees:
            results[app].failures += now.failures(app)
        steps = {app: now.steps(app) for app in apps}
        # Namespaces, definitions and cluster roles of all apps first: they may be what another app needs.
        await asyncio.gather(*(self._definitions(now.work, steps[app], results[app]) for app in apps))
        ended = {app: asyncio.get_running_loop().create_future() for app in now.wanted.trees}
        for app in now.wanted.trees.keys() - set(apps):
            ended[app].set_result(False)
        ways = (self._app(now, steps[app], results[app], ended) for app in apps)
        outcomes = await asyncio.gather(*ways, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if all(results[app].whole for app in now.wanted.trees):
            for app in now.stale.keys() - now.wanted.trees.keys():
                results[app].whole = True
                await self._prune(now.stale[app], results[app])

    async def _app(
        self, now: Pass, steps: list[Step], result: Result, ended: Mapping[str, asyncio.Future[bool]]
    ) -> None:
        try:
            if await self._dependencies(result, ended):
                await self._rest(now.work, steps, result)
                await self._prune(now.stale.get(result.app, []), result)
                await self._health(now.members[result.app], result)
        finally:
            ended[result.app].set_result(result.healthy)

    async def _dependencies(self, result: Result, ended: Mapping[str, Awaitable[bool]]) -> bool:
        others = self.environment.depends_on.get(result.app, ())
        if loop := [app for app in order.circle(self.environment.depends_on) if app in (result.app, *others)]:
            said = f"depends on itself, by way of {', '.join(loop)}; break the circle"
            result.failures.append(Failure(f"{result.app}/", said))
            return False
        for other in others:
            if other not in ended:
                said = f"depends on {other}, which is not on the branch"
            elif not await asyncio.shield(asyncio.ensure_future(ended[other])):
                said = f"was not applied: it depends on {other}, which is not well"
            else:
                continue
            result.failures.append(Failure(f"{result.app}/", said))
            return False
        return True

    async def _definitions(self, work: Mapping[Key, Work], steps: list[Step], result: Result) -> None:
        """The app's first step, if it is one of definitions and waits for nothing."""
        if steps and steps[0].stage == order.DEFINITIONS and not self.environment.depends_on.get(result.app):
            await self._step(steps.pop(0), work, result)

    async def _rest(self, work: Mapping[Key, Work], steps: list[Step], result: Result) -> None:
        unknown = len(result.failures)
        wave, done = steps[0].wave if steps else 0, list[Member]()
        for number, step in enumerate(steps):
            if step.wave != wave and self.environment.wait:
                result.failures += await self.waiter.settle(done, self.environment.timeout)
                done = []
            if len(result.failures) > unknown:
                left = sum(len(s.objects) for s in steps[number:])
                said = f"{left} objects that come later were not tried"
                result.failures.append(Failure(f"{result.app}/", said))
                return
            wave = step.wave
            await self._step(step, work, result)
            done += [Member(o.kind, o.key, o.expires) for o in step.objects]
        result.whole = not result.failures

    async def _prune(self, stale: list[Record], result: Result) -> None:
        """Only after everything that is wanted is applied."""
        if not stale or not result.whole:
            return
        wait = self.environment.timeout if self.environment.wait else 0.0
        confirmed = self.environment.allow_prune
        result.pruned = await prune(self.applier.kube, self.kinds, stale, self.pool, confirmed=confirmed, wait=wait)
        result.failures += result.pruned.failures

    async def _health(self, members: list[Member], result: Result) -> None:
        if result.whole and self.environment.wait:
            result.failures += await self.waiter.settle(members, self.environment.timeout)
        result.healthy = not result.failures

    async def _step(self, step: Step, work: Mapping[Key, Work], result: Result) -> None:
        todo = [work[o.key] for o in step.objects if work[o.key].action is Action.APPLY]

        async def one(item: Work) -> None:
            try:
                result.applied[item.desired.key] = await self.applier.apply(item.desired, item.live)
            except Failed as e:
                result.failures.append(Failure(str(item.desired.key), str(e)))
                if item.live is None and item.record is None:
                    result.never.append(item.desired.key)
            except Unreachable as e:
                result.failures.append(Failure(str(item.desired.key), str(e)))

        await each(self.pool, todo, one, self.applier.kube.pool)
        for item in todo if step.stage == order.DEFINITIONS else ():
            key = item.desired.key
            if key.kind == "CustomResourceDefinition" and key in result.applied:
                if failure := await self._established(item.desired.path):
                    result.failures.append(Failure(str(key), failure))
                self.fresh.add(key.name.partition(".")[2])

    async def _established(self, path: str) -> str:
        """Wait until a definition is served, whatever else is not waited for; why it is not, if it is not."""
        delay, waited = 0.05, 0.0
        while True:
            try:
                there = await self.applier.kube.get(path)
            except (ApiError, Unreachable) as e:
                return f"cannot be read: {e}"
            if there is None:
                return "is gone again"
            health = judge(there, datetime.now(UTC))
            if health.well:
                return ""
            if health.state is State.FAILED or waited > min(_ESTABLISHED, self.applier.patience):
                return health.sentence
            await asyncio.sleep(delay)
            waited += delay
            delay = min(delay * 1.5, 1.0)
