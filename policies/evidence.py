"""What is known to have happened to a commit or an image: steps, scans and builds, as facts that policies judge.

Whether the signature on a statement is good has been found out before; it arrives here as a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """As scanners rank findings, lowest first."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class FindingKind(StrEnum):
    VULNERABILITY = "vulnerability"
    MISCONFIGURATION = "misconfiguration"
    SECRET = "secret"  # noqa: S105 - a kind of finding, not a secret
    LICENCE = "licence"
    CODE = "code"


class Target(StrEnum):
    """What a scan looked at."""

    REPOSITORY = "repository"
    IMAGE = "image"
    MANIFESTS = "manifests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a scanner reports. ``fixed`` is the version that mends it, ``""`` where there is none yet.

    ``aliases`` are other ids of the same thing (a GHSA for a CVE). ``in_base``: the base branch has it as well.
    """

    id: str
    kind: FindingKind = FindingKind.VULNERABILITY
    severity: Severity = Severity.UNKNOWN
    aliases: tuple[str, ...] = ()
    package: str = ""
    installed: str = ""
    fixed: str = ""
    licence: str = ""
    file: str = ""
    title: str = ""
    scanners: tuple[str, ...] = ()
    exploited: bool = False
    in_base: bool = False


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
