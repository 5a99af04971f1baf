"""A step that is a script. The script is a file that its shell reads; nothing is ever put into its text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ghapp.config.model import Step
from jobs.executors import Limits, Task
from jobs.pipeline import outputs
from jobs.pipeline.files import Outside, inside
from jobs.pipeline.log import StepLog
from jobs.pipeline.result import Ended, Outcome

if TYPE_CHECKING:
    from jobs.pipeline.step import Site

_SHELLS = {
    "sh": ("sh", "-e"),
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
    "python": ("python3", "-u"),
}


def run_script(step: Step, env: Mapping[str, str], site: Site, scratch: Path, limit: Limits, log: StepLog) -> Ended:
    """Run the step's script once, in an empty ``scratch`` folder of its own. Raises ``ExecutorError``."""
    if step.image and site.executor.name == "local":
        return Ended(Outcome.ERROR, "image: the local executor runs no containers; remove it, or use kubernetes")
    try:
        if not inside(site.workspace, step.working_directory).is_dir():
            return Ended(Outcome.ERROR, f"the working directory {step.working_directory!r} is not in the checkout")
    except Outside as e:
        return Ended(Outcome.ERROR, f"working_directory: {e}")
    (scratch / "script").write_text(step.run, "utf-8", newline="\n")
    (scratch / "outputs").touch()
    seen = site.executor.scratch_path(scratch)
    placed = site.profiles.resolve(site.pipeline.resources, step.resources)
    task = Task(
        (*_SHELLS[step.shell], f"{seen}/script"),
        site.workspace,
        scratch,
        name=scratch.name,
        directory=step.working_directory,
        env={**env, "GHAPP_OUTPUT": f"{seen}/outputs"},
        limits=limit,
        network=site.order.trusted,
        image=step.image,
        node_selector=placed.node_selector,
        tolerations=placed.tolerations,
        architectures=placed.architectures,
    )
    if not site.order.trusted:
        log.line("a pull request from a fork: no secrets, no network, a token that can only read")
    done = site.executor.run(task, log.write, site.stop)
    if done.stopped:
        outcome = Outcome.TIMED_OUT if done.timed_out else Outcome.FAILURE
        outcome = Outcome.CANCELLED if site.stop.is_set() else outcome
        return Ended(outcome, done.stopped, exit_code=done.status)
    try:
        given = outputs.read(scratch / "outputs")
    except outputs.BadOutputs as e:
        return Ended(Outcome.ERROR, str(e), exit_code=done.status)
    if done.status == 0:
        return Ended(Outcome.SUCCESS, exit_code=0, outputs=given)
    return Ended(Outcome.FAILURE, f"exit status {done.status}", exit_code=done.status, outputs=given)
