"""Plugins that have to have run: each shortcoming has its sentence, and what follows from it."""
# ruff: noqa: E501 - tables

from datetime import UTC, datetime, timedelta

import pytest

from policies.evidence import Evidence
from policies.kinds import parse_policies, parse_policy
from policies.required_plugins import Ran, evaluate, snippet
from policies.scope import Place
from policies.yamltext import Problems, load

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
COMMIT, OTHER, DIGEST = "a" * 40, "e" * 40, "sha256:" + "1" * 64
PLACE = Place("acme/guestbook", "guestbook", "prod", "main")


def ran(**more):
    return Evidence(**{"kind": "step", "commit": COMMIT, "plugin": "gitleaks", "version": "8.24.0", "stage": "before", "inputs": {"mode": "full", "depth": 3}, "result": "success", "at": NOW, "verified": True, **more})  # fmt: skip


def judged(text, *evidence, now=NOW, on="promotions", place=PLACE, digests=(DIGEST,)):
    found = parse_policies(text, "r.yml")
    assert not found.broken, found.broken
    facts = Ran(place=place, commit=COMMIT, digests=digests, evidence=evidence)
    return evaluate(found.of("RequiredPlugins"), facts, now, on=on)


def policy(requirement="{plugin: gitleaks}", more="", name="p"):
    return f"kind: RequiredPlugins\nname: {name}\nplugins: [{requirement}]\n{more}\n"


BY = "; the repository's policy 'p' requires it"


@pytest.mark.parametrize(
    ("requirement", "evidence", "state", "why"),
    [
        ("{plugin: gitleaks}", [ran()], "pass", None),
        ("{plugin: gitleaks}", [], "pending", "gitleaks has not run on aaaaaaa"),
        ("{plugin: gitleaks}", [ran(plugin="trivy")], "pending", "gitleaks has not run on aaaaaaa"),
        ("{plugin: gitleaks}", [ran(commit=OTHER)], "fail", "gitleaks ran on another commit eeeeeee, not on what is released here (aaaaaaa)"),
        ("{plugin: gitleaks}", [ran(digest="sha256:" + "9" * 64)], "fail", "gitleaks ran on another image sha256:999999999999…, not on what is released here (aaaaaaa)"),
        ("{plugin: gitleaks}", [ran(digest=DIGEST)], "pass", None),
        ("{plugin: gitleaks}", [ran(verified=False, problem="it is signed by a key that is not trusted")], "fail", "the evidence that gitleaks ran cannot be trusted: it is signed by a key that is not trusted"),
        ("{plugin: gitleaks}", [ran(verified=False)], "fail", "the evidence that gitleaks ran cannot be trusted: it is not signed"),
        ("{plugin: gitleaks, stage: after}", [ran()], "fail", "gitleaks ran in the stage 'before', not in 'after'"),
        ("{plugin: gitleaks, stage: before}", [ran()], "pass", None),
        ("{plugin: gitleaks, version: '>=9'}", [ran()], "fail", "gitleaks ran in version 8.24.0, not in one of >=9"),
        ("{plugin: gitleaks, version: ^8.2}", [ran()], "pass", None),
        ("{plugin: gitleaks, version: '>=8'}", [ran(version="")], "fail", "gitleaks ran in version unknown, not in one of >=8"),
        ("{plugin: gitleaks, inputs: {mode: full}}", [ran()], "pass", None),
        ("{plugin: gitleaks, inputs: {depth: 3}}", [ran()], "pass", None),
        ("{plugin: gitleaks, inputs: {depth: '3'}}", [ran()], "fail", "gitleaks ran with depth = 3, not with '3'"),
        ("{plugin: gitleaks, inputs: {mode: fast}}", [ran()], "fail", "gitleaks ran with mode = 'full', not with 'fast'"),
        ("{plugin: gitleaks, inputs: {speed: 1}}", [ran()], "fail", "gitleaks ran with speed = none, not with 1"),
        ("{plugin: gitleaks}", [ran(result="skipped")], "fail", "gitleaks was skipped"),
        ("{plugin: gitleaks, results: [success, skipped]}", [ran(result="skipped")], "pass", None),
        ("{plugin: gitleaks}", [ran(result="failure", continued=True)], "fail", "gitleaks failed, and the pipeline went on past it (continue_on_error)"),
        ("{plugin: gitleaks}", [ran(result="success", continued=True)], "fail", "gitleaks failed, and the pipeline went on past it (continue_on_error)"),
        ("{plugin: gitleaks}", [ran(result="failure")], "fail", "gitleaks ended with failure, not with success"),
        ("{plugin: gitleaks}", [ran(result="")], "fail", "gitleaks ended with no result, not with success"),
        ("{plugin: gitleaks, results: [success, failure]}", [ran(result="failure", continued=True)], "pass", None),
        # The newest of the fitting runs counts; one that does not fit neither helps nor harms.
        ("{plugin: gitleaks}", [ran(result="failure", at=NOW - timedelta(hours=1)), ran()], "pass", None),
        ("{plugin: gitleaks}", [ran(at=NOW - timedelta(hours=1)), ran(result="failure")], "fail", "gitleaks ended with failure, not with success"),
        ("{plugin: gitleaks}", [ran(commit=OTHER, result="failure"), ran(at=NOW - timedelta(hours=1))], "pass", None),
        ("{plugin: gitleaks, inputs: {mode: full}}", [ran(inputs={"mode": "fast"}), ran(at=NOW - timedelta(hours=1))], "pass", None),
        ("{plugin: gitleaks, version: '>=9'}", [ran(commit=OTHER), ran()], "fail", "gitleaks ran in version 8.24.0, not in one of >=9"),
    ],
)  # fmt: skip
def test_shortcomings(requirement, evidence, state, why):
    verdict = judged(policy(requirement), *evidence)
    assert verdict.state == state
    assert verdict.sentence == ("every required plugin has run" if why is None else why + BY)
    if why:
        assert "Add to `.ghapp.yml`:" in verdict.details


