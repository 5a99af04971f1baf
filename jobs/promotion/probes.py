"""Asking what http and metric gates demand, and remembering the answers for as long as they may count.

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
from jobs.reconcile import Context
from policies.demands import Http, Metric
from policies.gates.demanded import Demanded, demanded
from policies.gates.facts import Promotion, Result
from policies.policy import PolicySet
from policies.verdict import Verdict

_KEPT = 7 * 86_400  # seconds
_SECRET = "secret:"  # noqa: S105 - the prefix by which a header names one

Fetch = Callable[..., Fetched]


def probe(context: Context, facts: Promotion, policies: PolicySet, *, ask: Fetch = fetch) -> tuple[Result, ...]:
    """The results that this promotion's gates need, asked anew where they are due."""
    store = context.github.store
    found = []
    for one in (*_demands(facts, policies, "http"), *_demands(facts, policies, "metric")):
        http, metric = one.demand.http, one.demand.metric
        if http is not None:
            every, question = http.every, _http(context, facts, http, ask)
        elif metric is not None:
            every, question = metric.every, _metric(context, metric, ask)
        else:
            continue
        found.append(_result(store, facts, one.demand.name, every, context.now, question))
    found += [_no_job(one.demand.name, facts, context.now) for one in _demands(facts, policies, "job")]
    return tuple(found)


def _no_job(gate: str, facts: Promotion, now: datetime) -> Result:
    """The control plane holds no cluster's credentials, so a Job of a gate has nowhere to run yet."""
    why = "Jobs as gates are not run by this version; use an http gate, or a check run of another App as `external`"
    return Result(gate=gate, at=now, since=now, error=why, head_sha=facts.head_sha)


def _demands(facts: Promotion, policies: PolicySet, what: str) -> Iterable[Demanded]:
    """What is demanded; nothing where the demand itself is broken, which its gate says."""
    answer = demanded(facts, policies, what)
    return () if isinstance(answer, Verdict) else answer


def _result(
    store: Store, facts: Promotion, gate: str, every: timedelta, now: datetime, ask: Callable[[], dict[str, Any]]
) -> Result:
    key = f"ghapp:probe:{facts.repository}:{facts.app}:{facts.environment.name}:{facts.head_sha}:{gate}"
    kept = json.loads(store.get(key) or "null")
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
