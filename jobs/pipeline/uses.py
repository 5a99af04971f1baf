"""A step that is a plugin: its inputs checked, its tool run in the step's sandbox, its result taken as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ghapp.config.model import Step
from ghapp.registry import BadReference, RegistryError
from ghapp.registry.credentials import BadAuthFile
from jobs import plugins
from jobs.executors import Limits, Task
from jobs.pipeline.files import Outside, read_plain
from jobs.pipeline.log import StepLog
from jobs.pipeline.result import Ended, Outcome
from jobs.plugins import programs
from jobs.plugins.interface import Place, PluginError, ToolRun, missing_tool
from jobs.scanners.interface import BadReport

if TYPE_CHECKING:
    from jobs.pipeline.step import Site, Sofar

# Standard output goes into a file of the scratch folder; the program's name and arguments are never shell text.
_APART = ("sh", "-c", 'out="$1"; shift; exec "$@" > "$out"', "ghapp")


def run_plugin(
    step: Step,
    env: Mapping[str, str],
    given: dict[str, Any],
    site: Site,
    sofar: Sofar,
    scratch: Path,
    limit: Limits,
    log: StepLog,
) -> Ended:
    """Run the step's plugin once. Raises ``PluginError`` and ``ExecutorError``."""
    try:
        plugin = plugins.find(step.uses)
        inputs = plugin.inputs.model_validate(given)
    except plugins.UnknownPlugin as e:
        return Ended(Outcome.ERROR, f"{e}: {e.fix}")
    except ValidationError as e:
        wrong = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors(include_url=False))
        return Ended(Outcome.ERROR, f"the inputs of {step.uses} are wrong: {wrong}")
    names = iter(range(1_000))

    def tool(
        *argv: str,
        stdout: bool = False,
        env: Mapping[str, str] | None = None,
        network: bool = True,
        readable: tuple[Path, ...] = (),
    ) -> ToolRun:
        program = programs.find(argv[0])
        if program is None:
            raise missing_tool(argv[0])
        argv = (program, *argv[1:])
        seen = site.executor.scratch_path(scratch)
        out = f"stdout-{next(names)}"
        task = Task(
            (*_APART, f"{seen}/{out}", *argv) if stdout else argv,
            site.workspace,
            scratch,
            name=scratch.name,
            directory=step.working_directory,
            env=dict(env or {}),
            limits=limit,
            network=network,
            readable=readable,
        )
        done = site.executor.run(task, log.write, site.stop)
        if done.stopped:
            raise PluginError(done.stopped)
        return ToolRun(done.status, (read_plain(scratch / out) or b"") if stdout else b"")

    def secret(name: str) -> str:
        if name not in step.secrets:
            raise PluginError(f"the step does not name the secret {name!r}: add it under `secrets`")
        return env[name]

    place = Place(
        workspace=site.workspace,
        inside=site.executor.workspace_path(site.workspace),
        scratch=scratch,
        scratch_inside=site.executor.scratch_path(scratch),
        directory=step.working_directory,
        repository=site.order.full_name,
        commit=site.order.sha,
        app=site.order.app,
        run=site.order.run,
        event=site.order.occasion.facts(),
        images=sofar.images,
        trusted=site.order.trusted,
        tool=tool,
        say=log.line,
        secret=secret,
        data_dir=site.data_dir,
        settings=site.settings,
        github=site.github,
        steps=sofar.steps,
    )
    try:
        return plugin.run(inputs, place)
    except (BadReport, Outside, BadReference, RegistryError, BadAuthFile) as e:
        raise PluginError(str(e)) from None
