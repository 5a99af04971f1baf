"""Reports of scanners that are malformed, huge or hostile: an error, or harmless findings. Never a clean bill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.scanners import clair, gitleaks, hadolint, sarif, trivy
from jobs.scanners.interface import BadReport, Checkout, Report
from policies.finding import Finding, FindingKind, Severity, distinct

HOSTILE = "\x1b[2J<script>alert(1)</script>\n# heading @everyone \u202e" + "x" * 10_000
Reader = Callable[[bytes | None, Checkout], Any]
READERS: dict[str, Reader] = {
    "gitleaks": gitleaks.read,
    "hadolint": hadolint.read,
    "trivy": trivy.read,
    "sarif": sarif.read,
    "clair": lambda data, _: clair.read(data, "sha256:x"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "a.py").write_text("one\n  two\nthree\n")
    (tmp_path / "out").symlink_to("/etc")
    return Checkout(tmp_path, "/workspace")


def trivy_report(**result: Any) -> bytes:
    return json.dumps(
        {"SchemaVersion": 2, "Trivy": {"Version": "1"}, "Results": [{"Target": "a.py", **result}]}
    ).encode()


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "data",
    [None, b"", b" ", b"{", b'"text"', b"[1, 2]", b'{"Results": 5}', b"[" * 200_000, b"\xff\xfe", b"true", b"{}"],
)
def test_what_is_no_report_is_an_error(name: str, data: bytes | None, checkout: Checkout) -> None:
    if (name, data) in (("gitleaks", b"{}"), ("hadolint", b"{}")):
        data = b'{"findings": []}'
    with pytest.raises(BadReport):
        READERS[name](data, checkout)


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.99])
def test_a_report_that_is_cut_off_is_an_error(checkout: Checkout, cut: float) -> None:
    whole = trivy_report(Secrets=[{"RuleID": "x", "Title": "y", "Severity": "HIGH", "StartLine": 1}])
    assert len(trivy.read(whole, checkout).findings) == 1
    with pytest.raises(BadReport):
        trivy.read(whole[: int(len(whole) * cut)], checkout)


def test_fifty_thousand_findings_are_read_and_told_apart(checkout: Checkout) -> None:
    """Quadratic work would take minutes here; the run's own time limit is the judge, not a clock."""
    many = [{"RuleID": f"r{i}", "Title": "t", "Severity": "LOW", "StartLine": i % 3 + 1} for i in range(50_000)]
    found = distinct(trivy.read(trivy_report(Secrets=many), checkout).findings)
    assert len(found) == 3  # of one line there is one secret, whatever the rules call it


def test_more_than_anybody_reads_is_an_error(checkout: Checkout) -> None:
    with pytest.raises(BadReport, match="more than 100000"):
        trivy.read(trivy_report(Secrets=[{}] * 100_001), checkout)


def hostile(checkout: Checkout) -> list[Report]:
    gitleaks_data = [{"RuleID": HOSTILE, "Description": HOSTILE, "File": HOSTILE, "StartLine": HOSTILE}]
    result = {
        "ruleId": HOSTILE,
        "message": {"text": HOSTILE},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": HOSTILE}, "region": {"startLine": -5}}}],
    }
    driver = {"name": HOSTILE, "rules": [{"id": HOSTILE, "helpUri": "javascript:alert(1)"}]}
    sarif_data = {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result]}]}
    misconfiguration = {
        "ID": HOSTILE,
        "Status": "FAIL",
        "Title": HOSTILE,
        "Message": HOSTILE,
        "PrimaryURL": "https://x.example/<script>",
        "CauseMetadata": {"StartLine": 10**30},
    }
    return [
        gitleaks.read(json.dumps(gitleaks_data).encode(), checkout),
        *sarif.read(json.dumps(sarif_data).encode(), checkout),
        trivy.read(trivy_report(Misconfigurations=[misconfiguration], Target=HOSTILE), checkout),
    ]


def test_hostile_texts_are_bounded_and_printable(checkout: Checkout) -> None:
    for report in hostile(checkout):
        (finding,) = report.findings
        for text in (finding.id, finding.title, finding.file, finding.context, finding.package, *finding.scanners):
            assert len(text) <= 1_100
            assert text.isprintable()
            assert "\u202e" not in text
        assert finding.link == ""
        assert 0 <= finding.start < 10_000_000


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("a.py", "a.py"),
        ("./x/../a.py", "a.py"),
        ("/workspace/a.py", "a.py"),
        ("file:///workspace/a.py", "a.py"),
        ("../../etc/passwd", ""),
        ("/etc/passwd", ""),
        ("/workspace/../etc/passwd", ""),
        ("x/../../etc", ""),
        ("", ""),
        (7, "7"),
        (None, ""),
    ],
)
def test_no_path_leads_out_of_the_checkout(checkout: Checkout, path: object, inside: str) -> None:
    assert checkout.path(path) == inside


def test_a_line_is_recognised_wherever_it_stands_and_never_read_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    before = checkout.context("a.py", 2)
    (tmp_path / "a.py").write_text("zero\none\ntwo\n")
    assert Checkout(tmp_path).context("a.py", 3) == before != ""
    assert checkout.context("out/passwd", 1) == ""
    assert checkout.context("a.py", 99) == checkout.context("none.py", 1) == checkout.context("", 1) == ""


# --- the same thing found twice -----------------------------------------------------------------------
def cve(scanner: str, severity: Severity, **more: Any) -> Finding:
    kind = FindingKind.VULNERABILITY
    return Finding("CVE-1", kind, severity, "bad", (scanner,), package="openssl", installed="3.0.1", **more)


def test_what_two_scanners_report_is_one_finding_at_its_worst() -> None:
    (one,) = distinct([cve("trivy", Severity.MEDIUM), cve("clair", Severity.CRITICAL, fixed="3.0.2", file="x")])
    assert (one.scanners, one.severity, one.fixed) == (("trivy", "clair"), Severity.CRITICAL, "3.0.2")


def test_different_versions_are_different_findings() -> None:
    from dataclasses import replace

    other = replace(cve("trivy", Severity.LOW), installed="3.0.2")
    assert len(distinct([cve("trivy", Severity.LOW), other])) == 2


def test_a_finding_survives_json() -> None:
    finding = cve("trivy", Severity.HIGH, aliases=("GHSA-1",), fixed="2", link="https://x.example")
    assert Finding.from_json(json.loads(json.dumps(finding.as_json()))) == finding
