"""Switches that make the cluster behave badly: slow, throttling, failing, away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from ghapp.sandbox.cluster import errors


@dataclass(slots=True)
class Faults:
    """What goes wrong now. Counters go down with every request they hit.

    ``latency``: seconds added to each request; ``throttle``: how many requests get 429, with ``retry_after``;
    ``fail``: how many get ``fail_code``; ``away``: connections are cut without an answer; ``match``: only requests
    whose "METHOD /path" contains this text are hit.
    """

    latency: float = 0.0
    throttle: int = 0
    retry_after: int = 1
    fail: int = 0
    fail_code: int = 500
    away: bool = False
    match: str = ""
    requests: int = 0
    by_verb: dict[str, int] = field(default_factory=dict)

    async def before(self, request: web.BaseRequest) -> None:
        """Count a request, and spoil it where a switch says so. Raises ApiError."""
        self.requests += 1
        self.by_verb[request.method] = self.by_verb.get(request.method, 0) + 1
        if self.match and self.match not in f"{request.method} {request.path_qs}":
            return
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.away:
            if request.transport is not None:
                request.transport.abort()
            raise errors.unavailable()
        if self.throttle > 0:
            self.throttle -= 1
            raise errors.too_many_requests(self.retry_after)
        if self.fail > 0:
            self.fail -= 1
            raise errors.ApiError(self.fail_code, "InternalError", "an injected failure")

    def clear(self) -> None:
        """Everything works again; counts stay."""
        self.latency, self.throttle, self.fail, self.away, self.match = 0.0, 0, 0, False, ""
