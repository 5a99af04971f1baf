"""One pass over one environment, with everything it needs put together and taken apart again."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from ghapp.agent.environment import Environment
from ghapp.agent.fetch import Mint, Source
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import Access
from ghapp.agent.lease import Lease, identity
from ghapp.agent.reconcile import Reconciler
from ghapp.agent.report import Outcome


@dataclass(frozen=True)
class Credentials:
    """How git's remote is reached: a way to get a token, or a key file for SSH."""

    mint: Mint | None = None
    ssh_key: str = ""


async def once(environment: Environment, access: Access, credentials: Credentials) -> Outcome:
    """Reconcile once. The lease is asked for only when something is to be written."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(Kube(access))
        acting = own
        if environment.service_account:
            user = f"system:serviceaccount:{environment.namespace}:{environment.service_account}"
            acting = await stack.enter_async_context(Kube(access.acting_as(user)))
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="ghapp-agent-"))
        lease = Lease(own, environment.namespace, environment.name, identity())
        stack.push_async_callback(lease.release)
        source = Source(
            environment.repo, environment.branch, Path(scratch) / "git", credentials.mint, credentials.ssh_key
        )
        return await Reconciler(environment, source, own, acting, lease.wait).run()
