"""What a run is told to do: which app at which commit, why, how far it is trusted. JSON, because it waits in the queue.

Everything in it was decided by the commit's reconcile from what GitHub says; losing it loses nothing.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from jobs.pipeline.triggers import Occasion, Pull

STAGES = ("before", "image", "after")
_RUN = re.compile(r"([0-9]+)-([0-9a-f]{12})-([a-z0-9-]+)-([0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class Order:
    """One run of one app.

    ``config`` is the path of the app's file and ``config_at`` the commit it is read from (of the base branch for a
    fork). ``trusted`` is false for code of strangers: no secrets, no credentials, no network, no evidence. ``stages``
    are those that this run carries out; the others stand from an earlier run. ``release`` says whether a green end
    makes a release. ``profiles`` are the build profiles that may be named (``Profiles`` as JSON; empty: the usual).
    """

    repository: int
    full_name: str
    sha: str
    app: str
    attempt: int
    config: str
    config_at: str
    occasion: Occasion
    stages: tuple[str, ...] = STAGES
    trusted: bool = True
    release: bool = False
    ignore_cache: bool = False
    asked_by: str = ""
    environments: tuple[str, ...] = ()
    profiles: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def run(self) -> str:
        return run_id(self.repository, self.sha, self.app, self.attempt)

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        if self.occasion.paths is not None:
            data["occasion"]["paths"] = sorted(self.occasion.paths)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        occasion = dict(data["occasion"])
        pull = occasion.pop("pull")
        paths = occasion.pop("paths")
        return cls(
            **{
                **data,
                "occasion": Occasion(
                    **occasion,
                    pull=Pull(**{**pull, "labels": tuple(pull["labels"])}) if pull else None,
                    paths=None if paths is None else frozenset(paths),
                ),
                "stages": tuple(data["stages"]),
                "environments": tuple(data["environments"]),
            }
        )


def run_id(repository: int, sha: str, app: str, attempt: int) -> str:
    """What a run is called: in the queue, as ``external_id`` of its check runs, in the address of its page."""
    return f"{repository}-{sha[:12]}-{app}-{attempt}"


def parse_run(run: str) -> tuple[int, str, str, int] | None:
    """Repository id, first 12 of the commit, app and attempt of a run's id; ``None`` for anything else."""
    match = _RUN.match(run)
    return (int(match[1]), match[2], match[3], int(match[4])) if match else None
