"""Deployments, their statuses and environments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import Commit, Ref
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import Order, ordered
from ghapp.sandbox.forge.model import Deployment, DeploymentStatus, Repository, ids

REPOSITORY = Fields("Repository")
DEPLOYMENT = Fields("Deployment", record=Deployment)
STATUS = Fields("DeploymentStatus", record=DeploymentStatus)
ENVIRONMENT = Fields("Environment")

# A deployment's state is its newest status under another name.
_STATES = {"success": "ACTIVE"}


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment, which exists as soon as something was deployed to it."""

    repository: Repository
    name: str

    @property
    def node_id(self) -> str:
        return ids.node_id("EN", self.repository.id, self.name)

    def deployments(self) -> list[Deployment]:
        """Oldest first."""
        return [d for d in list(self.repository.deployments) if d.environment == self.name]


@REPOSITORY.connection("deployments")
def deployments(
    repository: Repository, ctx: Context, environments: list[str] | None = None, order_by: Order = None
) -> list[Deployment]:
    ctx.need(repository, "deployments")
    found = [d for d in list(repository.deployments) if not environments or d.environment in environments]
    return ordered(found, order_by)


@Fields("Commit").connection("deployments")
def commit_deployments(
    commit: Commit, ctx: Context, environments: list[str] | None = None, order_by: Order = None
) -> list[Deployment]:
    found = deployments(commit.repository, ctx, environments, order_by)
    return [deployment for deployment in found if deployment.sha == commit.oid]


def _environments(repository: Repository) -> list[Environment]:
    names = sorted({deployment.environment for deployment in list(repository.deployments)})
    return [Environment(repository, name) for name in names]


@REPOSITORY.connection("environments")
def environments(
    repository: Repository, ctx: Context, names: list[str] | None = None, order_by: Order = None
) -> list[Environment]:
    ctx.need(repository, "environments", "deployments")
    found = [environment for environment in _environments(repository) if not names or environment.name in names]
    return ordered(found, order_by)


@REPOSITORY("environment")
def environment(repository: Repository, ctx: Context, name: str) -> Environment | None:
    ctx.need(repository, "environments", "deployments")
    return next((environment for environment in _environments(repository) if environment.name == name), None)


ENVIRONMENT.renamed(id="node_id")
ENVIRONMENT.same("name")
ENVIRONMENT.constant(databaseId=None)


@ENVIRONMENT("latestCompletedDeployment")
def latest_completed(environment: Environment, _ctx: Context) -> Deployment | None:
    done = [d for d in environment.deployments() if d.statuses and d.statuses[-1].state == "success"]
    return done[-1] if done else None


DEPLOYMENT.same("createdAt", "creator", "description", "environment", "repository", "task", "updatedAt")
DEPLOYMENT.renamed(id="node_id", databaseId="id", commitOid="sha", latestEnvironment="environment")
DEPLOYMENT("originalEnvironment")(lambda deployment, _ctx: deployment.original_environment or deployment.environment)
DEPLOYMENT("commit")(lambda deployment, _ctx: gitnodes.commit(deployment.repository, deployment.sha))
DEPLOYMENT.connection("statuses")(lambda deployment, _ctx: reversed(list(deployment.statuses)))
DEPLOYMENT("latestStatus")(lambda deployment, _ctx: deployment.statuses[-1] if deployment.statuses else None)


@DEPLOYMENT("payload")
def payload(deployment: Deployment, _ctx: Context) -> str | None:
    """As JSON text, unless it was given as text."""
    given: Any = deployment.payload
    return given if isinstance(given, str) else json.dumps(given)


@DEPLOYMENT("ref")
def ref(deployment: Deployment, _ctx: Context) -> Ref | None:
    return gitnodes.ref(deployment.repository, deployment.ref)


@DEPLOYMENT("state")
def deployment_state(deployment: Deployment, _ctx: Context) -> str:
    state = deployment.statuses[-1].state if deployment.statuses else "pending"
    return _STATES.get(state, state.upper())


STATUS.same("createdAt", "updatedAt", "creator", "description")
STATUS.renamed(id="node_id")
STATUS("state")(lambda status, _ctx: status.state.upper())
STATUS("environment")(lambda status, _ctx: status.environment or None)
STATUS("environmentUrl")(lambda status, _ctx: status.environment_url or None)
STATUS("logUrl")(lambda status, _ctx: status.log_url or None)


@STATUS("deployment")
def deployment_of(status: DeploymentStatus, ctx: Context) -> Deployment:
    return next(d for d in list(ctx.repository_of(status).deployments) if status in d.statuses)
