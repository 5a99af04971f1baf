"""What a plugin is: a step defined once, with typed inputs, a version and a result that can be judged.

A plugin runs its tool in the step's sandbox and reads only files that the tool wrote there. A tool that is missing is
an error with a sentence, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from jobs.pipeline.result import Ended, Outcome


class Inputs(BaseModel):
    """A plugin's inputs; unknown ones are errors. Field descriptions are its documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PluginError(RuntimeError):
    """The plugin cannot do its work: the step is in error. The message says what to do."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """A tool that ended: its exit status and what it wrote to stdout (empty unless asked for)."""

    status: int
    stdout: bytes
    stopped: str = ""


class Tool(Protocol):
    """Run a program in the step's sandbox; what it prints goes to the step's log.

    ``stdout`` keeps standard output apart and returns it. ``readable`` are further folders it may read. Raises
    :class:`PluginError` if it is not installed or was stopped.
    """

    def __call__(
        self,
        *argv: str,
        stdout: bool = False,
        env: Mapping[str, str] | None = None,
        network: bool = True,
        readable: tuple[Path, ...] = (),
    ) -> ToolRun: ...


@dataclass(frozen=True, slots=True)
class Place:
    """What a plugin is given: where the checkout is, what is being built, and how to run a tool.

    ``workspace`` is the checkout on this machine and ``inside`` how the sandbox sees it; ``scratch`` likewise with
    ``scratch_inside`` for files that go to and from tools. ``directory`` is the step's working directory. ``images``
    are those built so far (repository → digest). ``event`` are the facts of the trigger, all texts in it a stranger's.
    """

    workspace: Path
    inside: str
    scratch: Path
    scratch_inside: str
    directory: str
    repository: str
    commit: str
    app: str
    run: str
    event: Mapping[str, Any]
    images: Mapping[str, str]
    trusted: bool
    tool: Tool
    say: Callable[[str], None]
    secret: Callable[[str], str]
    data_dir: Path
    settings: Any
    github: Any = None
    steps: Mapping[str, Any] = field(default_factory=dict)

    def result(self, name: str) -> bytes | None:
        """A file that a tool wrote into the scratch folder; links are not followed."""
        from jobs.pipeline.files import read_plain

        return read_plain(self.scratch / name)


class Plugin(Protocol):
    """One plugin. ``version`` is its own, semantic; the tool's version belongs into the result's facts."""

    name: str
    version: str
    description: str
    inputs: type[Inputs]

    def run(self, inputs: Any, at: Place) -> Ended:
        """Do it. Raises :class:`PluginError`."""
        ...


def missing_tool(program: str) -> PluginError:
    return PluginError(f"{program} is not installed on this worker: install it there, or remove the step")


def passed(**more: Any) -> Ended:
    return Ended(Outcome.SUCCESS, exit_code=0, **more)


def failed(sentence: str, **more: Any) -> Ended:
    return Ended(Outcome.FAILURE, sentence, **more)
