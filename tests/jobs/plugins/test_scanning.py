"""Plugins with the real tools, on a checkout with planted problems."""

from __future__ import annotations

import pytest

from jobs.executors import bubblewrap
from jobs.pipeline.result import Outcome
from policies.finding import FindingKind, Severity
from tests.jobs.pipeline.conftest import Ground
from tests.jobs.plugins.conftest import needs

SECRET_LINE = 'aws_key = "AKIAIOSFODNN7EXAMPLF"\n'


@needs("gitleaks")
def test_gitleaks_finds_a_planted_secret_and_passes_without(ground: Ground) -> None:
    ground.files(**{"good.py": "print(1)\n"})
    clean = ground.run(uses="gitleaks")
    assert clean.ended.outcome is Outcome.SUCCESS, ground.log(clean)
    ground.files(**{"src__settings.py": f"# settings\n{SECRET_LINE}"})
    found = ground.run(uses="gitleaks")
    assert found.ended.outcome is Outcome.FAILURE
    (finding,) = found.ended.findings
    assert (finding.id, finding.file, finding.start) == ("aws-access-token", "src/settings.py", 2)
    assert (finding.kind, finding.severity) == (FindingKind.SECRET, Severity.CRITICAL)
    assert "AKIA" not in f"{found}{ground.log(found)}"
    assert found.ended.facts["scanner_version"]
    assert (found.plugin, found.version) == ("gitleaks", "1.0.0")


@needs("gitleaks")
def test_a_finding_keeps_its_fingerprint_when_its_line_moves(ground: Ground) -> None:
    ground.files(**{"s.py": SECRET_LINE})
    (before,) = ground.run(uses="gitleaks", always=True).ended.findings
    ground.files(**{"s.py": "\n\n# moved\n" + SECRET_LINE})
    (after,) = ground.run(uses="gitleaks", always=True).ended.findings
    assert before.start != after.start
    assert before.fingerprint == after.fingerprint


@needs("trivy")
@needs("gitleaks")
def test_two_scanners_that_find_the_same_secret_are_one_finding(ground: Ground) -> None:
    from policies.finding import distinct

    ground.files(**{"s.py": SECRET_LINE})
    one = ground.run(uses="gitleaks", always=True)
    other = ground.run(uses="trivy", always=True, **{"with": {"scanners": ["secret"]}})
    (merged,) = distinct([*one.ended.findings, *other.ended.findings])
    assert merged.scanners == ("gitleaks", "trivy")


@needs("trivy")
def test_trivy_finds_misconfigurations_and_licences(ground: Ground) -> None:
    ground.files(
        **{
            "Dockerfile": "FROM ubuntu\nUSER root\n",
            "package-lock.json": '{"name": "x", "version": "1.0.0", "lockfileVersion": 2, "packages": '
            '{"node_modules/y": {"version": "1.0.0", "license": "GPL-3.0"}}}',
        }
    )
    result = ground.run(uses="trivy", **{"with": {"scanners": ["misconfig", "license"], "fail_on": "high"}})
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    kinds = {f.kind for f in result.ended.findings}
    assert kinds == {FindingKind.MISCONFIGURATION, FindingKind.LICENCE}
    assert any(f.licence == "GPL-3.0-only" and f.package == "y" for f in result.ended.findings)
    tolerant = ground.run(uses="trivy", always=True, **{"with": {"scanners": ["misconfig"], "fail_on": "none"}})
    assert tolerant.ended.outcome is Outcome.SUCCESS
    assert tolerant.ended.findings


@needs("trivy")
def test_without_a_database_trivy_is_an_error_never_a_pass(ground: Ground) -> None:
    ground.files(**{"requirements.txt": "django==1.0\n"})
    result = ground.run(uses="trivy", **{"with": {"scanners": ["vuln"], "offline": True}})
    assert result.ended.outcome is Outcome.ERROR
    assert "no vulnerability database" in result.ended.sentence


@needs("hadolint")
def test_hadolint_looks_at_every_containerfile(ground: Ground) -> None:
    ground.files(Dockerfile="FROM ubuntu\n", app__Containerfile="FROM scratch\n")
    result = ground.run(uses="hadolint")
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    assert [(f.id, f.file) for f in result.ended.findings] == [("DL3006", "Dockerfile")]
    assert ground.run(uses="hadolint", always=True, **{"with": {"files": ["app/Containerfile"]}}).passed


def test_a_tool_that_is_not_installed_is_an_error_that_says_so(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "path", lambda: "/nowhere")
    result = ground.run(uses="gitleaks")
    assert result.ended.outcome is Outcome.ERROR
    assert result.ended.sentence == "gitleaks is not installed on this worker: install it there, or remove the step"


