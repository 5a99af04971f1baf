"""The agent for good: every environment's service over shared connections, until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from ghapp.agent import metrics
from ghapp.agent.environment import Environment
from ghapp.agent.fetch import Source, repository
from ghapp.agent.inventory import slug
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import Access
from ghapp.agent.lease import Lease, identity
from ghapp.agent.metrics import Metrics
from ghapp.agent.reconcile import Reconciler
from ghapp.agent.report import AppOutcome, starting
from ghapp.agent.server import Server
from ghapp.agent.service import Service
from ghapp.agent.surroundings import Surroundings


async def serve(environments: Sequence[Environment], access: Access, around: Surroundings) -> None:
    """Run until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(_run(environments, access, around))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return


async def _run(environments: Sequence[Environment], access: Access, around: Surroundings) -> None:
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(Kube(access))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ghapp-agent-")))
        measured = Metrics()
        if around.metrics_port:
            runner = await metrics.serve(measured, around.metrics_host, around.metrics_port)
            stack.push_async_callback(runner.cleanup)
        server, who = around.connect(session), identity()
        async with asyncio.TaskGroup() as group:
            for environment in environments:
                acting = own
                if environment.service_account:
                    acting = await stack.enter_async_context(Kube(access.acting_as(environment.account)))
                folder = scratch / f"{slug(environment.name)}-{slug(environment.repo)}"
                group.create_task(
                    _service(environment, own, acting, session, server, around, folder, who, measured).run()
                )


def _service(
    environment: Environment,
    own: Kube,
    acting: Kube,
    session: aiohttp.ClientSession,
    server: Server | None,
    around: Surroundings,
    folder: Path,
    who: str,
    measured: Metrics,
) -> Service:
    """One environment's service, put together."""
    name = repository(environment.repo)
    mint, reporters = around.mint(server, name), around.reporters(server, name, session)
    source = Source(environment.repo, environment.branch, folder, mint, around.ssh_key)

    async def lead() -> None:
        await service.lead()

    async def begin(sha: str, apps: list[AppOutcome]) -> None:
        await service.report(starting(environment.name, sha, apps, name, environment.branch))

    reconciler = Reconciler(environment, source, own, acting, lead, begin, keep=True)
    lease = Lease(own, environment.namespace, environment.name, who)
    service = Service(reconciler, lease, name, measured, server, reporters)
    return service
