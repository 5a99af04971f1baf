"""The process behind ``ghapp worker``: it starts workers and a clock, and replaces whichever dies. It does no work.

It has no threads and no connections, so that forking is safe and nothing but a signal can stop it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

log = logging.getLogger(__name__)

GRACE = 25.0  # seconds from SIGTERM until work in progress is interrupted; Kubernetes kills after 30
_INTERRUPTED = 3.0  # seconds from then until what is left is killed
_QUICK_DEATH = 5.0  # a process that lived less long is replaced more slowly
_PR_SET_PDEATHSIG = 1


@dataclass
class _Child:
    place: str
    body: Callable[[int], None]
    pid: int = 0
    incarnation: int = 0
    started: float = 0.0
    quick_deaths: int = 0
    not_before: float = 0.0


class Supervisor:
    """Keeps one process for each place. A place is a name that stays when its process is replaced."""

    def __init__(self) -> None:
        self._base = f"{socket.gethostname()}-{os.getpid()}"
        self._children: list[_Child] = []
        self._stopping = False

    def add(self, name: str, body: Callable[[str, int], None]) -> None:
        """Have ``body(place, incarnation)`` run in a process of its own, again whenever it ends."""
        place = f"{self._base}-{name}"
        self._children.append(_Child(place, lambda incarnation: body(place, incarnation)))

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then let everybody finish for ``GRACE`` seconds."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            self._start_missing()
            self._reap()
            time.sleep(0.1)
        self._end()

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stopping = True

    def _start_missing(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if not child.pid and now >= child.not_before:
                child.incarnation += 1
                child.started = now
                child.pid = _fork(child)

    def _reap(self) -> None:
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            child.pid = 0
            lived = time.monotonic() - child.started
            child.quick_deaths = child.quick_deaths + 1 if lived < _QUICK_DEATH else 0
            # The first replacement comes at once; a process that cannot start is tried every few seconds.
            child.not_before = time.monotonic() + min(10.0, 2.0**child.quick_deaths - 1)
            if status and not self._stopping:
                log.warning("%s ended (%s) and is replaced", child.place, _how(status))

    def _end(self) -> None:
        for sign, patience in ((signal.SIGTERM, GRACE), (signal.SIGTERM, _INTERRUPTED), (signal.SIGKILL, 5.0)):
            self._signal(sign)
            give_up = time.monotonic() + patience
            while any(child.pid for child in self._children) and time.monotonic() < give_up:
                self._reap()
                time.sleep(0.05)

    def _signal(self, sign: signal.Signals) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, sign)


def _fork(child: _Child) -> int:
    supervisor = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _end_with(supervisor)
        child.body(child.incarnation)
        status = 0
    except KeyboardInterrupt:
        status = 0
    except BaseException:
        log.exception("%s failed", child.place)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with(supervisor: int) -> None:
    """Have this process told to stop when the supervisor is killed; Linux only, elsewhere it stays and works on."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:  # it died before we asked
            os._exit(0)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"
