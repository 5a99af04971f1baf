"""The node, for Pods that really run: their containers' commands become processes of this machine.

These are the Pods of Jobs, and Pods without an owner that have a command and are not restarted for ever. Each runs in a
thread of its own; deleting it kills whatever it started.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ghapp import process
from ghapp.sandbox.cluster import containers
from ghapp.sandbox.cluster.containers import Process
from ghapp.sandbox.cluster.controllers import owning, pods
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.logs import Logs
from ghapp.sandbox.cluster.store import Event, Key
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.volumes import Missing

log = logging.getLogger(__name__)

_CHUNK = 8192
_CANNOT_START = 128


@dataclass(slots=True)
class _Run:
    """A Pod that runs: its processes, and how each container fares."""

    uid: str
    states: dict[str, Object] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Runs:
    """Starts and kills Pods, and keeps their status."""

    collections = ("/pods",)

    def __init__(self, loop: Loop, folder: Path, logs: Logs) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Pod")
        self._folder = folder
        self._logs = logs
        self._runs: dict[Key, _Run] = {}
        self._threads: set[threading.Thread] = set()
        self._home = asyncio.get_running_loop()

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if not pods.really_runs(event.stored.object):
            return []
        key = event.stored.key
        if event.type == "DELETED":
            if run := self._runs.pop(key, None):
                _kill(run)
            return []
        return [key] if key not in self._runs else []

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or key in self._runs or (live.object.get("status") or {}).get("phase") in _OVER:
            return None
        pod = live.object
        if pods.failure(pod):
            # Told to fail: the part of the node that only pretends sees to it.
            return None
        uid = pod["metadata"]["uid"]
        folder = self._folder / "pods" / uid
        try:
            plan = containers.plan(pod, folder, self._folder / "claims", lambda k, n: self._find(key[0], k, n))
        except Missing as e:
            status = pods.pending(pod, self._objects.clock(), "CreateContainerConfigError")
            for container in status["containerStatuses"]:
                container["state"]["waiting"]["message"] = str(e)
            if owning.get_condition(pod, "Ready") is None:
                self._objects.set_status(self._kind, live, status, pods.MANAGER)
            return 1.0
        if not pod["spec"].get("nodeName"):
            self._objects.edit(self._kind, live, lambda o: o["spec"].update(nodeName=pods.NODE), "kube-scheduler")
        run = self._runs[key] = _Run(uid)
        self._logs.started(uid)
        restart = pod["spec"]["restartPolicy"]
        limit = self._restarts(pod) if restart == "OnFailure" else 0
        thread = threading.Thread(target=self._work, args=(key, run, plan, folder, limit), daemon=True)
        self._threads.add(thread)
        thread.start()
        return None

    def stop(self) -> None:
        """Kill everything that runs."""
        for run in self._runs.values():
            _kill(run)
        for thread in list(self._threads):
            thread.join(5)

    def _find(self, namespace: str, kind: str, name: str) -> Object | None:
        found = self._objects.find(self._objects.kinds.named(kind), namespace, name)
        return found.object if found else None

    def _restarts(self, pod: Object) -> int:
        """How often a container may be restarted in place: as often as its Job allows Pods to fail."""
        for owner in pod["metadata"].get("ownerReferences") or ():
            job = self._objects.find(self._objects.kinds.named("Job"), pod["metadata"]["namespace"], owner["name"])
            if owner["kind"] == "Job" and job:
                return int(job.object["spec"]["backoffLimit"])
        return 3

    # In the Pod's thread.

    def _work(self, key: Key, run: _Run, plan: list[Process], folder: Path, restarts: int) -> None:
        sidecars: list[subprocess.Popen[bytes]] = []
        ok = True
        try:
            for step in (p for p in plan if p.first):
                if step.sidecar:
                    if started := self._start(key, run, step):
                        sidecars.append(started)
                        self._copying(run, step, started).start()
                    continue
                if not self._to_end(key, run, step, restarts):
                    ok = False
                    break
            if ok:
                ok = self._together(key, run, [p for p in plan if not p.first], restarts)
        except Exception:
            log.exception("Pod %s/%s", *key)
            ok = False
        finally:
            for sidecar in sidecars:
                process.kill_group(sidecar)
                sidecar.wait()
            self._logs.ended(run.uid)
            if not run.killed:
                self._tell(key, run, "Succeeded" if ok else "Failed")
            shutil.rmtree(folder, ignore_errors=True)
            self._threads.discard(threading.current_thread())

    def _together(self, key: Key, run: _Run, steps: list[Process], restarts: int) -> bool:
        results: dict[str, bool] = {}

        def one(step: Process) -> None:
            results[step.name] = self._to_end(key, run, step, restarts)

        threads = [threading.Thread(target=one, args=(s,), daemon=True) for s in steps[1:]]
        for thread in threads:
            thread.start()
        one(steps[0])
        for thread in threads:
            thread.join()
        return all(results.get(s.name) for s in steps)

    def _to_end(self, key: Key, run: _Run, step: Process, restarts: int) -> bool:
        """Run a container until it succeeds or may not be restarted any more."""
        for attempt in range(restarts + 1):
            run.restarts[step.name] = attempt
            began = self._objects.clock()
            started = self._start(key, run, step)
            status = _CANNOT_START
            if started is not None:
                self._copy(run, step, started)
                status = started.wait()
            if run.killed:
                return False
            code = status if status >= 0 else 128 - status
            run.states[step.name] = {
                "terminated": {
                    "exitCode": code,
                    "reason": "Completed" if code == 0 else "Error",
                    "startedAt": began,
                    "finishedAt": self._objects.clock(),
                }
            }
            self._tell(key, run, "Running")
            if code == 0:
                return True
        return False

    def _start(self, key: Key, run: _Run, step: Process) -> subprocess.Popen[bytes] | None:
        with run.lock:
            if run.killed:
                return None
            try:
                started = process.start(step.argv, env=step.env, cwd=step.cwd)
            except process.ProcessError as e:
                self._logs.path(run.uid, step.name).write_text(f"{e}\n", encoding="utf-8")
                return None
            run.processes.append(started)
        run.states[step.name] = {"running": {"startedAt": self._objects.clock()}}
        self._tell(key, run, "Running")
        return started

    def _copying(self, run: _Run, step: Process, started: subprocess.Popen[bytes]) -> threading.Thread:
        return threading.Thread(target=self._copy, args=(run, step, started), daemon=True)

    def _copy(self, run: _Run, step: Process, started: subprocess.Popen[bytes]) -> None:
        """Copy what a process prints to its log until it ends."""
        if started.stdout is None:
            return
        with started.stdout as source, self._logs.path(run.uid, step.name).open("ab", buffering=0) as target:
            while chunk := source.read1(_CHUNK):  # type: ignore[attr-defined]  # a buffered reader
                target.write(chunk)

    def _tell(self, key: Key, run: _Run, phase: str) -> None:
        """Have the event loop write the Pod's status; the loop may be gone already."""
        states, restarts = dict(run.states), dict(run.restarts)
        if not self._home.is_closed():
            self._home.call_soon_threadsafe(self._report, key, run, phase, states, restarts)

    # In the event loop again.

    def _report(self, key: Key, run: _Run, phase: str, states: dict[str, Object], restarts: dict[str, int]) -> None:
        live = self._objects.find(self._kind, *key)
        if live is None or live.object["metadata"]["uid"] != run.uid:
            return
        pod = live.object
        now = self._objects.clock()
        status: Object = {
            **pods.pending(pod, now, "PodInitializing"),
            "startTime": (pod.get("status") or {}).get("startTime", now),
            "phase": phase,
        }
        running = phase == "Running" and all("running" in states.get(c["name"], {}) for c in pod["spec"]["containers"])
        if (pod.get("status") or {}).get("phase") in _OVER:
            return
        for kind in ("Ready", "ContainersReady"):
            reason = "" if running else "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
            owning.condition(status, kind, "True" if running else "False", reason, "", now)
        for group, field_ in (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")):
            listed = pod["spec"].get(group)
            if listed:
                status[field_] = [_container(c, states, restarts) for c in listed]
        self._objects.set_status(self._kind, live, status, pods.MANAGER)


_OVER = ("Succeeded", "Failed")


def _container(container: Object, states: dict[str, Object], restarts: dict[str, int]) -> Object:
    name = container["name"]
    state = states.get(name, {"waiting": {"reason": "PodInitializing"}})
    return pods.container_status(container, state, "running" in state, restarts.get(name, 0))


def _kill(run: _Run) -> None:
    with run.lock:
        run.killed = True
        for started in run.processes:
            if started.poll() is None:
                process.kill_group(started)
