"""A finding: one thing that a scanner reports. The same fact from two scanners is one finding that names both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self


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


_WORST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.UNKNOWN)


def rank(severity: Severity) -> int:
    """0 is the most severe."""
    return _WORST_FIRST.index(severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    ``id`` is the rule or advisory (``CVE-2024-1``, ``DS002``, ``aws-access-token``). A vulnerability has ``package``,
    ``installed`` and ``fixed`` (``""``: no fix is known). What stands in a file has ``file`` (in the checkout),
    ``start`` and ``end`` (1-based lines, 0: the whole file), and ``context``: what it is recognised by when its lines
    move, such as the digest of the offending text or a resource's name. ``scanners`` are all that report it.
    ``exploited``: known to be used in attacks; ``in_base``: the base branch has it as well. All texts are the
    scanner's, hence not to be trusted.
    """

    id: str
    kind: FindingKind
    severity: Severity
    title: str
    scanners: tuple[str, ...]
    package: str = ""
    installed: str = ""
    fixed: str = ""
    licence: str = ""
    file: str = ""
    start: int = 0
    end: int = 0
    link: str = ""
    context: str = ""
    aliases: tuple[str, ...] = field(default=())
    exploited: bool = False
    in_base: bool = False

    @property
    def fingerprint(self) -> str:
        """What the finding is, not where its lines are now nor who reports it: 16 hex digits."""
        where = (self.package, self.installed) if self.package else (self.file, self.context)
        subject = (self.kind, self._name(), *where)
        return hashlib.sha256("\0".join(subject).encode("utf-8", "replace")).hexdigest()[:16]

    def _name(self) -> str:
        """Scanners call secrets by names of their own; a secret is its file and text."""
        return "" if self.kind is FindingKind.SECRET and self.context else self.id

    @property
    def ids(self) -> frozenset[str]:
        return frozenset((self.id, *self.aliases))

    def as_json(self) -> dict[str, Any]:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        return {name: value for name, value in plain.items() if value not in ("", 0, [])}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        return cls(
            **{
                **known,
                "kind": FindingKind(known["kind"]),
                "severity": Severity(known["severity"]),
                "scanners": tuple(known["scanners"]),
                "aliases": tuple(known.get("aliases", ())),
            }
        )


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, the most severe first; one that several scanners report names them all, at its worst."""
    same: dict[str, list[Finding]] = {}
    for finding in findings:
        same.setdefault(finding.fingerprint, []).append(finding)
    merged = [group[0] if len(group) == 1 else _merged(group) for group in same.values()]
    return sorted(merged, key=lambda f: (rank(f.severity), f.kind, f.id, f.package, f.file, f.start))


def _merged(group: Sequence[Finding]) -> Finding:
    first = group[0]
    return replace(
        first,
        severity=min((f.severity for f in group), key=rank),
        fixed=next((f.fixed for f in group if f.fixed), ""),
        link=next((f.link for f in group if f.link), ""),
        scanners=tuple(dict.fromkeys(scanner for f in group for scanner in f.scanners)),
        aliases=tuple(sorted({name for f in group for name in f.ids} - {first.id})),
    )