def test_the_lines_to_add():
    text = policy("{plugin: gitleaks, version: '>=8.1,<9', stage: after, inputs: {mode: full, deep: true}}")
    lines = snippet(parse_policy(text, "r.yml").body.plugins[0])
    assert load(lines).data == {
        "pipeline": {"after": [{"uses": "gitleaks@8.1.0", "with": {"mode": "full", "deep": True}}]}
    }
    assert lines in judged(text).details


@pytest.mark.parametrize(
    ("more", "now", "state", "sentence"),
    [
        ("consequence: block", NOW, "pending", "gitleaks has not run on aaaaaaa" + BY),
        ("consequence: warn", NOW, "pass", "warning: gitleaks has not run on aaaaaaa" + BY),
        ("block_from: 2026-12-01", NOW, "pass", f"warning: gitleaks has not run on aaaaaaa{BY}, and blocks from 1 Dec 2026 00:00 UTC on, in 7 days"),
        ("block_from: 2026-12-01\ntimezone: Europe/Berlin", NOW, "pass", f"warning: gitleaks has not run on aaaaaaa{BY}, and blocks from 1 Dec 2026 00:00 Europe/Berlin (30 Nov 2026 23:00 UTC) on, in 7 days"),
        ("block_from: 2026-11-23 12:30", NOW, "pass", f"warning: gitleaks has not run on aaaaaaa{BY}, and blocks from 23 Nov 2026 12:30 UTC on, in 2 hours"),
        ("block_from: 2026-11-23 10:00", NOW, "pending", "gitleaks has not run on aaaaaaa" + BY),
        ("block_from: 2026-11-01", NOW, "pending", "gitleaks has not run on aaaaaaa" + BY),
    ],
)  # fmt: skip
def test_consequences(more, now, state, sentence):
    verdict = judged(policy(more=more), now=now)
    assert (verdict.state, verdict.sentence) == (state, sentence)


