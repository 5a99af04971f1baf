"""What the agent is told about one environment: where its branch is, where it goes, and what may be done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ghapp.agent import names

_FORMAT = "1"  # raised when the same manifests come to be sent differently


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment branch and the namespace it is applied to. Durations are in seconds.

    ``verify`` is ``release``, ``commit`` or ``none``; ``keys`` are PEM files (``release``) or an allowed-signers file
    (``commit``). ``apps`` narrows what is looked at; empty means every app. ``depends_on`` maps an app to those that
    must be healthy before it. ``service_account`` is impersonated. ``prune_percent`` of the members may go at once.
    """

    repo: str
    branch: str
    namespace: str
    verify: str = "release"
    keys: tuple[Path, ...] = ()
    apps: tuple[str, ...] = ()
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    service_account: str = ""
    wait: bool = True
    timeout: float = 300.0
    heal: bool = True
    suspend: bool = False
    delete: bool = False
    plan: bool = False
    allow_prune: bool = False
    prune_percent: int = 50
    interval: float = 60.0

    @property
    def name(self) -> str:
        return names.environment_of(self.branch)

    @property
    def account(self) -> str:
        """The user that the service account is."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"

    def settings(self) -> str:
        """Stands for everything here that decides what is sent: a pass under other settings looks at all again."""
        keys = [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in self.keys]
        said = "\0".join([_FORMAT, self.branch, self.namespace, self.verify, *sorted(keys), *sorted(self.apps)])
        return hashlib.sha256(f"{said}\0{self.service_account}".encode()).hexdigest()[:16]
