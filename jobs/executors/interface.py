"""What an executor is: it runs one task somewhere safe, streams what it prints, and always ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

WORKSPACE = "/workspace"  # where a task finds the checkout, on every executor that can choose


class ExecutorError(RuntimeError):
    """The task could not be started at all; the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task may use: ``timeout`` in seconds, ``memory`` and ``disk`` in bytes, ``cpu`` in cores; 0: no limit."""

    timeout: float = 3600
    cpu: float = 0
    memory: int = 0
    disk: int = 0
    processes: int = 4096


@dataclass(frozen=True, slots=True)
class Task:
    """One program to run on a checkout.

    ``workspace`` is the checkout and ``scratch`` an empty folder for home, temporary files and outputs; both are
    written to. ``directory`` is where to start, relative to the workspace. ``env`` is the whole environment;
    ``readable`` are further host folders it may read. Without ``sandbox`` it is a builder, which makes its own.
    ``image`` and the placement (``node_selector``, ``tolerations``, ``architectures``) matter to executors that start
    containers.
    """

    argv: tuple[str, ...]
    workspace: Path
    scratch: Path
    name: str = "step"
    directory: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    network: bool = True
    sandbox: bool = True
    readable: tuple[Path, ...] = ()
    image: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, object], ...] = ()
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: its exit status, how long it took, and — if it was stopped — why, in a sentence."""

    status: int
    seconds: float
    stopped: str = ""
    timed_out: bool = False


class Stop:
    """Somebody's wish that a task ends now, with the reason. Set once; the first reason stays."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def set(self, reason: str) -> None:
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()


class Executor(Protocol):
    """Runs tasks. ``isolated`` says whether code of strangers may be run on it."""

    name: str

    @property
    def isolated(self) -> bool: ...

    def scratch_path(self, task_scratch: Path) -> str:
        """How a task sees its scratch folder."""
        ...

    def workspace_path(self, workspace: Path) -> str:
        """How a task sees its checkout."""
        ...

    def run(self, task: Task, output: Callable[[bytes], None], stop: Stop) -> Ended:
        """Run ``task`` to its end, giving ``output`` what it prints as it prints it.

        A task that exceeds a limit, or while ``stop`` is set, is killed with everything it started. Raises
        :class:`ExecutorError` when it cannot be started.
        """
        ...
