"""Asking what http, metric and job gates demand, and remembering the answers for as long as they may count.

An answer is kept beside the head that it is about. Losing it costs one more question, never a decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ghapp.github.shared import Store
from jobs.pipeline.secrets import MissingSecret, Secrets
from jobs.promotion.fetching import Fetched, fetch
from jobs.promotion.job_gate import AWAY, look_at_job
from jobs.reconcile import Context
from policies.demands import Http, Job, Metric
from policies.gates.demanded import Demanded, demanded
from policies.gates.facts import Promotion, Result
from policies.policy import PolicySet
from policies.verdict import Verdict

JOB_LOOKS = timedelta(seconds=5)
_KEPT = 7 * 86_400  # seconds
_SECRET = "secret:"  # noqa: S105 - the prefix by which a header names one

Fetch = Callable[..., Fetched]


def probe(context: Context, facts: Promotion, policies: PolicySet, *, ask: Fetch = fetch) -> tuple[Result, ...]:
    """The results that this promotion's gates need, asked anew where they are due."""
    store = context.github.store
    found = []
    for one in (d for what in ("http", "metric", "job") for d in _demands(facts, policies, what)):
        name, http, metric, job = one.demand.name, one.demand.http, one.demand.metric, one.demand.job
        if http is not None:
            found.append(_result(store, facts, name, http.every, context.now, _http(context, facts, http, ask)))
        elif metric is not None:
            found.append(_result(store, facts, name, metric.every, context.now, _metric(context, metric, ask)))
        elif job is not None:
            found.append(_result(store, facts, name, JOB_LOOKS, context.now, _job(context, facts, name, job)))
    return tuple(found)


def running(results: Iterable[Result]) -> bool:
    """Whether a Job has not ended, or its cluster is away: it is worth another look soon."""
    return any(r.status is None and not r.samples and (not r.error or AWAY in r.error) for r in results)


def _demands(facts: Promotion, policies: PolicySet, what: str) -> Iterable[Demanded]:
    """What is demanded; nothing where the demand itself is broken, which its gate says."""
    answer = demanded(facts, policies, what)
    return () if isinstance(answer, Verdict) else answer


def _result(
    store: Store, facts: Promotion, gate: str, every: timedelta, now: datetime, ask: Callable[[], dict[str, Any]]
) -> Result:
    key = f"ghapp:probe:{facts.repository}:{facts.app}:{facts.environment.name}:{facts.head_sha}:{gate}"
    kept = json.loads(store.get(key) or "null")
    if kept and kept.get("final"):
        return _read(gate, facts.head_sha, kept)
    if kept and now < datetime.fromtimestamp(kept["at"], UTC) + every:
        return _read(gate, facts.head_sha, kept)
    fresh = {"at": now.timestamp(), "since": kept["since"] if kept else now.timestamp(), **ask()}
    store.set(key, json.dumps(fresh), seconds=_KEPT)
    return _read(gate, facts.head_sha, fresh)


def _read(gate: str, head: str, kept: dict[str, Any]) -> Result:
    return Result(
        gate=gate,
        at=datetime.fromtimestamp(kept["at"], UTC),
        since=datetime.fromtimestamp(kept["since"], UTC),
        status=kept.get("status"),
        body=kept.get("body", ""),
        samples=tuple((datetime.fromtimestamp(at, UTC), value) for at, value in kept.get("samples", ())),
        error=kept.get("error", ""),
        head_sha=head,
    )


def _http(context: Context, facts: Promotion, http: Http, ask: Fetch) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        secrets = Secrets(context.settings.secrets_dir, facts.repository)
        try:
            headers = {name: _header(value, secrets) for name, value in http.headers.items()}
        except MissingSecret as e:
            return {"error": str(e)}
        timeout = http.timeout.total_seconds()
        got = ask(http.url, context.settings.gate_hosts, method=http.method, headers=headers, timeout=timeout)
        return {"status": got.status, "body": got.body, "error": got.error}

    return run


def _job(context: Context, facts: Promotion, name: str, job: Job) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        seen = look_at_job(context.settings, facts, name, job)
        # A Job that has ended is not started again when the cluster has forgotten it.
        return {**seen, "final": "status" in seen}

    return run


def _header(value: str, secrets: Secrets) -> str:
    return secrets.read(value.removeprefix(_SECRET)) if value.startswith(_SECRET) else value


def _metric(context: Context, metric: Metric, ask: Fetch) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        end = context.now.timestamp()
        step = max(1, int(metric.every.total_seconds()))
        query = {"query": metric.query, "start": end - metric.for_.total_seconds(), "end": end, "step": step}
        url = f"{metric.server.rstrip('/')}/api/v1/query_range?{urlencode(query)}"
        got = ask(url, context.settings.gate_hosts, timeout=10)
        if got.error or got.status != 200:
            return {"error": got.error or f"Prometheus answered {got.status}: {got.body[:200]}"}
        try:
            return {"samples": list(_samples(json.loads(got.body)))}
        except (ValueError, KeyError, TypeError, IndexError):
            return {"error": "Prometheus' answer is not a range of values"}

    return run


def _samples(answer: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """Every value of every series: the bounds hold for all of them.

    https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
    """
    for series in answer["data"]["result"]:
        for at, value in series["values"]:
            yield float(at), float(value)
