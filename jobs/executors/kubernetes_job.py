"""The objects that a task becomes in a cluster: a Job under the "restricted" pod security, and its Secret. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ghapp.settings import Settings
from jobs.executors import bubblewrap
from jobs.executors.interface import WORKSPACE, Task

_TIME_TO_LIVE = 3600  # seconds that a finished Job stays if its worker died
_LABELS = {"app.kubernetes.io/managed-by": "ghapp", "app.kubernetes.io/component": "step"}
NETWORK_LABEL = "ghapp.dev/network"  # "none" for code of strangers; what the network policy selects


def user() -> int:
    """The user that Jobs run as: the workers' own, so that both can write to the shared volume, but never root."""
    return os.geteuid() or 1000


def job(name: str, task: Task, settings: Settings) -> dict[str, Any]:
    """The Job of a task."""
    labels = {**_LABELS, NETWORK_LABEL: "any" if task.network else "none"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels, "annotations": {"ghapp.dev/step": task.name}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(1, round(task.limits.timeout)),
            "ttlSecondsAfterFinished": _TIME_TO_LIVE,
            "template": {"metadata": {"labels": labels}, "spec": _pod(name, task, settings)},
        },
    }


def secret(name: str, uid: str, task: Task) -> dict[str, Any]:
    """The task's environment; it belongs to the Job and is deleted with it."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": _LABELS, "ownerReferences": [owner]},
        "stringData": dict(task.env),
    }


def _pod(name: str, task: Task, settings: Settings) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": settings.kubernetes_service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user(),
            "runAsGroup": user(),
            "fsGroup": user(),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(name, task, settings)],
        "volumes": [_volume(settings)],
        "terminationGracePeriodSeconds": 5,
    }
    selector = dict(task.node_selector)
    if len(task.architectures) == 1:
        selector["kubernetes.io/arch"] = task.architectures[0]
    if selector:
        spec["nodeSelector"] = selector
    if task.tolerations:
        spec["tolerations"] = [dict(toleration) for toleration in task.tolerations]
    return spec


def _container(name: str, task: Task, settings: Settings) -> dict[str, Any]:
    where = settings.data_dir / "work"
    folders = ((WORKSPACE, task.workspace), (bubblewrap.SCRATCH, task.scratch), ("/tmp", task.scratch / "tmp"))  # noqa: S108
    return {
        "name": "step",
        "image": task.image or settings.kubernetes_image,
        "command": list(task.argv),
        "workingDir": str(Path(WORKSPACE, task.directory)),
        "env": [
            {"name": "HOME", "value": f"{bubblewrap.SCRATCH}/home"},
            {"name": "LANG", "value": "C.UTF-8"},
        ],
        "envFrom": [{"secretRef": {"name": name}}],
        "resources": _resources(task),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "work", "mountPath": target, "subPath": str(folder.relative_to(where))}
            for target, folder in folders
        ],
    }


def _resources(task: Task) -> Mapping[str, Any]:
    limits: dict[str, str] = {}
    if task.limits.cpu:
        limits["cpu"] = f"{round(task.limits.cpu * 1000)}m"
    if task.limits.memory:
        limits["memory"] = str(task.limits.memory)
    if task.limits.disk:
        limits["ephemeral-storage"] = str(task.limits.disk)
    return {"requests": limits, "limits": limits} if limits else {}


def _volume(settings: Settings) -> dict[str, Any]:
    if settings.kubernetes_work_claim:
        return {"name": "work", "persistentVolumeClaim": {"claimName": settings.kubernetes_work_claim}}
    return {"name": "work", "hostPath": {"path": str(settings.data_dir / "work"), "type": "Directory"}}
