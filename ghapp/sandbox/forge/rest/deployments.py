"""Deployments, their statuses and the environments they go to."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Deployment
from ghapp.sandbox.forge.operations import deployments as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import deployments
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import not_found
from ghapp.sandbox.forge.web.routing import Route


def _list(call: Call) -> Reply:
    wanted = {name: call.query.get(name) for name in ("sha", "ref", "task", "environment")}
    found = [
        record
        for record in list(call.repository.deployments)[::-1]
        if all(value is None or getattr(record, name) == value for name, value in wanted.items())
    ]
    return call.page(found, lambda record: deployments.deployment(call.state, record))


def _create(call: Call) -> Reply:
    record = operations.create(call.state, call.repository, call.actor.person, call.body, call.actor.app)
    return Reply(deployments.deployment(call.state, record), 201)


def _deployment(call: Call) -> Deployment:
    return finding.record(call, "DE", Deployment, "deployment_id")


def _get(call: Call) -> dict[str, Any]:
    return deployments.deployment(call.state, _deployment(call))


def _delete(call: Call) -> None:
    operations.delete(call.state, _deployment(call))


def _statuses(call: Call) -> Reply:
    record = _deployment(call)
    newest_first = list(record.statuses)[::-1]
    return call.page(newest_first, lambda status: deployments.deployment_status(call.state, record, status))


def _add_status(call: Call) -> Reply:
    record = _deployment(call)
    status = operations.add_status(call.state, record, call.actor.person, call.body, call.actor.app)
    return Reply(deployments.deployment_status(call.state, record, status), 201)


def _get_status(call: Call) -> dict[str, Any]:
    record, number = _deployment(call), call.number("status_id")
    status = next((s for s in list(record.statuses) if s.id == number), None)
    if status is None:
        raise not_found()
    return deployments.deployment_status(call.state, record, status)


def _environments(call: Call) -> Reply:
    first = list(deployments.environments(call.repository).values())
    return call.page(first, lambda d: deployments.environment(call.state, call.repository, d), "environments")


def _environment(call: Call) -> dict[str, Any]:
    first = deployments.environments(call.repository).get(call.params["environment_name"])
    if first is None:
        raise not_found()
    return deployments.environment(call.state, call.repository, first)


_ALL = "/repos/{owner}/{repo}/deployments"
_ONE = f"{_ALL}/{{deployment_id}}"
_ENVIRONMENTS = "/repos/{owner}/{repo}/environments"

ROUTES = [
    Route("GET", _ALL, _list, "deployments:read"),
    Route("POST", _ALL, _create, "deployments:write"),
    Route("GET", _ONE, _get, "deployments:read"),
    Route("DELETE", _ONE, _delete, "deployments:write"),
    Route("GET", f"{_ONE}/statuses", _statuses, "deployments:read"),
    Route("POST", f"{_ONE}/statuses", _add_status, "deployments:write"),
    Route("GET", f"{_ONE}/statuses/{{status_id}}", _get_status, "deployments:read"),
    Route("GET", _ENVIRONMENTS, _environments, "actions:read"),
    Route("GET", f"{_ENVIRONMENTS}/{{environment_name}}", _environment, "actions:read"),
]
