"""The node: Pods become ready after a moment, unless they are told, or made, to fail.

A Pod fails where its annotation ``sandbox.ghapp.dev/fail`` says ``crashloop``, ``imagepull``, ``never-ready`` or
``unschedulable``, where its image's name carries one of these words, or where the cluster's registry should have its
image and does not. Containers of Jobs really run; all others only look as if they did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.controllers.recording import record
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object

MANAGER = "kubelet"
NODE = "sandbox"
FAIL = "sandbox.ghapp.dev/fail"
_ASK_SECONDS = 0.05
_PULL_AGAIN_SECONDS = 2.0
_SAID = {
    "crashloop": ("BackOff", "Back-off restarting failed container"),
    "imagepull": ("Failed", "Error: ImagePullBackOff"),
    "never-ready": ("Unhealthy", "Readiness probe failed: told to fail"),
}
_WAYS = ("crashloop", "imagepull", "never-ready", "unschedulable")


class Pods:
    """Plays the scheduler and the kubelet for Pods that nobody runs."""

    collections = ("/pods",)

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Pod")
        self._addresses = 0

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        pod = event.stored.object
        if event.type == "DELETED" or (really_runs(pod) and not failure(pod)):
            return []
        return [event.stored.key]

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or (live.object.get("status") or {}).get("podIP"):
            return None
        pod = live.object
        way = failure(pod)
        if not way:
            found = [self._loop.images.is_there(c["image"]) for c in pod["spec"]["containers"]]
            if None in found:
                return _ASK_SECONDS
            if not all(found):
                self._cannot_pull(live)
                return _PULL_AGAIN_SECONDS
        if way == "unschedulable":
            self._unschedulable(live)
            return None
        if not pod["spec"].get("nodeName"):
            pod = self._objects.edit(self._kind, live, lambda new: new["spec"].update(nodeName=NODE), "kube-scheduler")
            live = self._objects.get(self._kind, *key)
        left = self._loop.pace.ready - _age(pod) if not way else 0.0
        if left > 0 and not pod["status"].get("startTime"):
            self._set(live, pending(pod, self._objects.clock(), "ContainerCreating"))
            return left
        if left > 0:
            return left
        self._addresses += 1
        address = f"10.244.{self._addresses // 250 % 250}.{self._addresses % 250 + 2}"
        self._set(live, _settled(pod, way, address, self._objects.clock()))
        if way:
            reason, message = _SAID[way]
            record(self._objects, pod, reason, message, MANAGER, warning=True)
        return None

    def _set(self, live: Stored, status: Object) -> None:
        if status != live.object.get("status"):
            self._objects.set_status(self._kind, live, status, MANAGER)

    def _cannot_pull(self, live: Stored) -> None:
        if owning.get_condition(live.object, "Ready"):
            return
        status = pending(live.object, self._objects.clock(), "ImagePullBackOff")
        self._set(live, status)
        reason, message = _SAID["imagepull"]
        record(self._objects, live.object, reason, message, MANAGER, warning=True)

    def _unschedulable(self, live: Stored) -> None:
        status: Object = {"phase": "Pending", "qosClass": "BestEffort", "conditions": []}
        said = "0/1 nodes are available: 1 node(s) did not match."
        owning.condition(status, "PodScheduled", "False", "Unschedulable", said, self._objects.clock())
        if not owning.get_condition(live.object, "PodScheduled"):
            self._objects.set_status(self._kind, live, status, "kube-scheduler")
            record(self._objects, live.object, "FailedScheduling", said, "default-scheduler", warning=True)


def really_runs(pod: Object) -> bool:
    """Whether a Pod's commands are run, rather than only said to run."""
    owners = pod["metadata"].get("ownerReferences") or ()
    if owners:
        return any(o.get("kind") == "Job" for o in owners)
    spec = pod["spec"]
    return spec.get("restartPolicy") != "Always" and all(c.get("command") for c in spec["containers"])


def failure(pod: Object) -> str:
    """In which way a Pod is to fail, or ""."""
    said = (pod["metadata"].get("annotations") or {}).get(FAIL, "")
    if said:
        return said if said in _WAYS else "crashloop"
    images = [c.get("image", "") for c in pod["spec"]["containers"]]
    return next((way for way in _WAYS for image in images if way in image), "")


def pending(pod: Object, now: str, reason: str) -> Object:
    """The status of a Pod whose containers are not there yet."""
    return {
        "phase": "Pending",
        "startTime": now,
        "hostIP": "127.0.0.1",
        "qosClass": "BestEffort",
        "conditions": _conditions(False, now),
        "containerStatuses": [
            container_status(c, {"waiting": {"reason": reason}}, False) for c in pod["spec"]["containers"]
        ],
    }


def _settled(pod: Object, way: str, address: str, now: str) -> Object:
    """The status of a Pod whose time has come: running, or as broken as it is meant to be."""
    status: Object = {
        "phase": "Pending" if way == "imagepull" else "Running",
        "startTime": now,
        "hostIP": "127.0.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": "BestEffort",
        "conditions": _conditions(not way, now),
    }
    states: dict[str, Object] = {
        "": {"running": {"startedAt": now}},
        "never-ready": {"running": {"startedAt": now}},
        "imagepull": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}},
        "crashloop": {
            "waiting": {
                "reason": "CrashLoopBackOff",
                "message": "back-off 5m0s restarting failed container",
            }
        },
    }
    restarts = 5 if way == "crashloop" else 0
    status["containerStatuses"] = [
        container_status(c, states[way], not way, restarts) for c in pod["spec"]["containers"]
    ]
    return status


def _conditions(ready: bool, now: str) -> list[Object]:
    status: Object = {}
    for kind in ("PodScheduled", "Initialized"):
        owning.condition(status, kind, "True", "", "", now)
    for kind in ("ContainersReady", "Ready"):
        reason = "" if ready else "ContainersNotReady"
        owning.condition(status, kind, "True" if ready else "False", reason, "", now)
    conditions: list[Object] = status["conditions"]
    return [{k: v for k, v in c.items() if v} for c in conditions]


def container_status(container: Object, state: Object, ready: bool, restarts: int = 0) -> Object:
    """How a container fares."""
    status: Object = {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": state,
        "lastState": {},
    }
    if restarts:
        status["lastState"] = {"terminated": {"exitCode": 1, "reason": "Error"}}
    return status


def _age(pod: Object) -> float:
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return (datetime.now(UTC) - created).total_seconds()
