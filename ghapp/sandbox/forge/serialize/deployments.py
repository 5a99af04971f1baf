"""Deployments, their statuses and environments in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Deployment, DeploymentStatus, Repository, State
from ghapp.sandbox.forge.model.ids import node_id
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import simple_user
from ghapp.sandbox.forge.serialize.apps import optional_app
from ghapp.sandbox.forge.serialize.repositories import api_url, html_url


def deployment(state: State, record: Deployment) -> dict[str, Any]:
    """``deployment``."""
    api = api_url(state, record.repository)
    return {
        "id": record.id,
        "node_id": record.node_id,
        "url": f"{api}/deployments/{record.id}",
        "sha": record.sha,
        "ref": record.ref,
        "task": record.task,
        "payload": record.payload,
        "original_environment": record.original_environment,
        "environment": record.environment,
        "description": record.description,
        "creator": simple_user(state, record.creator),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "statuses_url": f"{api}/deployments/{record.id}/statuses",
        "repository_url": api,
        "transient_environment": record.transient_environment,
        "production_environment": record.production_environment,
        "performed_via_github_app": optional_app(state, record.app),
    }


def deployment_status(state: State, of: Deployment, record: DeploymentStatus) -> dict[str, Any]:
    """``deployment-status``."""
    api = api_url(state, of.repository)
    return {
        "id": record.id,
        "node_id": record.node_id,
        "url": f"{api}/deployments/{of.id}/statuses/{record.id}",
        "state": record.state,
        "creator": simple_user(state, record.creator),
        "description": record.description,
        "environment": record.environment,
        "target_url": record.log_url,
        "log_url": record.log_url,
        "environment_url": record.environment_url,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "deployment_url": f"{api}/deployments/{of.id}",
        "repository_url": api,
        "performed_via_github_app": optional_app(state, record.app),
    }


def environments(repository: Repository) -> dict[str, Deployment]:
    """The environments of a repository are those that it was deployed to: {name: first deployment}."""
    found: dict[str, Deployment] = {}
    for record in list(repository.deployments):
        found.setdefault(record.environment, record)
    return found


def environment(state: State, repository: Repository, first: Deployment) -> dict[str, Any]:
    """``environment``."""
    name = first.environment
    return {
        "id": first.id,
        "node_id": node_id("EN", first.id),
        "name": name,
        "url": f"{api_url(state, repository)}/environments/{name}",
        "html_url": f"{html_url(state, repository)}/deployments/activity_log?environments_filter={name}",
        "created_at": moment(first.created_at),
        "updated_at": moment(first.updated_at),
        "protection_rules": [],
        "deployment_branch_policy": None,
    }
