"""The body of ``kind: BuildProfile``: what a build may use, under a name that ``.ghapp.yml`` asks for.

An organisation's profile of a name cannot be replaced by a repository's; that is :mod:`policies.organisation`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from policies.policy import Policy, PolicySet
from policies.quantity import Cpu, Duration, Memory, format_duration, format_memory
from policies.scope import Place, Scope
from policies.strict import Block


class Toleration(Block):
    """A Kubernetes toleration."""

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    seconds: int | None = Field(None, alias="tolerationSeconds", ge=0)


class Cache(Block):
    """What builds keep between them."""

    size: Memory | None = Field(None, description="at most this much, `10Gi`")
    share: Literal["repository", "app", "none"] = Field("app", description="who sees whose cache")


class BuildProfile(Block):
    """What a build may use: `resources: <name>` in `.ghapp.yml` asks for it."""

    cpu: Cpu | None = Field(None, description="`2` or `500m`")
    memory: Memory | None = Field(None, description="`4Gi`")
    disk: Memory | None = Field(None, description="`20Gi`")
    timeout: Duration | None = Field(None, description="`30m`")
    architectures: tuple[Literal["amd64", "arm64"], ...] = ()
    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    cache: Cache = Cache()
    default: bool = Field(False, description="used where `.ghapp.yml` names no profile and no resources")
    max_cpu: Cpu | None = Field(None, description="what `.ghapp.yml` may ask for at most where this profile applies")
    max_memory: Memory | None = None
    max_timeout: Duration | None = None
    scope: Scope = Scope()

    @model_validator(mode="after")
    def within_the_limits(self) -> BuildProfile:
        for value, most, name in (
            (self.cpu, self.max_cpu, "cpu"),
            (self.memory, self.max_memory, "memory"),
            (self.timeout, self.max_timeout, "timeout"),
        ):
            given: Any = value
            limit: Any = most
            if given is not None and limit is not None and given > limit:
                raise ValueError(f"`{name}` is more than `max_{name}` — lower it, or raise the limit")
        return self


def profile_for(policies: PolicySet, place: Place, name: str = "") -> Policy | None:
    """The profile called ``name``, or with ``""`` the default one, where it applies; the organisation's first."""
    applying = policies.of("BuildProfile", place)
    return next((p for p in applying if (p.name == name if name else p.body.default)), None)


def over_the_limit(
    policies: PolicySet, place: Place, *, cpu: float | None, memory: int | None, timeout: timedelta | None
) -> str:
    """Why a build may not have as much as it asks for, by every profile that applies; ``""`` if it may."""
    for policy in policies.of("BuildProfile", place):
        body: BuildProfile = policy.body
        if cpu is not None and body.max_cpu is not None and cpu > body.max_cpu:
            return f"{cpu:g} processors are more than the {body.max_cpu:g} that {policy.title} allows"
        if memory is not None and body.max_memory is not None and memory > body.max_memory:
            most = format_memory(body.max_memory)
            return f"{format_memory(memory)} of memory are more than the {most} that {policy.title} allows"
        if timeout is not None and body.max_timeout is not None and timeout > body.max_timeout:
            most = format_duration(body.max_timeout)
            return f"a timeout of {format_duration(timeout)} is more than the {most} that {policy.title} allows"
    return ""
