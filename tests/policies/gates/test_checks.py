"""Checks by whose they are: right, missing, running, red, spoofed, contradicting themselves."""
# ruff: noqa: E501 - a table

import pytest

from policies.gates import checks, external
from policies.gates.facts import Check, Kind
from policies.policy import PolicySet

NONE = PolicySet()
HEAD, SOURCE = "b" * 40, "a" * 40
CI = {"name": "ci", "app": "github-actions"}


def check(conclusion="success", commit=HEAD, **fields):
    return Check(
        **{"name": "ci", "app": "github-actions", "app_id": 15368, "commit": commit, "conclusion": conclusion, **fields}
    )


@pytest.mark.parametrize(
    ("demand", "given", "state", "sentence"),
    [
        ({}, [], "pending", "waiting for 'ci' by github-actions on the head bbbbbbb"),
        ({}, [check()], "pass", "'ci' by github-actions is success on the head bbbbbbb"),
        ({"app": 15368}, [check()], "pass", "'ci' by 15368 is success on the head bbbbbbb"),
        ({"app": 1}, [check()], "pending", "waiting for 'ci' by 1 on the head bbbbbbb; the one by github-actions does not count"),
        ({"app": "GitHub-Actions"}, [check()], "pass", "'ci' by github-actions is success on the head bbbbbbb"),
        ({}, [check(app="evil", app_id=666)], "pending", "waiting for 'ci' by github-actions on the head bbbbbbb; the one by evil does not count"),
        ({}, [check(app="", app_id=None, creator="mallory")], "pending", "waiting for 'ci' by github-actions on the head bbbbbbb; the one by mallory does not count"),
        ({}, [check(app="", app_id=None, creator="github-actions")], "pending", "waiting for 'ci' by github-actions on the head bbbbbbb; the one by github-actions does not count"),
        ({}, [check(""),], "pending", "'ci' by github-actions is still running on the head bbbbbbb"),
        ({}, [check("failure", summary="2 tests failed")], "fail", "'ci' by github-actions ended with failure on the head bbbbbbb: 2 tests failed"),
        ({}, [check("skipped")], "fail", "'ci' by github-actions ended with skipped on the head bbbbbbb"),
        ({"allow": ["success", "skipped"]}, [check("skipped")], "pass", "'ci' by github-actions is skipped on the head bbbbbbb"),
        ({}, [check(commit="e" * 40)], "pending", "waiting for 'ci' by github-actions on the head bbbbbbb"),
        ({}, [check(), check()], "pass", "'ci' by github-actions is success on the head bbbbbbb"),
        ({}, [check(url="https://x/1"), check("failure", url="https://x/2")], "error", "'ci' by github-actions has two answers on the head bbbbbbb: success (https://x/1) and failure (https://x/2); run it again so that they agree"),
        ({}, [check(), check("")], "pending", "'ci' by github-actions is still running on the head bbbbbbb"),
        ({"app": None, "creator": "jenkins"}, [check(app="", app_id=None, creator="Jenkins")], "pass", "'ci' by jenkins is success on the head bbbbbbb"),
        ({"app": None, "creator": "jenkins"}, [check(creator="jenkins")], "pending", "waiting for 'ci' by jenkins on the head bbbbbbb; the one by github-actions does not count"),
    ],
)  # fmt: skip
def test_one_check_on_the_head(demand, given, state, sentence, promotion, now):
    demand = {k: v for k, v in {**CI, "on": "head", **demand}.items() if v is not None}
    verdict = checks.evaluate(_with(promotion, demand, given), NONE, now)
    assert (verdict.state, verdict.sentence) == (state, sentence)


def _with(promotion, demand, given):
    return promotion(demands=(demand,), checks=tuple(given))


@pytest.mark.parametrize(
    ("on", "given", "passes"),
    [
        ("both", [check(), check(commit=SOURCE)], True),
        ("both", [check()], False),
        ("both", [check(commit=SOURCE)], False),
        ("head", [check()], True),
        ("source", [check(commit=SOURCE)], True),
        ("source", [check()], False),
    ],
)
def test_on_the_head_and_on_the_source_commit(on, given, passes, promotion, now):
    assert checks.evaluate(_with(promotion, {**CI, "on": on}, given), NONE, now).passed is passes


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        ("ci", "a name alone can be taken by anyone"),
        ({"name": "ci"}, "a name alone can be taken by anyone"),
        ({**CI, "creator": "x"}, "a name alone can be taken by anyone"),
        ({**CI, "apps": "x"}, "checks.0.apps: Extra inputs are not permitted"),
        ({"name": "ci", "app": True}, "must be an App's id or slug"),
    ],
)
def test_a_demand_that_cannot_be_read_is_an_error_that_names_its_place(demand, said, promotion, now):
    verdict = checks.evaluate(_with(promotion, demand, [check()]), NONE, now)
    assert verdict.state == "error"
    assert verdict.sentence.startswith(".ghapp.yml, environment prod: ")
    assert said in verdict.sentence


POLICY = """
kind: Promotion
name: ci everywhere
gates: [{checks: [{name: ci, app: github-actions, on: head}]}]
"""


def test_an_organisation_s_demand(promotion, rules, now):
    policies = rules(organisation=POLICY)
    assert checks.evaluate(promotion(), policies, now).state == "pending"
    assert checks.evaluate(_with(promotion, {**CI, "on": "head"}, [check()]), policies, now).sentence == "all 2 pass"


def test_a_demand_may_leave_rollbacks_alone(promotion, rules, now):
    policies = rules(POLICY.replace("}]}]", "}], kinds: [promotion]}]"))
    assert checks.evaluate(promotion(), policies, now).state == "pending"
    assert checks.evaluate(promotion(kind=Kind.ROLLBACK), policies, now) is None


def _external(promotion, given):
    gate = {"name": "quality", "external": {"check": "SonarQube", "app": "sonarqube"}}
    return promotion(gates=(gate,), checks=tuple(given))


@pytest.mark.parametrize(
    ("given", "state", "sentence"),
    [
        ([], "pending", "quality: waiting for 'SonarQube' by sonarqube on the head bbbbbbb"),
        ([check(name="SonarQube", app="sonarqube")], "pass", "quality: 'SonarQube' by sonarqube is success on the head bbbbbbb"),
        ([check(name="SonarQube", app="evil")], "pending", "quality: waiting for 'SonarQube' by sonarqube on the head bbbbbbb; the one by evil does not count"),
        ([check("failure", name="SonarQube", app="sonarqube")], "fail", "quality: 'SonarQube' by sonarqube ended with failure on the head bbbbbbb"),
    ],
)  # fmt: skip
def test_another_app_as_a_gate(given, state, sentence, promotion, now):
    verdict = external.evaluate(_external(promotion, given), NONE, now)
    assert (verdict.state, verdict.sentence) == (state, sentence)


def test_two_gates_of_one_name_are_an_error_that_names_both(promotion, rules, now):
    policies = rules("kind: Promotion\nname: p\ngates: [{name: quality, external: {check: x, app: y}}]")
    verdict = external.evaluate(_external(promotion, []), policies, now)
    assert verdict.sentence == (
        "two gates are called 'quality' (.ghapp.yml and the repository's policy 'p'); give one of them another name"
    )