def test_a_warning_says_when_it_turns_into_a_block():
    assert judged(policy(more="block_from: 2026-12-01")).until == datetime(2026, 12, 1, tzinfo=UTC)


def test_of_several_policies_the_most_severe_consequence_wins_and_of_deadlines_the_earlier():
    later, earlier = policy(more="block_from: 2027-03-01", name="a"), policy(more="block_from: 2027-01-01", name="b")
    verdict = judged(f"{later}---\n{earlier}")
    assert "blocks from 1 Jan 2027" in verdict.sentence
    assert verdict.until == datetime(2027, 1, 1, tzinfo=UTC)
    assert not judged(f"{later}---\n{policy(more='consequence: block', name='c')}").passed
    assert judged(f"{later}---\n{policy(more='consequence: warn', name='c')}").passed


@pytest.mark.parametrize(
    ("waiver", "state", "says"),
    [
        ("{repositories: [guestbook], reason: no secrets there, owner: alice, expires: 2027-03-01}", "pass", "every required plugin has run"),
        ("{apps: [guestbook], reason: no secrets there, owner: alice, expires: 2026-11-30}", "pass", "the repository's policy 'p' is waived here until 30 Nov 2026: no secrets there (alice); it ends in 6 days, on 30 Nov 2026"),
        ("{repositories: [acme/shop], reason: r, owner: o, expires: 2027-03-01}", "pending", "gitleaks has not run"),
        ("{apps: [guestbook], reason: no secrets there, owner: alice, expires: 2026-11-23 10:00}", "pending", "the waiver for 'no secrets there' ended on 23 Nov 2026 10:00 UTC and no longer counts"),
    ],
)  # fmt: skip
def test_waivers(waiver, state, says):
    verdict = judged(policy(more=f"waivers: [{waiver}]"))
    assert verdict.state == state
    assert says in verdict.sentence


@pytest.mark.parametrize(
    ("more", "on", "place", "binds"),
    [
        ("", "promotions", PLACE, True),
        ("", "builds", PLACE, False),
        ("on: builds", "builds", PLACE, True),
        ("on: builds", "promotions", PLACE, False),
        ("on: both", "builds", PLACE, True),
        ("scope: {branches: [main, release/**]}", "promotions", PLACE, True),
        ("scope: {branches: [release/**]}", "promotions", PLACE, False),
        ("scope: {branches: [release/**]}", "promotions", Place("acme/guestbook", branch="release/1/x"), True),
        ("scope: {repositories: ['acme/*', '!acme/guestbook']}", "promotions", PLACE, False),
    ],
)
def test_where_it_applies(more, on, place, binds):
    assert judged(policy(more=more), on=on, place=place).passed is not binds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            policy("{plugin: gitleaks, version: latest}"),
            "'latest' is not a version range — write it like >=1.4,<2 or ^1.4",
        ),
        (policy("{plugin: gitleaks, version: '>=1.x'}"), "is not a version range"),
        (policy("{plugin: ''}"), "`plugins[0].plugin`"),
        (policy("{plugin: x, results: [perfect]}"), "`plugins[0].results[0]`"),
        (policy("{plugin: x, results: []}"), "`plugins[0].results`"),
        ("kind: RequiredPlugins\nplugins: []\n", "`plugins`"),
        (policy(more="consequence: block\nblock_from: 2027-01-01"), "exclude each other"),
        (policy(more="block_from: tomorrow"), "'tomorrow' is not a date and time"),
        (
            policy(more="waivers: [{reason: r, owner: o, expires: 2027-01-01}]"),
            "a waiver is for some repository or app",
        ),
        (policy(more="waivers: [{apps: [a], reason: r, owner: o}]"), "`waivers[0].expires`: is missing"),
    ],
)
def test_bad_policies(text, said):
    with pytest.raises(Problems) as e:
        parse_policy(text, "r.yml")
    assert said in str(e.value)
