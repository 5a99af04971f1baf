"""Every controller, in one list."""

from __future__ import annotations

from collections.abc import Callable

from ghapp.sandbox.cluster.controllers import (
    claims,
    daemonsets,
    definitions,
    deployments,
    endpoints,
    garbage,
    jobs,
    namespaces,
    pods,
    replicasets,
    services,
    statefulsets,
)
from ghapp.sandbox.cluster.controllers.loop import Controller, Loop

ALL: tuple[Callable[[Loop], Controller], ...] = (
    namespaces.Namespaces,
    garbage.Garbage,
    definitions.Definitions,
    deployments.Deployments,
    replicasets.ReplicaSets,
    statefulsets.StatefulSets,
    daemonsets.DaemonSets,
    jobs.Jobs,
    pods.Pods,
    claims.Claims,
    services.Services,
    endpoints.Endpoints,
)
"""Namespaces, garbage and definitions belong to the API server itself; the rest are the cluster's."""

ESSENTIAL = ALL[:3]
