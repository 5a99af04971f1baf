"""One pass over one environment, with everything it needs put together and taken apart again."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from ghapp.agent.environment import Environment
from ghapp.agent.fetch import Source, repository
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import Access
from ghapp.agent.lease import Lease, identity
from ghapp.agent.objects import Failure
from ghapp.agent.reconcile import Reconciler
from ghapp.agent.report import Outcome, body
from ghapp.agent.server import ServerError
from ghapp.agent.surroundings import Surroundings


async def once(environment: Environment, access: Access, around: Surroundings) -> Outcome:
    """Reconcile once, and report it. The lease is asked for only when something is to be written."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(Kube(access))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        acting = own
        if environment.service_account:
            acting = await stack.enter_async_context(Kube(access.acting_as(environment.account)))
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="ghapp-agent-"))
        lease = Lease(own, environment.namespace, environment.name, identity())
        stack.push_async_callback(lease.release)
        name, server = repository(environment.repo), around.connect(session)
        mint = around.mint(server, name)
        source = Source(environment.repo, environment.branch, Path(scratch) / "git", mint, around.ssh_key)
        outcome = await Reconciler(environment, source, own, acting, lease.wait).run()
        outcome.requests = own.requests + (acting.requests if acting is not own else 0)
        for report in around.reporters(server, name, session) if not environment.plan else ():
            try:
                await report(body(outcome, name, environment.branch))
            except ServerError as e:
                outcome.failures.append(Failure("", f"the report did not get through: {e}"))
        return outcome
