"""Jobs: Pods until enough have succeeded, too many have failed, or time is up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.controllers.recording import record
from ghapp.sandbox.cluster.controllers.replicasets import MANAGER, pod_of
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write


class Jobs:
    """Keeps as many Pods going as a Job asks for."""

    collections = ("batch/jobs", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Job")
        self._pods = loop.objects.kinds.named("Pod")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "batch/jobs":
            return [event.stored.key] if event.type != "DELETED" else []
        return owning.controller_key(event, "Job")

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or "deletionTimestamp" in live.object["metadata"]:
            return None
        job = live.object
        if owning.is_true(job, "Complete") or owning.is_true(job, "Failed"):
            return self._outlive(job)
        pods = owning.owned(self._objects.store, job, "/pods")
        status = self._counted(job, pods)
        if job["spec"].get("suspend"):
            self._suspend(live, pods, status)
            return None
        if any(c["type"] == "Suspended" for c in status["conditions"]):
            owning.condition(status, "Suspended", "False", "JobResumed", "Job resumed", self._objects.clock())
        left = self._time_left(job, status)
        over = self._verdict(job, pods, status, left)
        if over:
            for pod in pods:
                if _phase(pod) not in ("Succeeded", "Failed"):
                    self._objects.delete(self._pods, *pod.key, Delete())
            status.pop("active", None)
        else:
            self._fill(job, pods, status)
        self._write(live, status)
        if over:
            ended = status["conditions"][-1]
            record(self._objects, job, ended["reason"], ended["message"], "job-controller", warning="failed" in status)
            return self._outlive(self._objects.get(self._kind, *key).object)
        return left

    def _counted(self, job: Object, pods: list[Stored]) -> Object:
        before = job.get("status") or {}
        phases = [_phase(p) for p in pods]
        active = [p for p in pods if _phase(p) not in ("Succeeded", "Failed")]
        counts = {
            "active": len(active),
            "ready": sum(owning.is_true(p.object, "Ready") for p in active),
            "succeeded": phases.count("Succeeded"),
            "failed": phases.count("Failed"),
        }
        return {
            "startTime": before.get("startTime") or self._objects.clock(),
            "conditions": before.get("conditions") or [],
            "uncountedTerminatedPods": {},
            "terminating": 0,
            **owning.clean(counts),
        }

    def _time_left(self, job: Object, status: Object) -> float | None:
        limit = job["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return None
        age = (datetime.now(UTC) - datetime.fromisoformat(status["startTime"])).total_seconds()
        return float(limit - age)

    def _verdict(self, job: Object, pods: list[Stored], status: Object, left: float | None) -> bool:
        """Set the condition that ends a Job, where it is at its end."""
        spec, now = job["spec"], self._objects.clock()
        succeeded = status.get("succeeded", 0)
        wanted = spec.get("completions")
        enough = succeeded >= wanted if wanted is not None else succeeded > 0 and not status.get("active")
        if enough:
            reason, said = "CompletionsReached", "Reached expected number of succeeded pods"
            owning.condition(status, "SuccessCriteriaMet", "True", reason, said, now)
            owning.condition(status, "Complete", "True", reason, said, now)
            status["completionTime"] = now
            return True
        restarts = sum(c.get("restartCount", 0) for p in pods for c in _containers(p))
        failures = status.get("failed", 0) + restarts
        reason = said = ""
        if left is not None and left <= 0:
            reason, said = "DeadlineExceeded", "Job was active longer than specified deadline"
        elif failures > spec["backoffLimit"] or (status.get("failed") and _restarts(job)):
            reason, said = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        if not reason:
            return False
        owning.condition(status, "FailureTarget", "True", reason, said, now)
        owning.condition(status, "Failed", "True", reason, said, now)
        return True

    def _fill(self, job: Object, pods: list[Stored], status: Object) -> None:
        spec = job["spec"]
        active, succeeded = status.get("active", 0), status.get("succeeded", 0)
        room = spec["parallelism"] - active
        if spec.get("completions") is not None:
            room = min(room, spec["completions"] - succeeded - active)
        elif succeeded:
            room = 0
        for _ in range(max(room, 0)):
            given = pod_of(job)
            self._objects.create(self._pods, job["metadata"]["namespace"], given, Write(MANAGER))
            status["active"] = status.get("active", 0) + 1

    def _suspend(self, live: Stored, pods: list[Stored], status: Object) -> None:
        for pod in pods:
            if _phase(pod) not in ("Succeeded", "Failed"):
                self._objects.delete(self._pods, *pod.key, Delete())
        for name in ("active", "startTime", "ready"):
            status.pop(name, None)
        owning.condition(status, "Suspended", "True", "JobSuspended", "Job suspended", self._objects.clock())
        self._write(live, status)

    def _write(self, live: Stored, status: Object) -> None:
        status = {k: v for k, v in status.items() if k != "conditions" or v}
        if status != live.object.get("status"):
            self._objects.set_status(self._kind, live, status, MANAGER)

    def _outlive(self, job: Object) -> float | None:
        """Delete a finished Job whose time is over; else the seconds until then."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return None
        ended = owning.get_condition(job, "Complete") or owning.get_condition(job, "Failed") or {}
        age = (datetime.now(UTC) - datetime.fromisoformat(ended["lastTransitionTime"])).total_seconds()
        if age < ttl:
            return float(ttl - age)
        meta = job["metadata"]
        self._objects.delete(self._kind, meta["namespace"], meta["name"], Delete(propagation="Foreground"))
        return None


def _phase(pod: Stored) -> str:
    return str((pod.object.get("status") or {}).get("phase", "Pending"))


def _containers(pod: Stored) -> list[Object]:
    return (pod.object.get("status") or {}).get("containerStatuses") or []


def _restarts(job: Object) -> bool:
    """Whether containers are restarted in place, so that a failed Pod has used up all its tries."""
    return bool(job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure")
