"""Past promotions judged by other policies, what will be blocked when, and the cases beside the policies."""
# ruff: noqa: E501 - tables

from datetime import UTC, datetime

import pytest

from policies.cases import is_test_file, problems_in, run
from policies.gates.record import read_record
from policies.kinds import parse_policies
from policies.replay import replay, verdict_on
from policies.report import report
from policies.yamltext import Problems

FRIDAYS = "kind: Window\nname: fridays\ntype: blackout\nweekly: {from: fri 12:00, to: fri 24:00}\n"


def record(id_, at, decided=None, **facts):
    return read_record({"id": id_, "at": at, "facts": {"app": "guestbook", **facts}, "decided": decided})


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


THURSDAY, FRIDAY = record("1", "2026-11-19T15:00:00Z"), record("2", "2026-11-20T15:00:00Z")


def test_each_is_judged_at_its_own_moment():
    found = replay([FRIDAY, THURSDAY], parse_policies(FRIDAYS, "p.yml"))
    assert [(r.record.id, str(r.after.state), r.changed) for r in found] == [
        ("1", "pass", False),
        ("2", "pending", True),
    ]


def test_compared_with_what_was_recorded_or_with_other_policies():
    held = record("3", "2026-11-20T15:00:00Z", {"window": "pending", "hold": "pass"})
    assert [r.changed for r in replay([held], parse_policies(FRIDAYS, "p.yml"))] == [False]
    thursdays = parse_policies(FRIDAYS.replace("fri ", "thu "), "p.yml")
    found = replay([THURSDAY, FRIDAY], parse_policies(FRIDAYS, "p.yml"), base=thursdays)
    assert [(str(r.before), str(r.after.state)) for r in found] == [("pending", "pass"), ("pass", "pending")]
    assert all(r.changed for r in found)


def test_only_since():
    found = replay([THURSDAY, FRIDAY], parse_policies(FRIDAYS, "p.yml"), since=utc("2026-11-20"))
    assert [r.record.id for r in found] == ["2"]


def test_the_check_on_a_pull_request_that_changes_policies():
    policies = parse_policies(FRIDAYS, "p.yml")
    verdict = verdict_on(replay([THURSDAY, FRIDAY], policies), policies, 90)
    assert verdict.passed
    assert verdict.sentence == "1 of the 2 promotions of the last 90 days would have been decided otherwise"
    assert (
        "| 2026-11-20 15:00 | guestbook: release → prod | pass | pending | 1 of 2 gates missing — window"
        in verdict.details
    )
    same = verdict_on(replay([THURSDAY], policies), policies, 90)
    assert same.sentence == "nothing would have been decided otherwise about the 1 promotion of the last 90 days"
    broken = parse_policies("kind: Window\n", "p.yml")
    assert verdict_on([], broken, 90).sentence.startswith("a policy cannot be read: p.yml:1: `type`: is missing")


POLICIES = """
kind: RequiredPlugins
name: now
plugins: [{plugin: gitleaks}]
scope: {apps: [shop]}
---
kind: RequiredPlugins
name: later
plugins: [{plugin: trivy}]
block_from: 2027-01-01
---
kind: RequiredPlugins
name: waived
plugins: [{plugin: semgrep}]
waivers: [{apps: [guestbook], reason: r, owner: o, expires: 2026-12-24}]
scope: {apps: [guestbook]}
---
kind: Vulnerability
name: findings
block: [critical]
exceptions: [{id: CVE-1, reason: r, owner: o, expires: 2027-02-01}]
scope: {apps: [guestbook]}
"""
SCAN = {"kind": "scan", "scanner": "trivy", "verified": True, "result": "success", "findings": [{"id": "CVE-1", "kind": "vulnerability", "severity": "critical", "title": "t", "scanners": ["trivy"]}]}  # fmt: skip