@pytest.mark.parametrize("report", ["", "{", "[1]", '{"a": 1}', "null" * 3, "[" * 100_000])
def test_a_broken_report_is_an_error(ground: Ground, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = ground.root / "tools"
    tools.mkdir()
    (tools / "gitleaks").write_text(
        f"#!/bin/sh\n[ \"$1\" = version ] && exit 0\ncat <<'E' > /scratch/gitleaks.json\n{report}\nE\n"
    )
    (tools / "gitleaks").chmod(0o755)
    monkeypatch.setattr(bubblewrap, "path", lambda: f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(bubblewrap, "_tool_folders", lambda _: [tools])
    result = ground.run(uses="gitleaks")
    assert result.ended.outcome is Outcome.ERROR, ground.log(result)


def test_sarif_of_any_tool(ground: Ground) -> None:
    ground.files(
        **{
            "a.py": "x = 1\n",
            "out.sarif": '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint", '
            '"semanticVersion": "2.0.1", "rules": [{"id": "R1", "properties": {"security-severity": "9.8"}}]}}, '
            '"results": ['
            '{"ruleId": "R1", "message": {"text": "bad"}, "locations": [{"physicalLocation": {"artifactLocation": '
            '{"uri": "a.py"}, "region": {"startLine": 1}}}]}, '
            '{"ruleId": "R2", "level": "note", "message": {"text": "meh"}, "suppressions": [{"kind": "inSource"}]}]}]}',
        }
    )
    result = ground.run(uses="sarif", **{"with": {"file": "out.sarif"}})
    assert result.ended.outcome is Outcome.FAILURE
    (finding,) = result.ended.findings
    assert (finding.id, finding.severity, finding.file, finding.start) == ("R1", Severity.CRITICAL, "a.py", 1)
    assert (result.ended.facts["scanner"], result.ended.facts["scanner_version"]) == ("lint", "2.0.1")


@pytest.mark.parametrize("file", ["missing.sarif", "../../etc/passwd", "link"])
def test_sarif_reads_nothing_outside_of_the_checkout(ground: Ground, file: str) -> None:
    (ground.workspace / "link").symlink_to("/etc/hostname")
    assert ground.run(uses="sarif", **{"with": {"file": file}}).ended.outcome is Outcome.ERROR


def test_junit_counts_tests_and_marks_the_failing_line(ground: Ground) -> None:
    ground.files(**{"test_x.py": "def test_good():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n"})
    ran = ground.run("python3 -m pytest -q -p no:cacheprovider --junitxml=r.xml || true", continue_on_error=True)
    if "No module named pytest" in ground.log(ran):
        ground.files(
            **{
                "r.xml": '<testsuites><testsuite><testcase classname="test_x" name="test_good"/>'
                '<testcase classname="test_x" name="test_bad"><failure message="assert 1 == 2">def test_bad():\n'
                "&gt;  assert 1 == 2\n\ntest_x.py:6: AssertionError</failure></testcase></testsuite></testsuites>"
            }
        )
    result = ground.run(uses="junit", always=True, **{"with": {"files": ["*.xml"]}})
    assert (result.ended.outcome, result.ended.sentence) == (Outcome.FAILURE, "1 of 2 tests failed")
    (remark,) = result.ended.annotations
    assert (remark.path, remark.start_line, remark.title) == ("test_x.py", 6, "test_x.test_bad")


@pytest.mark.parametrize("xml", ["<a>", "", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a/>"])
def test_junit_without_a_single_test_never_passes(ground: Ground, xml: str) -> None:
    ground.files(**{"r.xml": xml})
    assert not ground.run(uses="junit", **{"with": {"files": ["r.xml"]}}).passed


@needs("checkov")
def test_checkov_finds_misconfigurations(ground: Ground) -> None:
    ground.files(Dockerfile="FROM ubuntu:latest\nRUN true\n")
    result = ground.run(uses="checkov", **{"with": {"fail_on": "low", "frameworks": ["dockerfile"]}})
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    assert {f.file for f in result.ended.findings} == {"Dockerfile"}
    assert {f.kind for f in result.ended.findings} == {FindingKind.MISCONFIGURATION}


@needs("semgrep")
def test_semgrep_finds_what_the_rules_say(ground: Ground) -> None:
    rule = "rules: [{id: no-eval, pattern: eval(...), message: eval is bad, languages: [python], severity: ERROR}]\n"
    ground.files(**{"rules.yml": rule, "app.py": 'x = 1\neval("x")\n'})
    result = ground.run(uses="semgrep", **{"with": {"config": "rules.yml"}})
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    assert [(f.id, f.file, f.start, f.severity) for f in result.ended.findings] == [
        ("no-eval", "app.py", 2, Severity.HIGH)
    ]


@needs("syft")
def test_syft_writes_a_bill_of_materials(ground: Ground) -> None:
    ground.files(**{"requirements.txt": "django==4.2.1\n"})
    result = ground.run(uses="syft")
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    assert result.ended.facts["sbom"].startswith("sha256:")
    assert b"django" in result.ended.files["sbom.cdx.json"]
