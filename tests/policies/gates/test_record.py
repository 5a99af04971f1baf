"""Facts as JSON and back, short forms for tests, and what cannot be read."""
# ruff: noqa: E501 - tables

import dataclasses
import json
from datetime import timedelta

import jsonschema
import pytest

from policies.evidence import Evidence, Target
from policies.finding import Finding, FindingKind, Severity
from policies.gates.approval import pull_request_of
from policies.gates.facts import Check, Commit, Hold, Kind, Order, Result, Review, Stop, Strategy, Upstream
from policies.gates.record import (
    BadFacts,
    Record,
    read_promotion,
    read_record,
    schema,
    write_promotion,
    write_record,
)


@pytest.fixture
def everything(promotion, now, minutes):
    found = Finding(
        "CVE-1", FindingKind.VULNERABILITY, Severity.HIGH, "t", ("trivy", "clair"), package="p", aliases=("GHSA-1",)
    )
    evidence = Evidence(kind="scan", commit="a" * 40, at=now, verified=True, target=Target.IMAGE, digest="sha256:1", inputs={"a": [1]}, findings=(found,), database_at=now)  # fmt: skip
    facts = promotion(
        kind=Kind.HOTFIX,
        strategy=Strategy.QUEUE,
        after=("staging",),
        demands=({"name": "ci", "app": 1},),
        gates=({"name": "x", "job": {"image": "y"}},),
        evidence=(evidence,),
        rendered=(evidence,),
        images={"x": "sha256:1"},
        commits=(Commit(sha="a" * 40, author=None, co_authors=(None, "x")),),
        upstreams=(
            Upstream(environment="staging", release="r", order=Order.NEWER, healthy_since=now, soak=minutes(30)),
        ),
        reviews=(Review(author=None, state="APPROVED", commit="b" * 40, submitted_at=now),),
        permissions={"alice": "write"},
        team_members={"acme/sre": frozenset({"alice"})},
        checks=(Check(name="ci", commit="b" * 40, app_id=1),),
        labels=frozenset({"urgent"}),
        holds=(Hold(by="x", since=now),),
        stops=(Stop(by=None),),
        results=(Result(gate="x", at=now, samples=((now, 1.5),)),),
    )
    return dataclasses.replace(facts, pull_request=pull_request_of(facts))


def test_there_and_back(everything, now):
    data = json.loads(json.dumps(write_promotion(everything)))
    assert read_promotion(data) == everything
    record = Record("42", now + timedelta(microseconds=1), everything, {"window": "pass"})
    assert read_record(json.loads(json.dumps(write_record(record)))) == record


def test_the_schema_agrees(everything):
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_short_forms_of_a_test_case(now):
    facts = read_promotion(
        {
            "environment": "staging",
            "reviews": ["alice"],
            "release": {"evidence": [{"kind": "step", "plugin": "x", "verified": True}]},
        }
    )
    assert facts.environment.name == "staging"
    assert (facts.reviews[0].author, facts.reviews[0].commit) == ("alice", facts.head_sha)
    assert facts.release.evidence[0].commit == facts.release.commit
    assert read_promotion({}).environment.name == "prod"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "the facts are not a map"),
        ({"enviroment": "prod"}, "enviroment: unknown key; did you mean environment?"),
        ({"environment": {"name": "prod", "aftr": []}}, "environment.aftr: unknown key; did you mean after?"),
        ({"release": {"commits": [{"sha": "x", "author": "y", "autor": "z"}]}}, "release.commits.0.autor: unknown key"),
        ({"environment": 5}, "environment: "),
        ({"kind": "party"}, "kind: "),
        ({"upstreams": [{"environment": "s", "healthy_since": "yesterday"}]}, "upstreams.0.healthy_since: "),
        ({"reviews": "alice"}, "reviews: "),
    ],
)
def test_what_cannot_be_read_names_its_place(data, said):
    with pytest.raises(BadFacts) as e:
        read_promotion(data)
    assert str(e.value).startswith(said)


@pytest.mark.parametrize("data", [None, {}, {"id": 1, "at": "2026-01-01"}, {"id": 1, "at": "x", "facts": {}}])
def test_what_is_no_record(data):
    with pytest.raises(BadFacts):
        read_record(data)