def test_what_is_blocked_today_and_after_each_coming_date():
    guestbook = record("1", "2026-11-20T00:00:00Z", release={"evidence": [SCAN]})
    shop = read_record({"id": "2", "at": "2026-11-20T00:00:00Z", "facts": {"app": "shop"}})
    found = report([guestbook, shop], parse_policies(POLICIES, "p.yml"), utc("2026-11-23"))
    assert [(f"{b.since:%Y-%m-%d}", b.app, b.gate) for b in found] == [
        ("2026-11-23", "shop", "plugins"),
        ("2026-12-24", "guestbook", "plugins"),
        ("2027-02-01", "guestbook", "vulnerability"),
    ]
    assert "semgrep has not run" in found[1].sentence
    assert report([guestbook], parse_policies(FRIDAYS, "p.yml"), utc("2026-11-23")) == []


CASES = """
facts: {app: guestbook, permissions: {bob: write}}
cases:
  - name: fridays are closed
    now: 2026-11-20 15:00
    expect:
      window: {state: pending, says: fridays, until: 2026-11-21}
      ready: pending
  - name: thursdays are open
    now: 2026-11-19T15:00Z
    expect: {window: pass, approval: none}
  - name: wrong on purpose
    now: 2026-11-20 15:00
    facts: {environment: {name: staging, approvals: 1}, reviews: [bob]}
    expect: {window: pass, approval: {state: pass, says: alice}, upstream: none}
"""


def test_cases_beside_the_policies():
    files = {"p/w.yml": FRIDAYS, "p/w.test.yml": CASES, "q/other.yml": "kind: Nonsense"}
    outcomes = run("p/w.test.yml", files)
    assert [(o.name, o.line, bool(o.problem)) for o in outcomes] == [
        ("fridays are closed", 4, False),
        ("thursdays are open", 9, False),
        ("wrong on purpose", 12, True),
    ]
    assert outcomes[2].problem == (
        "window: is pending, not pass (blackout 'fridays' until 21 Nov 2026 00:00 UTC; merges by itself then); "
        "approval: does not say 'alice' but 'approved by @bob'"
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("until: 2026-11-21", "until: 2026-11-22"), "may change at 2026-11-21T00:00:00Z, not at 2026-11-22T00:00:00Z"),
        (("{window: pass, approval: none}", "{window: pass, hold: {state: pass, until: 2026-11-21}}"), "may change at no moment by itself"),
        (("{window: pass, approval: none}", "{approval: pass}"), "approval: is none, not pass"),
        (("facts: {environment: {name: staging,", "facts: {environment: {nam: staging,"), "its facts cannot be read: environment"),
    ],
)  # fmt: skip
def test_a_case_that_is_not_as_expected_says_how(change, problem):
    outcomes = run("p/w.test.yml", {"p/w.yml": FRIDAYS, "p/w.test.yml": CASES.replace(*change)})
    assert any(problem in o.problem for o in outcomes), outcomes


def test_which_policies_cases_are_about():
    files = {"p/w.yml": FRIDAYS, "p/bad.yml": "kind: Nonsense", "p/w.test.yml": CASES}
    assert all(o.problem for o in run("p/w.test.yml", files))
    named = {**files, "p/w.test.yml": f"policies: [w.yml]\norganisation: true\n{CASES}"}
    assert [bool(o.problem) for o in run("p/w.test.yml", named)] == [False, False, True]
    with pytest.raises(Problems, match=r"there is no file p/x.yml — correct `policies:`"):
        run("p/w.test.yml", {**files, "p/w.test.yml": f"policies: [x.yml]\n{CASES}"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: []", "`cases`"),
        ("", "the document must be a map"),
        ("cases: [{name: x, now: 2026-01-01, expect: {windoww: pass}}]", "t.test.yml:1: `windoww` is not a gate — write one of approval,"),
        ("cases: [{name: x, now: 2026-01-01, expect: {window: green}}]", "`cases[0].expect.window`"),
        ("cases: [{name: x, now: soon, expect: {window: pass}}]", "'soon' is not a date and time"),
        ("case: []", "did you mean `cases`?"),
    ],
)  # fmt: skip
def test_a_test_file_that_cannot_be_read(text, said):
    assert said in "\n".join(map(str, problems_in(text, "t.test.yml")))
    assert is_test_file("t.test.yml")
    assert not is_test_file("t.yml")
