"""Step 1, gate: may anything be done at all? Pure."""

from __future__ import annotations

from enum import Enum

from ghapp.agent.environment import Environment


class Gate(Enum):
    OPEN = "open"
    SUSPENDED = "suspended"  # nothing is applied and nothing is pruned
    FINALISE = "finalise"  # the environment goes: everything of it is pruned


def gate(environment: Environment, *, annotated: bool) -> Gate:
    """``annotated``: someone suspended the environment in the cluster. Suspended wins over deleting: it keeps."""
    if environment.suspend or annotated:
        return Gate.SUSPENDED
    return Gate.FINALISE if environment.delete else Gate.OPEN
