"""Gates that judge what a job has recorded: http, job, metric; and whom they may ask."""
# ruff: noqa: E501 - tables

import math

import pytest

from policies.gates import http, job, metric
from policies.gates.facts import Result
from policies.policy import PolicySet

NONE = PolicySet()
HEAD = "b" * 40
ALLOWED = ("*.example.com",)


def gate(name, what, **fields):
    return {"name": name, what: fields}


@pytest.fixture
def recorded(now, minutes):
    def make(name="smoke", *, ago=0, since=None, head_sha=HEAD, **fields):
        begun = now - minutes(since) if since is not None else None
        return Result(gate=name, at=now - minutes(ago), since=begun, head_sha=head_sha, **fields)

    return make


HTTP = {"url": "https://smoke.example.com/run", "every": "1m", "within": "10m"}


@pytest.mark.parametrize(
    ("more", "results", "state", "sentence", "until"),
    [
        ({}, [], "pending", "smoke: has not been asked yet", None),
        ({}, [{"status": 200}], "pass", "smoke: answered 200", None),
        ({}, [{"status": 200, "head_sha": "c" * 40}], "pending", "smoke: has not been asked yet", None),
        ({}, [{"status": 503, "since": 2}], "pending", "smoke: answered 503, not 200; asked again every 1m", 1),
        ({}, [{"status": 503, "ago": 5, "since": 9}], "pending", "smoke: answered 503, not 200; asked again every 1m", 0),
        ({}, [{"status": 503, "since": 10}], "fail", "smoke: answered 503, not 200, and has for 10m", None),
        ({}, [{"error": "timed out after 10s", "since": 0}], "pending", "smoke: gave no answer (timed out after 10s); asked again every 1m", 1),
        ({"status": [200, 204]}, [{"status": 204}], "pass", "smoke: answered 204", None),
        ({"expect": "json.ok"}, [{"status": 200, "body": '{"ok": true}'}], "pass", "smoke: answered 200", None),
        ({"expect": "json.ok"}, [{"status": 200, "body": '{"ok": false}'}], "pending", "smoke: the answer does not meet json.ok; asked again every 1m", 1),
        ({"expect": "json.ok"}, [{"status": 200, "body": "<html>"}], "error", None, None),
        ({"expect": "body.contains('fine')"}, [{"status": 200, "body": "all fine"}], "pass", "smoke: answered 200", None),
        ({}, [{"status": 503, "ago": 3}, {"status": 200}], "pass", "smoke: answered 200", None),
        ({}, [{"status": 200, "ago": 3}, {"status": 503, "since": 3}], "pending", "smoke: answered 503, not 200; asked again every 1m", 1),
        ({}, [{"status": 200}, {"status": 503}], "error", "smoke: there are two answers of the same moment: status 200 and status 503; ask again", None),
        ({"url": "https://evil.test/"}, [{"status": 200}], "error", "smoke: the host evil.test is not on the installation's list of allowed hosts", None),
    ],
)  # fmt: skip
def test_http(more, results, state, sentence, until, promotion, recorded, now, minutes):
    facts = promotion(
        gates=(gate("smoke", "http", **{**HTTP, **more}),),
        results=tuple(recorded(**r) for r in results),
        allowed_hosts=ALLOWED,
    )
    verdict = http.evaluate(facts, NONE, now)
    assert verdict.state == state
    assert sentence in (None, verdict.sentence)
    assert verdict.until == (None if until is None else now + minutes(until))


@pytest.mark.parametrize(
    ("url", "addresses", "why"),
    [
        ("https://a.example.com/x", [], ""),
        ("https://A.Example.COM./x", [], ""),
        ("https://a.example.com:8443/x", [], ""),
        ("https://a.example.com/x", ["93.184.216.34", "2606:2800:220:1::1"], ""),
        ("http://a.example.com/x", [], "is not https"),
        ("https://example.com/x", [], "not on the installation's list"),
        ("https://a.b.example.com.evil.test/", [], "not on the installation's list"),
        ("https://a.example.com@evil.test/", [], "credentials"),
        ("https://user:pass@a.example.com/", [], "credentials"),
        ("https://a.example.com:22/", [], "port 22"),
        ("https://a.example.com:99999/", [], "is not a URL"),
        ("https:///x", [], "not on the installation's list"),
        ("file:///etc/passwd", [], "is not https"),
        ("https://a.example.com/", ["10.0.0.1"], "not a public address"),
        ("https://a.example.com/", ["93.184.216.34", "169.254.169.254"], "not a public address"),
        ("https://a.example.com/", ["127.0.0.1"], "not a public address"),
        ("https://a.example.com/", ["::1"], "not a public address"),
        ("https://a.example.com/", ["::ffff:10.0.0.1"], "not a public address"),
        ("https://a.example.com/", ["fd00::1"], "not a public address"),
        ("https://a.example.com/", ["fe80::1%eth0"], "not a public address"),
        ("https://a.example.com/", ["0.0.0.0"], "not a public address"),
        ("https://a.example.com/", ["100.64.0.1"], "not a public address"),
        ("https://a.example.com/", ["224.0.0.1"], "not a public address"),
        ("https://a.example.com/", ["nonsense"], "which is not an address"),
    ],
)  # fmt: skip
def test_whom_a_gate_may_ask(url, addresses, why, now):
    said = http.guard(url, ALLOWED, addresses)
    assert why in said
    assert bool(said) is bool(why)


