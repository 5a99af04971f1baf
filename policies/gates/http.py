"""Passes when a URL has answered as expected. Judges the recorded answer; a job asks, after asking :func:`guard`.

Only hosts that the installation allows, only https, and never an address of a private network.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from policies.demands import Http
from policies.filters import BadExpression, holds
from policies.gates.demanded import Demanded, judge_each
from policies.gates.facts import Promotion
from policies.gates.results import Answer, newest
from policies.globs import matches_any
from policies.policy import PolicySet
from policies.quantity import format_duration
from policies.verdict import Verdict, error, failed, passed, pending

NAME = "http"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Every http gate, by the newest answer for this head."""

    def judge(demanded: Demanded) -> list[Verdict]:
        http = demanded.demand.http
        return [_one(demanded.demand.name, http, facts, now)] if http else []

    return judge_each(facts, policies, "http", judge)


def guard(url: str, allowed: Sequence[str], addresses: Iterable[str] = ()) -> str:
    """Why a URL must not be asked; ``""`` if it may. To be called for the URL and again for every redirect.

    ``allowed`` are globs of host names; ``addresses`` what the host's name resolved to, each of which has to be public.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        return f"{url[:100]!r} is not a URL"
    if parts.scheme != "https":
        return f"{url[:100]!r} is not https"
    if parts.username or parts.password:
        return "credentials do not belong into a URL; use `headers` with a secret"
    if port not in (None, 443, 8443):
        return f"port {port} is not one for https (443, 8443)"
    if not host or not matches_any(tuple(a.lower() for a in allowed if not a.startswith("!")), host):
        return f"the host {host or '(none)'} is not on the installation's list of allowed hosts"
    for address in [host, *addresses]:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            if address != host:
                return f"{host} resolved to {address[:60]!r}, which is not an address"
            continue
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        if not mapped.is_global or mapped.is_multicast:
            return f"{host} is at {ip}, which is not a public address"
    return ""


def _one(name: str, http: Http, facts: Promotion, now: datetime) -> Verdict:
    if why := guard(http.url, facts.allowed_hosts):
        return error(f"{name}: {why}")
    answer = newest(name, facts)
    if isinstance(answer, Verdict):
        return answer
    if answer is None:
        return pending(f"{name}: has not been asked yet")
    problem = _shortcoming(http, answer)
    if isinstance(problem, Verdict):
        return Verdict(problem.state, f"{name}: {problem.sentence}")
    if not problem:
        return passed(f"{name}: answered {answer.result.status}")
    since = answer.result.since or answer.result.at
    if now >= since + http.within:
        return failed(f"{name}: {problem}, and has for {format_duration(http.within)}")
    return pending(
        f"{name}: {problem}; asked again every {format_duration(http.every)}",
        until=max(now, answer.result.at + http.every),
    )


def _shortcoming(http: Http, answer: Answer) -> str | Verdict:
    result = answer.result
    if result.error:
        return f"gave no answer ({result.error})"
    if result.status not in http.status:
        return f"answered {result.status}, not {' or '.join(map(str, http.status))}"
    if http.expect is None:
        return ""
    known: dict[str, Any] = {"status": result.status, "body": result.body, "json": _json(result.body)}
    try:
        return "" if holds(http.expect, known) else f"the answer does not meet {http.expect}"
    except BadExpression as e:
        return error(f"the condition {http.expect} has no answer: {e}")


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
