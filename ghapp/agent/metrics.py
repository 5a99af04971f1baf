"""What can be measured of the agent: Prometheus metrics, and whether it is alive and ready, on one optional port."""

from __future__ import annotations

import time

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ghapp.agent.report import Outcome


class Metrics:
    """One process's metrics, by environment."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        label = ["environment"]
        self._passes = Counter("ghapp_agent_passes", "Passes by result", [*label, "result"], registry=self.registry)
        self._seconds = Histogram("ghapp_agent_pass_seconds", "Duration of a pass", label, registry=self.registry)
        self._objects = Gauge("ghapp_agent_objects", "Members", label, registry=self.registry)
        self._ok = Gauge("ghapp_agent_ok", "1 if the last pass went well", label, registry=self.registry)
        self._drift = Counter("ghapp_agent_drift", "Members that drifted", label, registry=self.registry)
        self._writes = Counter("ghapp_agent_writes", "Objects written", [*label, "verb"], registry=self.registry)
        self._leads = Gauge("ghapp_agent_leads", "1 if this process leads", label, registry=self.registry)
        self.beats: dict[str, float] = {}

    def passed(self, outcome: Outcome) -> None:
        """Count a pass."""
        name = outcome.environment
        self._passes.labels(name, outcome.state).inc()
        self._seconds.labels(name).observe(outcome.seconds)
        self._objects.labels(name).set(outcome.objects)
        self._ok.labels(name).set(outcome.ok)
        self._drift.labels(name).inc(len(outcome.drift))
        for verb, objects in (("create", outcome.created), ("change", outcome.changed), ("prune", outcome.pruned)):
            self._writes.labels(name, verb).inc(len(objects))

    def leads(self, environment: str, leading: bool) -> None:
        self._leads.labels(environment).set(leading)

    def beat(self, environment: str, within: float) -> None:
        """The environment's loop is alive, and will say so again within this many seconds."""
        self.beats[environment] = time.monotonic() + within

    def alive(self) -> bool:
        """Whether every loop said so in time."""
        return all(time.monotonic() < until for until in self.beats.values())


async def serve(metrics: Metrics, host: str, port: int) -> web.AppRunner:
    """Answer ``/metrics``, ``/healthz`` and ``/readyz``."""

    async def told(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain", charset="utf-8")

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n") if metrics.alive() else web.Response(status=503, text="a loop is stuck\n")

    app = web.Application()
    app.router.add_get("/metrics", told)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", healthy)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
