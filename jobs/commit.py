"""The reconcile of one commit: which apps want a run of it, which runs go on, end, start again, or become a release.

The check runs on the commit are the state; everything else is looked up afresh. A run is started by making its check
runs (queued, ``external_id`` the run's id) and then its job; whatever dies in between, the next reconcile goes on from
what the check runs say. Calls for a push: the commit's check runs, its pull requests, one for each check run made.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ghapp import names
from ghapp.config import AppFile
from ghapp.config.model import Schedule
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.evidence.release import releases
from ghapp.evidence.statement import Statement
from ghapp.github import checks
from ghapp.github.checks import Check, CheckRun
from ghapp.github.people import People
from ghapp.links import run_url
from ghapp.settings import SettingsError
from jobs import subjects
from jobs.connect import text
from jobs.mirrors import mirror
from jobs.pipeline import (
    asks,
    conditions,
    configcheck,
    decide,
    evidence,
    inputs,
    report,
    resources,
    schedule,
    slots,
    triggers,
    trust,
)
from jobs.pipeline.decide import Plan, Wish
from jobs.pipeline.order import Order
from jobs.pipeline.problems import problems
from jobs.pipeline.report import Page
from jobs.pipeline.result import Outcome, StageResult
from jobs.pipeline.run import stages_of
from jobs.pipeline.secrets import Secrets
from jobs.pipeline.situation import Situation, look, occasions
from jobs.pipeline.slots import Slots
from jobs.pipeline.triggers import Occasion
from jobs.reconcile import Context
from jobs.subjects import Again, Subject

log = logging.getLogger(__name__)

_LOOK_AGAIN = timedelta(seconds=60)  # while a run is under way: has its worker died and nobody noticed?
_ASK_AGAIN = timedelta(seconds=15)  # while a run waits for a slot
_MOST_RESTARTS = 3  # of one run, after its worker died
_KEPT = 2 * 86_400  # seconds that a run's order is remembered, for the sentence that says what superseded it
_SPARE = timedelta(minutes=30)  # beside its steps: checkout, evidence, waiting for GitHub


def reconcile(subject: Subject, context: Context) -> Again | None:
    """Look at one commit."""
    client = context.github.for_repository(subject.repository)
    at = look(client, mirror(context.settings.mirrors, client), subject.sha)
    if at is None:
        return None
    desk = Desk(context, at, checks.ours(client, at.sha))
    broken = desk.refuse_broken()
    agains = [desk.app(file) for name, file in sorted(at.apps.items()) if file.path not in broken]
    return min((again for again in agains if again), key=lambda again: again.at, default=None)


@dataclass(frozen=True)
class Desk:
    """One look at a commit: what is known, and the check runs that GitHub had when it began, by name."""

    context: Context
    at: Situation
    present: dict[str, CheckRun]

    # --- configuration ----------------------------------------------------------------------------
    def refuse_broken(self) -> set[str]:
        """Show everything that is wrong with the files in one check; returns the files that cannot be used."""
        found = list(self.at.problems)
        secrets = Secrets(self.context.settings.secrets_dir, self.at.client.full_name) if self.at.trusted else None
        for file in self.at.apps.values():
            found += problems(file, secrets)
        known = self.present.get(names.CHECK_CONFIG)
        if self.at.headless or (not found and known is None):
            return {problem.file for problem in found}
        self._put(configcheck.check(found, elsewhere=not self.at.trusted))
        return {problem.file for problem in found}

    # --- one app ----------------------------------------------------------------------------------
    def app(self, file: AppFile) -> Again | None:
        """Bring one app's runs of this commit to where they should be."""
        stages = stages_of(file.app.pipeline)
        wish = asks.wish_for(self.context, self.at.client, file.app.app, self.present)
        try:
            wanted = self._wanted(file)
        except conditions.BadCondition as e:
            self._put(configcheck.condition(file, e))
            return None
        if wish is None and wanted and (mark := triggers.skipped_by_message(self.at.message)):
            self._skip(file, stages, mark)
            return None
        if wanted and not self.at.trusted and not self._may_run(wanted[0]):
            self._ask_for_approval(file, stages, wanted[0])
            return None
        if wish is None and any(occasion.kind == "schedule" for occasion in wanted):
            wish = Wish("test", by="its schedule")
        mine = {s: c for s in stages if (c := self.present.get(names.stage_check(file.app.app, s))) and c.external_id}
        called: Occasion | None = None
        if wish is not None and wish.inputs is not None:
            try:
                called = self._call(file, wish)
            except inputs.BadInputs as e:
                self._put(configcheck.refused_call(file.app.app, str(e)))
                return None
        todo = decide.plan(
            stages,
            mine,
            wanted=bool(wanted),
            wish=wish,
            older_go_on=not file.app.pipeline.concurrency.cancel_superseded,
        )
        moment = schedule.next_moment(self._schedules(file), self.context.now)
        again = Again(moment, "its schedule") if moment else None
        if todo.cancel:
            self._cancel(file, mine, todo)
        elif todo.resume:
            return self._start(file, wanted, stages=stages, run=todo.resume, present=mine, by="") or again
        elif todo.start:
            reasons = [called, *wanted] if called else wanted
            return self._start(file, reasons, stages=todo.start, run="", present=mine, by=todo.by, wish=wish) or again
        elif wanted and (not stages or len(mine) == len(stages)):
            self._release(file, wanted, mine)
        return again

    def _call(self, file: AppFile, wish: Wish) -> Occasion | None:
        """The occasion that a call is, if the app takes calls. Raises ``BadInputs``."""
        declared = file.app.pipeline.on.dispatch
        if declared is None:
            raise inputs.BadInputs(f"{file.app.app} takes no calls: its file has no `on.dispatch`")
        values = inputs.read(declared.inputs, wish.inputs or {})
        return Occasion("dispatch", branch=next(iter(self.at.branches), ""), author=wish.by, inputs=values)

    def _wanted(self, file: AppFile) -> list[Occasion]:
        """The occasions that the app's triggers want, the most telling first."""
        redis, repository = self.context.queue.redis, self.at.client.id
        refs = [f"refs/heads/{branch}" for branch in self.at.branches]
        last = {ref: slots.last_of(redis, repository, file.app.app, ref)[0] for ref in refs}
        found = occasions(self.at, file, last) + self._scheduled(file)
        wanted = [occasion for occasion in found if triggers.wanted(file.app.pipeline.on, occasion)]
        for ref in refs:
            if last[ref] != self.at.sha and not any(occasion.ref == ref for occasion in wanted):
                slots.set_last(redis, repository, file.app.app, ref, self.at.sha)  # decided: nothing to do
        return sorted(wanted, key=lambda occasion: self._rank(file, occasion))

    def _schedules(self, file: AppFile) -> list[Schedule]:
        """The schedules of the branches that this commit is the head of."""
        every = file.app.pipeline.on.schedule
        return [one for one in every if (one.branch or self.at.default_branch) in self.at.branches]

    def _scheduled(self, file: AppFile) -> list[Occasion]:
        schedules, now = self._schedules(file), self.context.now
        if not schedules:
            return []
        moment = schedule.due(schedules, self._known(), file.app.app, self.at.committed_at, now)
        if moment is None:
            return []
        # Without a signing key there is no evidence that tells; once a moment is enough all the same.
        key = f"ghapp:scheduled:{self.at.client.id}:{file.app.app}:{moment:%Y%m%dT%H%M}"
        if not self.context.queue.redis.set(key, self.at.sha, nx=True, ex=int(schedule.MISSED.total_seconds())):
            return []
        return [Occasion("schedule", branch=schedules[0].branch or self.at.default_branch)]

    def _known(self) -> list[Statement]:
        """The evidence on this commit; none where nobody signs."""
        try:
            return notes.read_note(self.at.git, self.at.sha, signer(self.context.settings).trusted)
        except SettingsError:
            return []

    def _rank(self, file: AppFile, occasion: Occasion) -> int:
        releasing = occasion.kind in ("tag", "push") and triggers.releases(file.app, occasion, self._default(file))
        order = ("tag", "push", "schedule", "pull_request", "merge_group", "dispatch", "comment")
        return order.index(occasion.kind) if releasing or occasion.kind != "push" else len(order)

    def _default(self, file: AppFile) -> str:
        """The default branch, asked for only where the file leaves it to that."""
        wish = file.app.pipeline.release or file.app.pipeline.on.push
        return "" if wish is not None and wish.branches else self.at.default_branch

    # --- what does not run ------------------------------------------------------------------------
    def _skip(self, file: AppFile, stages: Sequence[str], mark: str) -> None:
        for stage in stages:
            name = names.stage_check(file.app.app, stage)
            if name not in self.present:
                summary = (
                    f"The commit's message says `{mark}`. Comment `/test` on its pull request to run it all the same."
                )
                self._put(Check(name, f"skipped: {mark} in the commit's message", summary, conclusion="neutral"))

    def _may_run(self, occasion: Occasion) -> bool:
        people = People(self.context.github.store, self.context.github.for_installation(self.at.client.installation))
        return occasion.pull is not None and trust.may_run(self.at.client, people, occasion.pull, self.at.sha)

    def _ask_for_approval(self, file: AppFile, stages: Sequence[str], occasion: Occasion) -> None:
        if stages and occasion.pull:
            name = names.stage_check(file.app.app, stages[0])
            words = trust.sentence(occasion.pull, self.at.sha)
            check = Check(name, "waits for /ok-to-test", words[:1].upper() + words[1:], conclusion="action_required")
            self._put(check)

    # --- runs -------------------------------------------------------------------------------------
    def _start(
        self,
        file: AppFile,
        wanted: Sequence[Occasion],
        *,
        stages: Sequence[str],
        run: str,
        present: Mapping[str, CheckRun],
        by: str,
        wish: Wish | None = None,
    ) -> Again | None:
        """Start a run of ``stages``, or see to it that ``run`` goes on. Needs one call for each new check run."""
        context, at = self.context, self.at
        order = replace(self._order(file, wanted, stages, run, present, by), ignore_cache=bool(wish and wish.afresh))
        if run and context.queue.alive(run):
            return Again(context.now + _LOOK_AGAIN, "a run is under way")
        if run and self._died_too_often(run):
            self._give_up(order, present)
            return None
        page = Page(run_url(context.settings, order.run))
        limit = file.app.pipeline.concurrency.limit
        free = self._line(file.app.app).enter(order.run, at.sha, limit, context.now.timestamp())
        reason = "" if free else f"waits: {limit} run{'s' if limit > 1 else ''} of {file.app.app} at once"
        for stage in order.stages:
            check = present.get(stage)
            if check is None or check.status == "completed" or (check.status == "queued" and reason):
                self._put(report.queued(order, stage, page, reason))
        self._remember(order, wanted)
        if not free:
            return Again(context.now + _ASK_AGAIN, "a run waits for a slot")
        context.queue.start(
            order.run,
            "jobs.runs.execute",
            {"order": order.as_json()},
            subject=subjects.commit(at.client.id, at.sha),
            timeout=self._time_limit(file),
        )
        return Again(context.now + _LOOK_AGAIN, "a run is under way")

    def _order(
        self,
        file: AppFile,
        wanted: Sequence[Occasion],
        stages: Sequence[str],
        run: str,
        present: Mapping[str, CheckRun],
        by: str,
    ) -> Order:
        occasion = wanted[0] if wanted else self._any_occasion()
        number = int(run.rpartition("-")[2]) if run else decide.attempt(present)
        default = self._default(file)
        return Order(
            repository=self.at.client.id,
            full_name=self.at.client.full_name,
            sha=self.at.sha,
            app=file.app.app,
            attempt=number,
            config=file.path,
            config_at=self.at.config_at,
            occasion=occasion,
            stages=tuple(s for s in stages if not run or s not in present or present[s].external_id == run),
            trusted=self.at.trusted,
            release=self.at.trusted and any(triggers.releases(file.app, o, default) for o in wanted),
            asked_by=by,
            environments=tuple(e.name for e in file.app.deploy.environments),
        )

    def _any_occasion(self) -> Occasion:
        """For a run that somebody asked for and no trigger wants."""
        pull = next(iter(self.at.pulls), None)
        branch = next(iter(self.at.branches), pull.head if pull else "")
        return Occasion("comment", branch=branch, pull=pull, author=pull.author if pull else "")

    def _time_limit(self, file: AppFile) -> timedelta:
        pipeline = file.app.pipeline
        total = _SPARE
        for step in (*pipeline.before, *pipeline.after):
            one = resources.limits(resources.resolve(pipeline.resources, step.resources), step.timeout)
            total += timedelta(seconds=one.timeout) * (step.retries + 1)
        return total + timedelta(seconds=resources.limits(resources.resolve(pipeline.resources)).timeout)

    def _remember(self, order: Order, wanted: Sequence[Occasion]) -> None:
        """What this run supersedes looks at itself again; what supersedes this one can be named."""
        redis = self.context.queue.redis
        redis.set(_order_key(order.run), json.dumps({"refs": [o.ref for o in wanted]}), ex=_KEPT)
        for ref in (occasion.ref for occasion in wanted if not occasion.tag):
            before, run = slots.last_of(redis, order.repository, order.app, ref)
            if run != order.run:
                slots.set_last(redis, order.repository, order.app, ref, order.sha, order.run)
            if before != order.sha and run and self._line(order.app).under_way(run):
                older = subjects.commit(order.repository, before)
                self.context.queue.enqueue(older, reason=f"superseded by {order.sha[:7]}")

    def _died_too_often(self, run: str) -> bool:
        redis, key = self.context.queue.redis, f"ghapp:restarts:{run}"
        count = int(redis.incr(key))
        redis.expire(key, _KEPT)
        return count > _MOST_RESTARTS + 1

    # --- endings ----------------------------------------------------------------------------------
    def _cancel(self, file: AppFile, present: Mapping[str, CheckRun], todo: Plan) -> None:
        reason = f"cancelled by {todo.by}" if todo.by else self._superseded_by(file.app.app, todo.cancel)
        self.context.queue.cancel(todo.cancel, reason)
        freed = self._line(file.app.app).leave(todo.cancel)
        if freed:
            self.context.queue.enqueue(subjects.commit(self.at.client.id, freed), reason="a slot is free")
        if not self.context.queue.alive(todo.cancel):  # nobody is there who would end them
            self._end(file, present, todo.cancel, Outcome.CANCELLED, reason)

    def _give_up(self, order: Order, present: Mapping[str, CheckRun]) -> None:
        why = f"its worker died {_MOST_RESTARTS + 1} times; see the workers' logs, then re-run"
        file = next(file for file in self.at.apps.values() if file.app.app == order.app)
        self._end(file, present, order.run, Outcome.ERROR, why)

    def _end(self, file: AppFile, present: Mapping[str, CheckRun], run: str, outcome: Outcome, why: str) -> None:
        order = self._order(file, (), tuple(present), run, present, "")
        page = Page(run_url(self.context.settings, run), completed_at=self.context.now)
        for stage, check in present.items():
            if check.status != "completed" and check.external_id == run:
                self._put(report.finished(order, StageResult(stage, (), why, outcome), page))

    def _line(self, app: str) -> Slots:
        return Slots(self.context.queue, self.at.client.id, app)

    def _superseded_by(self, app: str, run: str) -> str:
        """Which newer commit has taken the place of a run's, if that is known."""
        raw = self.context.queue.redis.get(_order_key(run))
        for ref in json.loads(text(raw))["refs"] if raw is not None else ():
            newer, _ = slots.last_of(self.context.queue.redis, self.at.client.id, app, ref)
            name = ref.removeprefix("refs/heads/").removeprefix("refs/")
            if newer and newer != self.at.sha:
                return f"{decide.SUPERSEDED} by {newer[:7]} on {name}"
        gone = "this commit is no longer the head of a branch or of an open pull request"
        return f"{decide.SUPERSEDED}: {gone}"

    # --- release ----------------------------------------------------------------------------------
    def _release(self, file: AppFile, wanted: Sequence[Occasion], present: Mapping[str, CheckRun]) -> None:
        """A commit that is green and releases has a release: written here where no run did, as when it was built for a
        pull request first, or when there is nothing to build."""
        at, app = self.at, file.app
        releasing = [o for o in wanted if triggers.releases(app, o, self._default(file))]
        if not at.trusted or not releasing or any(check.conclusion != "success" for check in present.values()):
            return
        try:
            who = signer(self.context.settings)
        except SettingsError as e:
            self._put(Check(names.CHECK_RELEASE, "no release", str(e), conclusion="failure"))
            return
        known = notes.read_note(at.git, at.sha, who.trusted)
        if any(r.app == app.app for r in releases({at.sha: known})):
            return
        images = evidence.built_images(known, app.app)
        if app.pipeline.image is not None and not images:
            return
        order = replace(self._order(file, releasing, (), "", present, ""), attempt=max(1, decide.attempt(present) - 1))
        made = evidence.release(order, known, images, (), self.context.now)
        notes.append(at.git, at.sha, [made.statement()], who, self.context.now)
        for environment in order.environments:
            subject = subjects.environment(at.client.id, app.app, environment)
            self.context.queue.enqueue(subject, reason=f"release {made.name}")

    def _put(self, check: Check) -> None:
        made = checks.put(self.at.client, self.at.sha, check, self.present.get(check.name))
        if made is not None:
            self.present[check.name] = made


def _order_key(run: str) -> str:
    return f"ghapp:order:{run}"
