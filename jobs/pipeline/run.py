"""One run: before → image → after on one clean checkout, each stage a check run that is green only with its evidence.

A stage that is green has its evidence on the commit's note. A run that dies is started again and carries out only the
stages whose check runs are still open.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ghapp.config.model import Pipeline, Step
from ghapp.evidence import notes
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Release, releases
from ghapp.evidence.statement import Statement
from ghapp.git import Git, GitError
from ghapp.registry import RegistryError
from jobs.pipeline import baseline, evidence, record, report
from jobs.pipeline.artifacts import Keeper
from jobs.pipeline.cache import Caches
from jobs.pipeline.image import build_image, set_tags, tags
from jobs.pipeline.log import StepLog
from jobs.pipeline.order import STAGES, Order
from jobs.pipeline.publish import Publisher
from jobs.pipeline.report import Page, Progress
from jobs.pipeline.result import Ended, Outcome, StageResult, StepResult
from jobs.pipeline.step import Site, Sofar, carry_out

log = logging.getLogger(__name__)

_WRITE_TRIES = 4


def stages_of(pipeline: Pipeline) -> tuple[str, ...]:
    """The stages in which an app has something to do."""
    has = {"before": bool(pipeline.before), "image": pipeline.image is not None, "after": bool(pipeline.after)}
    return tuple(stage for stage in STAGES if has[stage])


@dataclass
class Run:
    """What is known while a run goes on. ``signer`` is ``None`` where nothing may be attested (strangers' code)."""

    site: Site
    git: Git
    publisher: Publisher
    signer: Signer | None
    page: Page
    known: list[Statement]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    done: list[StageResult] = field(default_factory=list)
    release: Release | None = None
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started_at = self.clock()
        self.keeper = Keeper(self.site, self.started_at)
        folder = self.site.data_dir / "cache" / "steps"
        self.caches = Caches(folder, self.site.order, self.site.pipeline.cache, self.site.workspace)

    def perform(self) -> None:
        """Carry out the run's stages in order. A stage after a failed one runs only its ``always`` steps."""
        order, pipeline = self.site.order, self.site.pipeline
        sofar = Sofar(images=evidence.built_images(self.known, order.app))
        todo = [stage for stage in stages_of(pipeline) if stage in order.stages]
        if found := self.caches.restore():
            self.remarks.append(f"found in the cache: {', '.join(found)}")
        for stage in todo:
            began = replace(self.page, started_at=self.clock())
            self.publisher.change(report.running(order, stage, began, Progress(waiting=_titles(pipeline, stage))))
            result, after = self._stage(stage, sofar, began)
            result, sofar = _not_run(result, sofar), after
            if stage == todo[-1] and result.green and not sofar.failed:
                self.caches.save()
            result = self._attest(result, sofar, last=stage == todo[-1])
            sofar = replace(sofar, failed=sofar.failed or not result.green)
            self.done.append(result)
            self._record(None)
            self.publisher.change(report.finished(order, result, self._ended(began, stage == todo[-1])))

    # --- stages -----------------------------------------------------------------------------------
    def _stage(self, stage: str, sofar: Sofar, page: Page) -> tuple[StageResult, Sofar]:
        if stage == "image":
            return self._image(sofar, page)
        steps: Sequence[Step] = getattr(self.site.pipeline, stage)
        results: list[StepResult] = []
        for index, step in enumerate(steps):
            waiting = [later.title for later in steps[index + 1 :]]
            changed = self._shower(stage, page, results, step.title, waiting)
            self._record({"stage": stage, "step": step.title, "log": self.site.log_key(f"{stage}-{index}")}, results)
            result = self._compared(carry_out(step, f"{stage}-{index}", self.site, sofar, changed))
            self.keeper.keep(step, result)
            results.append(result)
            sofar = sofar.after(result)
        return self._maybe_stopped(StageResult(stage, tuple(results))), sofar

    def _compared(self, result: StepResult) -> StepResult:
        if self.signer is None or "scanner" not in result.ended.facts:
            return result
        return baseline.compared(result, baseline.read(self.git, self.site.order, self.signer.trusted))

    def _maybe_stopped(self, result: StageResult) -> StageResult:
        """A stage that was stopped says by what, before all else."""
        if any(step.ended.outcome is Outcome.CANCELLED for step in result.steps):
            return replace(result, sentence=self.site.stop.reason, outcome_override=Outcome.CANCELLED)
        return result

    def _image(self, sofar: Sofar, page: Page) -> tuple[StageResult, Sofar]:
        image = self.site.pipeline.image
        if image is None or sofar.failed:
            skipped = StepResult("build image", "image", Ended(Outcome.SKIPPED, "an earlier stage failed"))
            return StageResult("image", (skipped,)), replace(sofar, images={})
        if images := self._already_built():
            again = Ended(Outcome.SUCCESS, exit_code=0, facts={"image": images})
            return StageResult("image", (StepResult("build image", "image", again),)), replace(sofar, images=images)
        self._record({"stage": "image", "step": "build image", "log": self.site.log_key("image-0")})
        result = build_image(image, self.site, sofar, self._shower("image", page, [], "build image", []))
        images = dict(result.ended.facts.get("image") or {})
        return self._maybe_stopped(StageResult("image", (result,))), replace(sofar.after(result), images=images)

    def _already_built(self) -> dict[str, str]:
        """What need not be built: an image of this very run, whose worker died, or of a commit that is only tagged now.

        Building again might give another digest, and a digest is what was tested.
        """
        order = self.site.order
        mine = self.known if order.occasion.tag else [s for s in self.known if s.predicate.get("run") == order.run]
        return evidence.built_images(mine, order.app)

    def _shower(
        self, stage: str, page: Page, done: Sequence[StepResult], title: str, waiting: Sequence[str]
    ) -> Callable[[StepLog], None]:
        before = tuple(done)

        def show(output: StepLog) -> None:
            progress = Progress(before, title, output.tail(20, 8_000), waiting)
            self.publisher.live(report.running(self.site.order, stage, page, progress))

        return show

    # --- evidence ---------------------------------------------------------------------------------
    def _attest(self, result: StageResult, sofar: Sofar, *, last: bool) -> StageResult:
        """Write the stage's evidence and, at the green end of a run that releases, the release."""
        if self.signer is None:
            return result
        order, now = self.site.order, self.clock()
        new = [s for s in evidence.statements(order, result, now) if s.id not in {k.id for k in self.known}]
        made = None
        if last and order.release and result.green and not sofar.failed and all(s.green for s in self.done):
            image = self.site.pipeline.image
            names = tags(image, order) if image else ()
            made = evidence.release(order, [*self.known, *new], sofar.images, names, now)
            if made.name in {r.name for r in releases({order.sha: self.known})}:
                made = None
        try:
            self._write([*new, *([made.statement()] if made else [])], now)
            if result.stage == "image" and result.green and self.site.pipeline.image and sofar.images:
                set_tags(self.site.pipeline.image, next(iter(sofar.images.values())), order, self.site.settings)
        except RegistryError as e:
            return replace(result, sentence=str(e), outcome_override=Outcome.FAILURE)
        except GitError as e:
            log.warning("evidence of %s could not be written: %s", order.run, e)
            sentence = f"the evidence could not be written to {self.git.url}: {e}"
            return replace(result, sentence=sentence, outcome_override=Outcome.ERROR)
        self.release = made or self.release
        return result

    def _write(self, new: Sequence[Statement], now: datetime) -> None:
        if self.signer is None or not new:
            return
        for attempt in range(_WRITE_TRIES):
            try:
                notes.append(self.git, self.site.order.sha, new, self.signer, now)
                break
            except GitError:
                if attempt == _WRITE_TRIES - 1:
                    raise
                time.sleep(2.0**attempt)
        self.known += new

    # --- what is shown ----------------------------------------------------------------------------
    def _ended(self, page: Page, last: bool) -> Page:
        remarks = [*self.remarks, *self.keeper.problems]
        if last and self.release:
            remarks.append(f"release `{self.release.name}`")
        return replace(page, completed_at=self.clock(), notes=remarks)

    def _record(self, running: Mapping[str, str] | None, steps: Sequence[StepResult] = ()) -> None:
        stages = [*self.done, *([StageResult(running["stage"], tuple(steps))] if running and steps else [])]
        record.write(
            self.site.store,
            self.site.order,
            stages=stages,
            running=running,
            artifacts=self.keeper.kept,
            started_at=self.started_at,
            now=self.clock(),
            release=self.release.name if self.release else "",
        )


def _not_run(result: StageResult, before: Sofar) -> StageResult:
    """A stage of which something was left out because an earlier one failed must not look as if it had passed."""
    left_out = any(step.ended.outcome is Outcome.SKIPPED for step in result.steps)
    if before.failed and left_out and result.outcome in (Outcome.SKIPPED, Outcome.SUCCESS):
        return replace(result, sentence="not run: an earlier stage failed", outcome_override=Outcome.CANCELLED)
    return result


def _titles(pipeline: Pipeline, stage: str) -> list[str]:
    return ["build image"] if stage == "image" else [step.title for step in getattr(pipeline, stage)]


def close_open(
    publisher: Publisher, order: Order, stages: Sequence[str], page: Page, outcome: Outcome, why: str
) -> None:
    """End the check runs of stages that will not be carried out any more."""
    for stage in stages:
        ended = StageResult(stage, (), why, outcome)
        publisher.change(report.finished(order, ended, page))
