"""What a step may use, field by field from the narrowest place that says so: step, app, profile, global.

A wish beyond what this installation allows is refused with the limit that it exceeds, never cut silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from ghapp.config.model import Resources
from jobs.executors.interface import Limits
from policies.quantity import format_duration, format_memory

_GI = 2**30

DEFAULT = Resources(cpu=2, memory=4 * _GI, timeout=timedelta(hours=1), disk=20 * _GI)
MOST = Resources(cpu=32, memory=128 * _GI, timeout=timedelta(hours=24), disk=500 * _GI)
PROFILES: dict[str, Resources] = {
    "small": Resources(cpu=1, memory=2 * _GI, timeout=timedelta(minutes=15), disk=10 * _GI),
    "medium": Resources(cpu=2, memory=4 * _GI, timeout=timedelta(minutes=30), disk=20 * _GI),
    "large": Resources(cpu=4, memory=8 * _GI, timeout=timedelta(hours=1), disk=50 * _GI),
}


class UnknownProfile(LookupError):
    """A profile that nobody has defined; the message lists those that are."""


@dataclass(frozen=True)
class Profiles:
    """The profiles that may be named, what holds where nothing is said, and the most that may be asked for."""

    named: Mapping[str, Resources] = field(default_factory=lambda: PROFILES)
    default: Resources = DEFAULT
    most: Resources = MOST

    def resolve(self, app: str | Resources | None, step: Resources | None = None) -> Resources:
        """The resources of one step. Raises :class:`UnknownProfile`."""
        wish = Resources(profile=app) if isinstance(app, str) else app or Resources()
        name = step.profile if step and step.profile is not None else wish.profile
        if name is not None and name not in self.named:
            raise UnknownProfile(
                f"the build profile {name!r} does not exist; there are {', '.join(sorted(self.named))}"
            )
        merged: dict[str, object] = {}
        for layer in (step, wish, self.named[name] if name is not None else None, self.default):
            for key in Resources.model_fields if layer else ():
                value = getattr(layer, key)
                if value not in (None, {}, ()):
                    merged.setdefault(key, value)
        return Resources.model_validate(merged)

    def too_large(self, wanted: Resources) -> Iterator[str]:
        """One sentence for each limit that a wish exceeds."""
        most = self.most
        if wanted.cpu and most.cpu and wanted.cpu > most.cpu:
            yield f"{wanted.cpu:g} processors are more than the {most.cpu:g} that are allowed"
        for name in ("memory", "disk"):
            wish, limit = getattr(wanted, name), getattr(most, name)
            if wish and limit and wish > limit:
                yield f"{format_memory(wish)} of {name} are more than the {format_memory(limit)} that are allowed"
        if wanted.timeout and most.timeout and wanted.timeout > most.timeout:
            allowed = format_duration(most.timeout)
            yield f"a time limit of {format_duration(wanted.timeout)} is longer than the {allowed} that are allowed"

    def as_json(self) -> dict[str, Any]:
        return {
            "named": {name: one.model_dump(mode="json", exclude_defaults=True) for name, one in self.named.items()},
            "default": self.default.model_dump(mode="json", exclude_defaults=True),
            "most": self.most.model_dump(mode="json", exclude_defaults=True),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        named = {name: Resources.model_validate(one) for name, one in data["named"].items()}
        return cls(named, Resources.model_validate(data["default"]), Resources.model_validate(data["most"]))


USUAL = Profiles()


def limits(resources: Resources, timeout: timedelta | None = None) -> Limits:
    """What an executor is told; ``timeout`` is the step's own."""
    seconds = (timeout or resources.timeout or timedelta(hours=1)).total_seconds()
    return Limits(seconds, resources.cpu or 0, resources.memory or 0, resources.disk or 0)
