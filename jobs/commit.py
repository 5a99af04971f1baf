"""The reconcile of one commit: which apps want a run of it, which runs go on, end, start again, or become a release.

The check runs on the commit are the state; everything else is looked up afresh. A run is started by making its check
runs (queued, ``external_id`` the run's id) and then its job; whatever dies in between, the next reconcile goes on from
what the check runs say. Calls for a push: the commit's check runs, its pull requests, one for each check run made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ghapp import names
from ghapp.config import AppFile
from ghapp.config.model import Schedule
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.evidence.statement import Statement
from ghapp.github.checks import Check
from ghapp.github.people import People
from ghapp.settings import SettingsError
from jobs.mirrors import mirror
from jobs.pipeline import asks, conditions, configcheck, decide, inputs, schedule, triggers, trust
from jobs.pipeline.board import Board
from jobs.pipeline.decide import Wish
from jobs.pipeline.problems import problems
from jobs.pipeline.profiles import profiles
from jobs.pipeline.releasing import release_if_due
from jobs.pipeline.run import stages_of
from jobs.pipeline.secrets import Secrets
from jobs.pipeline.situation import Situation, look, occasions
from jobs.pipeline.starting import Runs
from jobs.pipeline.triggers import Occasion
from jobs.reconcile import Context
from jobs.subjects import Again, Subject

# The most telling reason for a run comes first; a push that releases nothing comes last.
_TELLING = ("tag", "push", "schedule", "pull_request", "merge_group", "dispatch", "comment")

_TAG_KEPT = 3 * 86_400  # seconds that a tag is not built again for, should its run leave no evidence


def reconcile(subject: Subject, context: Context) -> Again | None:
    """Look at one commit."""
    client = context.github.for_repository(subject.repository)
    at = look(client, mirror(context.settings.mirrors, client), subject.sha)
    if at is None:
        return None
    desk = Desk(context, at, Board(client, at.sha))
    broken = desk.refuse_broken()
    agains = [desk.app(file) for _, file in sorted(at.apps.items()) if file.path not in broken]
    return min((again for again in agains if again), key=lambda again: again.at, default=None)


@dataclass(frozen=True)
class Desk:
    """One look at a commit: its situation, and the check runs on it."""

    context: Context
    at: Situation
    board: Board

    def refuse_broken(self) -> set[str]:
        """Show everything that is wrong with the files in one check; returns the files that cannot be used."""
        found = list(self.at.problems)
        secrets = Secrets(self.context.settings.secrets_dir, self.at.client.full_name) if self.at.trusted else None
        for file in self.at.apps.values():
            found += problems(file, secrets, profiles(self.context, self.at, file.app.app))
        if not self.at.headless and (found or names.CHECK_CONFIG in self.board.present):
            self.board.put(configcheck.check(found, elsewhere=not self.at.trusted))
        return {problem.file for problem in found}

    def app(self, file: AppFile) -> Again | None:
        """Bring one app's runs of this commit to where they should be."""
        stages = stages_of(file.app.pipeline)
        present = self.board.runs_of(file.app.app, stages)
        allowed = profiles(self.context, self.at, file.app.app)
        runs = Runs(self.context, self.at, self.board, file, present, allowed)
        wish = asks.wish_for(self.context, self.at.client, file.app.app, self.board.present)
        try:
            wanted = self._wanted(runs)
            reasons = [*self._called(file, wish), *wanted]
        except conditions.BadCondition as e:
            self.board.put(configcheck.condition(file, e))
            return None
        except inputs.BadInputs as e:
            self.board.put(configcheck.refused_call(file.app.app, str(e)))
            return None
        if wanted and self._holds_back(file, stages, wanted[0], wish):
            return None
        if wish is None and any(occasion.kind == "schedule" for occasion in wanted):
            wish = Wish("test", by="its schedule")
        if wish is None and self._tagged_since(file, wanted):
            wish = Wish("test")
        todo = decide.plan(
            stages,
            runs.present,
            wanted=bool(wanted),
            wish=wish,
            older_go_on=not file.app.pipeline.concurrency.cancel_superseded,
        )
        again: Again | None = None
        if todo.cancel:
            runs.cancel(todo.cancel, todo.by)
        elif todo.resume:
            again = runs.resume(todo.resume, stages, wanted)
        elif todo.start:
            again = runs.start(todo.start, reasons, wish)
        elif len(runs.present) == len(stages):
            release_if_due(runs, wanted)
        moment = schedule.next_moment(self._schedules(file), self.context.now)
        return again or (Again(moment, "its schedule") if moment else None)

    # --- what is wanted ---------------------------------------------------------------------------
    def _wanted(self, runs: Runs) -> list[Occasion]:
        """The occasions that the app's triggers want, the most telling first. Raises ``BadCondition``."""
        file, memory = runs.file, runs.memory
        refs = [f"refs/heads/{branch}" for branch in self.at.branches]
        last = {ref: memory.last(ref).decided for ref in refs}
        found = occasions(self.at, file, last) + self._scheduled(file)
        wanted = [occasion for occasion in found if triggers.wanted(file.app.pipeline.on, occasion)]
        for ref in refs:
            if last[ref] != self.at.sha and not any(occasion.ref == ref for occasion in wanted):
                memory.decided(ref, self.at.sha)

        def rank(occasion: Occasion) -> int:
            idle = occasion.kind == "push" and not triggers.releases(file.app, occasion, runs.default_branch)
            return len(_TELLING) if idle else _TELLING.index(occasion.kind)

        return sorted(wanted, key=rank) if len(wanted) > 1 else wanted

    def _called(self, file: AppFile, wish: Wish | None) -> list[Occasion]:
        """The occasion that a call is. Raises ``BadInputs``, also where the app takes no calls."""
        if wish is None or wish.inputs is None:
            return []
        declared = file.app.pipeline.on.dispatch
        if declared is None:
            raise inputs.BadInputs(f"{file.app.app} takes no calls: its file has no `on.dispatch`")
        values = inputs.read(declared.inputs, wish.inputs)
        return [Occasion("dispatch", branch=next(iter(self.at.branches), ""), author=wish.by, inputs=values)]

    def _schedules(self, file: AppFile) -> list[Schedule]:
        """The schedules of the branches that this commit is the head of."""
        every = file.app.pipeline.on.schedule
        return [one for one in every if (one.branch or self.at.default_branch) in self.at.branches]

    def _scheduled(self, file: AppFile) -> list[Occasion]:
        schedules, now = self._schedules(file), self.context.now
        if not schedules:
            return []
        moment = schedule.due(schedules, self._evidence(), file.app.app, self.at.committed_at, now)
        if moment is None:
            return []
        # Without a signing key there is no evidence that tells; once a moment is enough all the same.
        key = f"ghapp:scheduled:{self.at.client.id}:{file.app.app}:{moment:%Y%m%dT%H%M}"
        if not self.context.queue.redis.set(key, self.at.sha, nx=True, ex=int(schedule.MISSED.total_seconds())):
            return []
        return [Occasion("schedule", branch=schedules[0].branch or self.at.default_branch)]

    def _tagged_since(self, file: AppFile, wanted: Sequence[Occasion]) -> bool:
        """Whether a tag that wants a run came after the commit was built for something else."""
        tags = [occasion.ref for occasion in wanted if occasion.kind == "tag"]
        known = [s for s in self._evidence() if s.predicate.get("app") == file.app.app] if tags else []
        new = set(tags) - {str(s.predicate.get("ref")) for s in known}
        key = f"ghapp:tagged:{self.at.client.id}:{file.app.app}:{self.at.sha}"
        redis = self.context.queue.redis
        return bool(known) and any(redis.set(f"{key}:{ref}", "1", nx=True, ex=_TAG_KEPT) for ref in sorted(new))

    def _evidence(self) -> list[Statement]:
        """The evidence on this commit; none where nobody signs."""
        try:
            return notes.read_note(self.at.git, self.at.sha, signer(self.context.settings).trusted)
        except SettingsError:
            return []

    # --- what holds it back -----------------------------------------------------------------------
    def _holds_back(self, file: AppFile, stages: Sequence[str], occasion: Occasion, wish: Wish | None) -> bool:
        """Whether nothing may run: the commit's message asks for that, or it is a stranger's. A check says so."""
        if wish is None and (mark := triggers.skipped_by_message(self.at.message)):
            for stage in stages:
                self._remark(file, stage, f"skipped: {mark} in the commit's message", _SKIPPED.format(mark=mark))
            return True
        if self.at.trusted or self._may_run(occasion):
            return False
        if stages and occasion.pull:
            words = trust.sentence(occasion.pull, self.at.sha)
            name = names.stage_check(file.app.app, stages[0])
            summary = words[:1].upper() + words[1:]
            self.board.put(Check(name, "waits for /ok-to-test", summary, conclusion="action_required"))
        return True

    def _remark(self, file: AppFile, stage: str, title: str, summary: str) -> None:
        name = names.stage_check(file.app.app, stage)
        if name not in self.board.present:
            self.board.put(Check(name, title, summary, conclusion="neutral"))

    def _may_run(self, occasion: Occasion) -> bool:
        people = People(self.context.github.store, self.context.github.for_installation(self.at.client.installation))
        return occasion.pull is not None and trust.may_run(self.at.client, people, occasion.pull, self.at.sha)


_SKIPPED = "The commit's message says `{mark}`. Comment `/test` on its pull request to run it all the same."
