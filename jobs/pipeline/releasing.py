"""Releases that no run has written: of a commit that was tested for a pull request first, or has nothing to build."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ghapp import names
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.evidence.release import releases
from ghapp.github.checks import Check
from ghapp.settings import SettingsError
from jobs import subjects
from jobs.pipeline import decide, evidence, triggers
from jobs.pipeline.triggers import Occasion

if TYPE_CHECKING:
    from jobs.pipeline.starting import Runs

_GREEN = ("success", "skipped")


def release_if_due(runs: Runs, wanted: Sequence[Occasion]) -> None:
    """Write the release of a green commit that should have one and has none."""
    at, app, context = runs.at, runs.file.app, runs.context
    releasing = [o for o in wanted if triggers.releases(app, o, runs.default_branch)]
    if not at.trusted or not releasing or any(check.conclusion not in _GREEN for check in runs.present.values()):
        return
    try:
        who = signer(context.settings)
    except SettingsError as e:
        runs.board.put(Check(names.CHECK_RELEASE, "no release", str(e), conclusion="failure"))
        return
    known = notes.read_note(at.git, at.sha, who.trusted)
    images = evidence.built_images(known, app.app)
    if any(r.app == app.app for r in releases({at.sha: known})) or (app.pipeline.image is not None and not images):
        return
    order = runs.order((), releasing, max(1, decide.attempt(runs.present) - 1), None)
    made = evidence.release(order, known, images, (), context.now)
    notes.append(at.git, at.sha, [made.statement()], who, context.now)
    for environment in order.environments:
        subject = subjects.environment(at.client.id, app.app, environment)
        context.queue.enqueue(subject, reason=f"release {made.name}")
