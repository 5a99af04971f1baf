"""Tasks as sub-processes of the worker, in a bubblewrap sandbox where the machine allows it.

A task gets its own home, its own processes and no environment but what it is given. It is killed as a whole: at its
time limit, when it uses too much memory or disk, when the run is stopped, and when the worker dies.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ghapp import process
from ghapp.settings import Settings
from jobs.executors import bubblewrap, watch
from jobs.executors.handover import hand_over
from jobs.executors.interface import WORKSPACE, Ended, Executor, ExecutorError, Limits, Stop, Task
from policies.quantity import format_memory

_CHUNK = 1 << 16
_LOOK = 0.25  # seconds between two looks at limits and at the wish to stop


class Local:
    """The executor that needs nothing but this machine."""

    name = "local"

    @property
    def isolated(self) -> bool:
        return bubblewrap.mode() != "none"

    def scratch_path(self, task_scratch: Path) -> str:
        return bubblewrap.SCRATCH if self.isolated else str(task_scratch)

    def workspace_path(self, workspace: Path) -> str:
        return WORKSPACE if self.isolated else str(workspace)

    def run(self, task: Task, output: Callable[[bytes], None], stop: Stop) -> Ended:
        for folder in ("home", "tmp"):
            (task.scratch / folder).mkdir(parents=True, exist_ok=True)
        boxed = self.isolated and task.sandbox
        scratch = self.scratch_path(task.scratch) if boxed else str(task.scratch)
        env = {
            "PATH": bubblewrap.path(),
            "LANG": "C.UTF-8",
            "TMPDIR": "/tmp" if boxed else f"{scratch}/tmp",  # noqa: S108 - the task's own
            **task.env,
            "HOME": f"{scratch}/home",
            watch.MARK: (mark := uuid.uuid4().hex),
        }
        started = time.monotonic()
        try:
            running = process.start(
                _command(task, boxed), env=env, cwd=None if boxed else task.workspace / task.directory
            )
        except process.ProcessError as e:
            raise ExecutorError(str(e)) from None
        _pin(running.pid, task.limits.cpu)
        ended = ""
        try:
            ended = _follow(running, task, output, stop, started)
        finally:
            _kill(running, "" if boxed else mark)
        timed_out = ended == _TIMEOUT
        if timed_out:
            ended = f"killed after its time limit of {task.limits.timeout:g} s"
        return Ended(running.returncode, time.monotonic() - started, ended, timed_out)


def _command(task: Task, boxed: bool) -> tuple[str, ...]:
    if not boxed:
        return (*bubblewrap.limits(task.limits), *task.argv) if shutil.which("prlimit") else task.argv
    if bubblewrap.mode() == "root":
        hand_over(task.workspace, bubblewrap.own_id())
        hand_over(task.scratch, bubblewrap.own_id())
    return bubblewrap.command(task)


_TIMEOUT = "timeout"


def _follow(
    running: subprocess.Popen[bytes], task: Task, output: Callable[[bytes], None], stop: Stop, started: float
) -> str:
    """Pass on what is printed until the program ends; returns why it has to be killed, or nothing."""
    pipe = running.stdout
    if pipe is None:
        raise ExecutorError("the task was started without a pipe")
    look, disk_due, over = started, started, 0.0
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while True:
            if ready.select(timeout=_LOOK):
                chunk = os.read(pipe.fileno(), _CHUNK)
                if not chunk:
                    break
                output(chunk)
            elif running.poll() is not None:
                break  # the program ended; what it left running holds the pipe open and dies with the sandbox
            now = time.monotonic()
            if now < look:
                continue
            look = now + _LOOK
            if over and now > over:
                break  # without a sandbox, what it left running may print for ever
            over = over or (now + 1 if running.poll() is not None else 0.0)
            if stop.is_set():
                return stop.reason
            if now - started > task.limits.timeout:
                return _TIMEOUT
            if reason := _memory_or_processes(running.pid, task.limits):
                return reason
            if now >= disk_due:
                if reason := watch.too_much_disk(task):
                    return reason
                # Counting a large tree takes a while: never more than a tenth of the time.
                disk_due = time.monotonic() + max(0.5, 10 * (time.monotonic() - now))
    with suppress(subprocess.TimeoutExpired):
        running.wait(timeout=max(0.1, started + task.limits.timeout - time.monotonic()))
        return ""
    return _TIMEOUT


def _memory_or_processes(pid: int, limits: Limits) -> str:
    if not limits.memory:
        return ""
    pids = watch.descendants(pid)
    if len(pids) > limits.processes + 10:
        return f"killed: it started more than {limits.processes} processes"
    if watch.memory(pids) > limits.memory:
        return f"killed: it used more than its {format_memory(limits.memory)} of memory"
    return ""


def _kill(running: subprocess.Popen[bytes], mark: str) -> None:
    """End everything that belongs to the task and reap it.

    A sandbox ends as a whole with its first process. Without one, ``mark`` finds what has left the process group.
    """
    process.kill_group(running)
    for pid in watch.marked(mark) if mark else ():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    running.wait()
    if running.stdout is not None:
        running.stdout.close()


def _pin(pid: int, cpu: float) -> None:
    """Give the task as many cores as it may use, different ones for different tasks."""
    cores = sorted(os.sched_getaffinity(0))
    wanted = max(1, round(cpu))
    if cpu and wanted < len(cores):
        first = pid % len(cores)
        with suppress(OSError):
            os.sched_setaffinity(pid, {cores[(first + i) % len(cores)] for i in range(wanted)})


def make(_settings: Settings) -> Executor:
    return Local()
