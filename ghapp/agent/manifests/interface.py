"""What an engine is: a function from what should be deployed to the resources that make Argo CD or Flux do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ghapp.agent import names

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One environment branch and the apps on it. No apps means all of them, now and later.

    ``secret`` names the Secret with the credentials for GitHub; ``own_namespace`` is where the resources themselves go;
    ``sops_secret`` and ``service_account`` matter to Flux alone, ``project`` and ``cluster`` to Argo CD alone.
    """

    repo: str
    branch: str
    namespace: str
    apps: tuple[str, ...] = ()
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secret: str = "ghapp-github"  # noqa: S105 - a name, not a secret
    own_namespace: str = ""
    service_account: str = ""
    sops_secret: str = ""
    project: str = "default"
    cluster: str = "https://kubernetes.default.svc"

    @property
    def environment(self) -> str:
        return names.environment_of(self.branch)


Engine = Callable[[Request], list[Resource]]


def object_name(*parts: str) -> str:
    """Parts joined to a name that Kubernetes takes (RFC 1123)."""
    return re.sub(r"[^a-z0-9-]+", "-", "-".join(parts).lower()).strip("-")[:63].rstrip("-")


def labels(request: Request, app: str) -> dict[str, str]:
    """How status that comes back is told apart."""
    return {names.LABEL_APP: app, LABEL_ENVIRONMENT: object_name(request.environment)}


LABEL_ENVIRONMENT = "ghapp.dev/environment"
