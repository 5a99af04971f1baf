"""What is known to have happened to a commit or an image: steps, scans and builds, as facts that policies judge.

Whether the signature on a statement is good has been found out before; it arrives here as a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from policies.finding import Finding


class Target(StrEnum):
    """What a scan looked at."""

    REPOSITORY = "repository"
    IMAGE = "image"
    MANIFESTS = "manifests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One signed statement: a step, scan or build that happened on ``commit`` or on the image ``digest``.

    ``kind`` is ``step``, ``scan`` or ``build``; ``result`` is ``success``, ``failure``, ``skipped``, ``cancelled`` or
    ``error``. ``continued``: it failed, and ``continue_on_error`` let the pipeline go on. ``verified``: the signature
    is by a key that is trusted; else ``problem`` says what is wrong with it. ``database_at``: the date of the
    scanner's database; ``None`` where it has none or did not say.
    """

    kind: str
    commit: str
    digest: str = ""
    plugin: str = ""
    version: str = ""
    stage: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)
    result: str = ""
    continued: bool = False
    at: datetime
    verified: bool
    problem: str = ""
    target: Target = Target.REPOSITORY
    scanner: str = ""
    database_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