def test_an_address_is_never_public_by_being_on_the_list():
    assert "not a public address" in http.guard("https://127.0.0.1/", ("127.0.0.1", "*"))
    assert "not a public address" in http.guard("https://[::1]/", ("*", "::1"))
    assert http.guard("https://anything.test/", ())


@pytest.mark.parametrize(
    ("results", "state", "sentence", "until"),
    [
        ([], "pending", "load: has not been started yet", None),
        ([{"status": None, "since": 4}], "pending", "load: runs since 2026-11-23 09:56 UTC", 6),
        ([{"status": None, "since": 10}], "fail", "load: took longer than 10m", None),
        ([{"status": 0}], "pass", "load: succeeded", None),
        ([{"status": 3}], "fail", "load: ended with exit status 3", None),
        ([{"error": "the image cannot be pulled"}], "fail", "load: the image cannot be pulled", None),
        ([{"status": 1, "ago": 5}, {"status": 0}], "pass", "load: succeeded", None),
        ([{"status": 0}, {"status": 1}], "error", "load: there are two answers of the same moment: status 0 and status 1; ask again", None),
    ],
)  # fmt: skip
def test_job(results, state, sentence, until, promotion, recorded, now, minutes):
    facts = promotion(
        gates=(gate("load", "job", image="x", timeout="10m"),), results=tuple(recorded("load", **r) for r in results)
    )
    verdict = job.evaluate(facts, NONE, now)
    assert (verdict.state, verdict.sentence) == (state, sentence)
    assert verdict.until == (now + minutes(until) if until else None)


def series(now, minutes, *values):
    """One value a minute, the last one now."""
    return tuple((now - minutes(len(values) - 1 - i), v) for i, v in enumerate(values))


METRIC = {"query": "rate(errors[1m])", "server": "main", "below": 0.01, "for": "5m", "every": "1m"}


@pytest.mark.parametrize(
    ("values", "state", "sentence", "until"),
    [
        (None, "pending", "errors: has not been measured yet", None),
        ([0] * 6, "pass", "errors: has been below 0.01 for 5m", None),
        ([0.05, 0.05, 0, 0, 0, 0, 0, 0], "pass", "errors: has been below 0.01 for 5m", None),
        ([0, 0, 0.05, 0, 0, 0], "pending", "errors: was 0.05 at 2026-11-23 09:57 UTC; has to be below 0.01 for 5m", 2),
        ([0, 0, 0, 0, 0, 0.01], "pending", "errors: was 0.01 at 2026-11-23 10:00 UTC; has to be below 0.01 for 5m", 5),
        ([0, 0, 0, 0, 0, math.nan], "pending", "errors: was nan at 2026-11-23 10:00 UTC; has to be below 0.01 for 5m", 5),
        ([0, 0], "pending", "errors: has only 2 samples of the last 5m, one is needed every 1m", 1),
        ([], "pending", "errors: has only 0 samples of the last 5m, one is needed every 1m", 1),
    ],
)  # fmt: skip
def test_metric(values, state, sentence, until, promotion, recorded, now, minutes):
    results = () if values is None else (recorded("errors", samples=series(now, minutes, *values)),)
    facts = promotion(gates=(gate("errors", "metric", **METRIC),), results=results)
    verdict = metric.evaluate(facts, NONE, now)
    assert (verdict.state, verdict.sentence) == (state, sentence)
    assert verdict.until == (now + minutes(until) if until else None)


def test_a_metric_within_two_bounds_and_one_that_cannot_be_measured(promotion, recorded, now, minutes):
    gates = (gate("errors", "metric", **{**METRIC, "above": -1}),)
    good = recorded("errors", samples=series(now, minutes, *[0] * 6))
    assert metric.evaluate(promotion(gates=gates, results=(good,)), NONE, now).sentence == (
        "errors: has been above -1 and below 0.01 for 5m"
    )
    bad = recorded("errors", error="connection refused")
    assert metric.evaluate(promotion(gates=gates, results=(bad,)), NONE, now).state == "error"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"name": "x", "http": {"url": "http://a.example.com"}}, "http: `url` must be https://"),
        ({"name": "x", "http": {"url": "https://a.example.com", "timeout": "5m"}}, "`timeout` is at most 1m"),
        ({"name": "x", "http": {"url": "https://a.example.com", "every": "1s"}}, "`every` is at least 10s"),
        ({"name": "x", "http": {"url": "https://a.example.com", "expect": "foo"}}, "`foo` is not known"),
        ({"name": "x", "metric": {"query": "q", "server": "s"}}, "a metric needs `above` or `below`"),
        ({"name": "x", "metric": {"query": "q", "server": "s", "above": 2, "below": 1}}, "nothing is above"),
        ({"name": "x"}, "exactly one of checks, http, job, metric and external"),
        ({"job": {"image": "x"}}, "this gate needs a name"),
        ({"name": "x", "jobs": {}}, "jobs: Extra inputs are not permitted"),
    ],
)
def test_a_gate_that_cannot_be_read_is_an_error_for_every_gate(written, said, promotion, now):
    for module in (http, job, metric):
        verdict = module.evaluate(promotion(gates=(written,)), NONE, now)
        assert verdict.state == "error"
        assert said in verdict.sentence
