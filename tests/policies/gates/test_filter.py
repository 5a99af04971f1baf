"""CEL conditions on what is released: pass, fail, and never a pass where there is no answer."""
# ruff: noqa: E501 - a table

import pytest

from policies.evidence import Evidence
from policies.filters import PROMOTION_VARIABLES, BadExpression, check, compiled
from policies.gates.facts import Commit
from policies.gates.filter import evaluate, variables
from policies.policy import PolicySet

NONE = PolicySet()
SOURCE = "a" * 40


@pytest.fixture
def release(promotion, now):
    evidence = Evidence(
        kind="step", commit=SOURCE, plugin="gitleaks", version="8.1.0", result="success", at=now, verified=True
    )
    return lambda **changes: promotion(
        images={"ghcr.io/acme/guestbook": "sha256:d"},
        tags=("v1.2.0",),
        commits=(Commit(sha=SOURCE, author="wendy", message="Fix the door"),),
        evidence=(evidence,),
        labels=frozenset({"urgent"}),
        **changes,
    )


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ("image.tag.startsWith('v')", "pass"),
        ("tag.matches('^v[0-9]+[.]')", "pass"),
        ("image.repository == 'ghcr.io/acme/other'", "fail"),
        ("'urgent' in labels", "pass"),
        ("labels.exists(l, l == 'calm')", "fail"),
        ("commit.author == 'wendy' && commit.message.contains('door')", "pass"),
        ("evidence.exists(e, e.plugin == 'gitleaks' && e.result == 'success')", "pass"),
        ("evidence.exists(e, e.plugin == 'trivy')", "fail"),
        ("environment == 'prod' && app == 'guestbook' && kind == 'promotion'", "pass"),
        ("now.getDayOfWeek() != 1", "fail"),
        ("now - release.created_at < duration('1h')", "pass"),
        ("image.size > 3", "error"),
        ("image.tag", "error"),
        ("labels[5] == 'x'", "error"),
        ("nonsense == 1", "error"),
        ("image.tag ==", "error"),
        ("foo(1)", "error"),
    ],
)
def test_an_environment_s_filter(condition, state, release, now):
    verdict = evaluate(release(filter=condition, line=12), NONE, now)
    assert verdict.state == state, verdict
    if state == "error":
        assert verdict.sentence.startswith(f".ghapp.yml:12: environment prod: filter: {condition} — ")


def test_nothing_asked_no_gate(release, now):
    assert evaluate(release(), NONE, now) is None


POLICY = """
kind: Promotion
name: only versions
filter:
  pass: image.tag.startsWith('v')
  fail: image.tag.endsWith('-rc')
  message: tag a version first
"""


@pytest.mark.parametrize(
    ("tag", "state", "sentence"),
    [
        ("v1", "pass", "the release meets image.tag.startsWith('v') (the organisation's policy 'only versions')"),
        ("main", "fail", "the release does not meet the condition image.tag.startsWith('v'); tag a version first (the organisation's policy 'only versions')"),
        ("v1-rc", "fail", "the release is turned away by the condition image.tag.endsWith('-rc'); tag a version first (the organisation's policy 'only versions')"),
    ],
)  # fmt: skip
def test_a_policy_s_filter_fail_wins(tag, state, sentence, promotion, rules, now):
    facts = promotion(images={"x": "sha256:d"}, tags=(tag,))
    verdict = evaluate(facts, rules(organisation=POLICY), now)
    assert (verdict.state, verdict.sentence) == (state, sentence)


def test_a_repository_cannot_loosen_the_organisation_s(promotion, rules, now):
    ours = POLICY.replace("only versions", "anything").replace("image.tag.startsWith('v')", "tag != 'x'")
    facts = promotion(images={"x": "sha256:d"}, tags=("main",))
    assert evaluate(facts, rules(ours, POLICY), now).state == "fail"
    assert evaluate(facts, rules(ours), now).passed


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("imag.tag == 'x'", "repo.yml:5: `filter.pass`: `imag` is not known — write one of app, commit,"),
        ("image.tag == ", "repo.yml:5: `filter.pass`: not CEL: Syntax error"),
        ("frobnicate(tag)", "there is no function `frobnicate`"),
        ("''", "an empty condition"),
        ("tag == '" + "x" * 2100 + "'", "longer than 2000 characters"),
        ("labels.all(a, labels.all(b, labels.all(c, labels.all(d, a == b))))", "more than 3 loops"),
        ("(" * 900 + "true" + ")" * 900, "not CEL"),
        ("5", "a condition is text"),
    ],
)
def test_a_policy_with_a_bad_condition_is_refused(expression, said, rules):
    text = POLICY.replace("image.tag.startsWith('v')", expression)
    found = rules(text)
    assert said in "\n".join(str(p) for b in found.broken for p in b.problems)


def test_a_condition_speaks_of_exactly_the_variables_that_are_documented(release, now):
    assert set(variables(release(), now)) == PROMOTION_VARIABLES


def test_words_in_texts_are_no_loops_and_no_variables():
    text = "tag == 'x.all(a, b.all(c, d.map(e, f.filter('"
    assert check(text, PROMOTION_VARIABLES) == text


def test_compiling_is_remembered():
    assert compiled("tag == 'x'") is compiled("tag == 'x'")
    with pytest.raises(BadExpression):
        compiled("tag ==")


def test_evidence_that_is_not_verified_is_not_seen(promotion, now):
    evidence = Evidence(kind="step", commit=SOURCE, plugin="trivy", result="success", at=now, verified=False)
    assert (
        evaluate(promotion(filter="evidence.exists(e, e.plugin == 'trivy')", evidence=(evidence,)), NONE, now).state
        == "fail"
    )
