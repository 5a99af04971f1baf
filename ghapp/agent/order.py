"""Step 7, order: what must exist before what. Pure.

Waves (by annotation) come first, then the stages of :data:`STAGES` within a wave; within a stage everything goes at
once. Pruning runs the same order backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ghapp.agent.objects import Desired

# Kinds by stage; a kind that stands nowhere belongs to WORKLOADS.
DEFINITIONS, CLASSES, ROLES, CONFIGURATION, WORKLOADS, ADMISSION = range(6)
STAGES: dict[int, tuple[str, ...]] = {
    DEFINITIONS: ("Namespace", "CustomResourceDefinition", "ClusterRole"),
    CLASSES: (
        "PriorityClass", "StorageClass", "IngressClass", "RuntimeClass", "GatewayClass", "CSIDriver", "DeviceClass",
        "PersistentVolume", "ResourceQuota", "LimitRange", "ServiceAccount",
    ),
    ROLES: ("Role",),
    CONFIGURATION: (
        "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "PersistentVolumeClaim", "Service",
        "NetworkPolicy", "PodDisruptionBudget",
    ),
    ADMISSION: (
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "APIService",
    ),
}  # fmt: skip
_STAGE = {kind: stage for stage, kinds in STAGES.items() for kind in kinds}


def stage(kind: str) -> int:
    """The stage in which objects of a kind are applied."""
    return _STAGE.get(kind, WORKLOADS)


@dataclass(frozen=True, slots=True)
class Step:
    """Objects of one app that are applied together."""

    wave: int
    stage: int
    objects: tuple[Desired, ...]


def steps(objects: Iterable[Desired]) -> list[Step]:
    """An app's objects in the order in which they are applied."""
    grouped: dict[tuple[int, int], list[Desired]] = {}
    for one in objects:
        grouped.setdefault((one.wave, stage(one.key.kind)), []).append(one)
    return [Step(wave, number, tuple(grouped[wave, number])) for wave, number in sorted(grouped)]


def circle(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """Apps that wait for each other in a circle, in that order; empty where there is none."""
    done: set[str] = set()

    def visit(app: str, way: list[str]) -> list[str]:
        if app in way:
            return way[way.index(app) :]
        if app in done:
            return []
        for other in depends_on.get(app, ()):
            if found := visit(other, [*way, app]):
                return found
        done.add(app)
        return []

    return next((found for app in sorted(depends_on) if (found := visit(app, []))), [])
