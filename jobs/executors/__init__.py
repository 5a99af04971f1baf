"""Executors: where a step runs. One file each; this is their registry."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from jobs.executors.interface import Ended, Executor, ExecutorError, Limits, Stop, Task

if TYPE_CHECKING:
    from ghapp.settings import Settings

__all__ = ["EXECUTORS", "Ended", "Executor", "ExecutorError", "Limits", "Stop", "Task", "executor"]

# name → module with `make(settings)`; imported when used, because the Kubernetes client is large.
EXECUTORS = {
    "local": "jobs.executors.local",
    "kubernetes": "jobs.executors.kubernetes",
}


def executor(settings: Settings) -> Executor:
    """The executor that the settings name."""
    made: Executor = importlib.import_module(EXECUTORS[settings.executor]).make(settings)
    return made
