"""Starting, resuming and ending the runs of a commit: check runs first, then the job, so that no crash loses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ghapp.config import AppFile
from ghapp.github.checks import CheckRun
from ghapp.links import run_url
from jobs import subjects
from jobs.pipeline import decide, report, resources, triggers
from jobs.pipeline.board import Board
from jobs.pipeline.decide import Wish
from jobs.pipeline.order import Order
from jobs.pipeline.report import Page
from jobs.pipeline.resources import USUAL, Profiles
from jobs.pipeline.result import Outcome, StageResult
from jobs.pipeline.situation import Situation
from jobs.pipeline.slots import Memory, Slots
from jobs.pipeline.triggers import Occasion
from jobs.reconcile import Context
from jobs.subjects import Again

_LOOK_AGAIN = timedelta(seconds=60)  # while a run is under way: has its worker died and nobody noticed?
_ASK_AGAIN = timedelta(seconds=15)  # while a run waits for a slot
_MOST_RESTARTS = 3  # of one run, after its worker died
_RESTARTS_KEPT = 2 * 86_400
_SPARE = timedelta(minutes=30)  # beside its steps: checkout, evidence, waiting for GitHub


@dataclass(frozen=True)
class Runs:
    """The runs of one app on one commit. ``present`` are its check runs by stage."""

    context: Context
    at: Situation
    board: Board
    file: AppFile
    present: Mapping[str, CheckRun]
    profiles: Profiles = USUAL

    @property
    def app(self) -> str:
        return self.file.app.app

    @property
    def slots(self) -> Slots:
        return Slots(self.context.queue, self.at.client.id, self.app)

    @property
    def memory(self) -> Memory:
        return Memory(self.context.queue.redis, self.at.client.id, self.app)

    # --- beginnings -------------------------------------------------------------------------------
    def start(self, stages: Sequence[str], occasions: Sequence[Occasion], wish: Wish | None) -> Again:
        """Start a new run of ``stages``. Costs one call for each check run."""
        order = self.order(stages, occasions, decide.attempt(self.present), wish)
        return self._go(order, occasions)

    def resume(self, run: str, stages: Sequence[str], occasions: Sequence[Occasion]) -> Again | None:
        """See to it that a run goes on: nothing to do while its job is alive."""
        if self.context.queue.alive(run):
            return Again(self.context.now + _LOOK_AGAIN, "a run is under way")
        if self._died_too_often(run):
            times = f"{_MOST_RESTARTS + 1} times"
            self.end(run, Outcome.ERROR, f"its worker died {times}; see the workers' logs, then run it again")
            return None
        open_stages = [s for s in stages if s not in self.present or self.present[s].external_id == run]
        return self._go(self.order(open_stages, occasions, int(run.rpartition("-")[2]), None), occasions)

    def _go(self, order: Order, occasions: Sequence[Occasion]) -> Again:
        """Make the check runs that are missing, and the job if its turn has come."""
        context, limit = self.context, self.file.app.pipeline.concurrency.limit
        free = self.slots.enter(order.run, order.sha, limit, context.now.timestamp())
        waits = "" if free else f"waits: {limit} run{'s' if limit > 1 else ''} of {self.app} at once"
        page = Page(run_url(context.settings, order.run))
        for stage in order.stages:
            check = self.present.get(stage)
            if check is None or check.status == "completed" or (check.status == "queued" and waits):
                self.board.put(report.queued(order, stage, page, waits))
        self._supersede(order, occasions)
        if not free:
            return Again(context.now + _ASK_AGAIN, "a run waits for a slot")
        context.queue.start(
            order.run,
            "jobs.runs.execute",
            {"order": order.as_json()},
            subject=subjects.commit(order.repository, order.sha),
            timeout=self._time_limit(),
        )
        return Again(context.now + _LOOK_AGAIN, "a run is under way")

    def order(self, stages: Sequence[str], occasions: Sequence[Occasion], attempt: int, wish: Wish | None) -> Order:
        """What a run is told; ``occasions`` are the reasons for it, the most telling first."""
        at, app = self.at, self.file.app
        releasing = any(triggers.releases(app, occasion, self.default_branch) for occasion in occasions)
        return Order(
            repository=at.client.id,
            full_name=at.client.full_name,
            sha=at.sha,
            app=app.app,
            attempt=attempt,
            config=self.file.path,
            config_at=at.config_at,
            occasion=occasions[0] if occasions else at.any_occasion(),
            stages=tuple(stages),
            trusted=at.trusted,
            release=at.trusted and releasing,
            ignore_cache=bool(wish and wish.afresh),
            asked_by=wish.by if wish else "",
            environments=tuple(environment.name for environment in app.deploy.environments),
            profiles={} if self.profiles == USUAL else self.profiles.as_json(),
        )

    @property
    def default_branch(self) -> str:
        """The default branch, asked for only where the file leaves it to that what is released."""
        wish = self.file.app.pipeline.release or self.file.app.pipeline.on.push
        return "" if wish is not None and wish.branches else self.at.default_branch

    def _time_limit(self) -> timedelta:
        pipeline, profiles = self.file.app.pipeline, self.profiles
        total = _SPARE + timedelta(seconds=resources.limits(profiles.resolve(pipeline.resources)).timeout)
        for step in (*pipeline.before, *pipeline.after):
            one = resources.limits(profiles.resolve(pipeline.resources, step.resources), step.timeout)
            total += timedelta(seconds=one.timeout) * (step.retries + 1)
        return total

    def _supersede(self, order: Order, occasions: Sequence[Occasion]) -> None:
        """Have the commits look at themselves whose runs this one takes the place of."""
        memory = self.memory
        memory.remember_refs(order.run, [occasion.ref for occasion in occasions])
        for ref in (occasion.ref for occasion in occasions if not occasion.tag):
            before = memory.last(ref)
            memory.decided(ref, order.sha, order.run)
            if before.run and before.commit != order.sha and self.slots.under_way(before.run):
                older = subjects.commit(order.repository, before.commit)
                self.context.queue.enqueue(older, reason=f"superseded by {order.sha[:7]}")

    def _died_too_often(self, run: str) -> bool:
        redis, key = self.context.queue.redis, f"ghapp:restarts:{run}"
        count = int(redis.incr(key))
        redis.expire(key, _RESTARTS_KEPT)
        return count > _MOST_RESTARTS + 1

    # --- endings ----------------------------------------------------------------------------------
    def cancel(self, run: str, by: str) -> None:
        """End a run: because ``by`` says so, or because its commit is nobody's head any more and another one runs."""
        reason = f"cancelled by {by}" if by else self._superseded(run)
        if reason is None:
            return
        self.context.queue.cancel(run, reason)
        if (freed := self.slots.leave(run)) is not None:
            self.context.queue.enqueue(subjects.commit(self.at.client.id, freed), reason="a slot is free")
        if not self.context.queue.alive(run):  # nobody is there who would end its check runs
            self.end(run, Outcome.CANCELLED, reason)

    def end(self, run: str, outcome: Outcome, why: str) -> None:
        """End the open check runs of a run that nobody carries out."""
        order = self.order((), (), int(run.rpartition("-")[2]), None)
        page = Page(run_url(self.context.settings, run), completed_at=self.context.now)
        for stage, check in self.present.items():
            if check.status != "completed" and check.external_id == run:
                self.board.put(report.finished(order, StageResult(stage, (), why, outcome), page))

    def _superseded(self, run: str) -> str | None:
        """What has taken the place of a run; ``None`` while nothing has and its branch is still there.

        A newer commit for which nothing had to be run (its paths are excluded) takes no place.
        """
        memory = self.memory
        for ref in memory.refs_of(run):
            last, name = memory.last(ref), ref.removeprefix("refs/heads/").removeprefix("refs/")
            if last.run != run and last.commit not in ("", self.at.sha):
                return f"{decide.SUPERSEDED} by {last.commit[:7]} on {name}"
            if last.run == run and ref.startswith("refs/heads/") and name in self.at.heads:
                return None
        return f"{decide.SUPERSEDED}: this commit is no longer the head of a branch or of an open pull request"
