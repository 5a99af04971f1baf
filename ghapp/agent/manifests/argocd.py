"""Argo CD: an Application per app (or an ApplicationSet for all of them), and notifications that report to GitHub.

Reports are commit statuses ``argocd / <environment> / <app>`` on the branch's commit and GitHub deployments of
the environment; nothing needs access to the cluster.
"""

from __future__ import annotations

from typing import Any

import yaml

from ghapp.agent.manifests.interface import LABEL_ENVIRONMENT, Request, Resource, labels, object_name
from ghapp.agent.names import LABEL_APP

_SUBSCRIPTIONS = {
    f"notifications.argoproj.io/subscribe.ghapp-{what}.github": "" for what in ("progressing", "healthy", "failed")
}


def resources(request: Request) -> list[Resource]:
    """Everything that Argo CD is given."""
    applications = [_application(request, app) for app in request.apps]
    return [*(applications or [_application_set(request)]), _notifications(request)]


def _spec(request: Request, app: str) -> Resource:
    return {
        "project": request.project,
        "source": {
            "repoURL": request.repo,
            "targetRevision": f"refs/heads/{request.branch}",
            "path": app,
            "directory": {"recurse": True},
        },
        "destination": {"server": request.cluster, "namespace": request.namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True, "allowEmpty": False},
            "syncOptions": ["ServerSideApply=true", "PruneLast=true", "RespectIgnoreDifferences=true"],
            # Retries of a failed sync take the newest commit, not the one that failed.
            "retry": {
                "limit": 5,
                "refresh": True,
                "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"},
            },
        },
    }


def _annotations() -> dict[str, str]:
    return {"argocd.argoproj.io/compare-options": "ServerSideDiff=true,IncludeMutationWebhook=true", **_SUBSCRIPTIONS}


def _application(request: Request, app: str) -> Resource:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": object_name(request.environment, app),
            "namespace": request.own_namespace or "argocd",
            "labels": labels(request, app),
            "annotations": _annotations(),
        },
        "spec": _spec(request, app),
    }


def _application_set(request: Request) -> Resource:
    directories: list[Resource] = [{"path": "*"}, {"path": ".*", "exclude": True}]
    generator = {
        "repoURL": request.repo,
        "revision": f"refs/heads/{request.branch}",
        "directories": directories,
    }
    environment = object_name(request.environment)
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": environment, "namespace": request.own_namespace or "argocd"},
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": generator}],
            # An app that leaves the branch is pruned by its Application's deletion; the set's own loss deletes nothing.
            "syncPolicy": {"preserveResourcesOnDeletion": False, "applicationsSync": "sync"},
            "template": {
                "metadata": {
                    "name": f"{environment}-{{{{.path.basenameNormalized}}}}",
                    "labels": labels(request, "{{.path.basename}}"),
                    "annotations": _annotations(),
                    "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                },
                "spec": _spec(request, "{{.path.path}}"),
            },
        },
    }


# What a notification says, by GitHub's two words for it: the commit status's state, and the deployment's.
_REPORTS = {
    "progressing": ("pending", "in_progress", "app.status.operationState.phase in ['Running']"),
    "healthy": (
        "success",
        "success",
        "app.status.sync.status == 'Synced' and app.status.health.status == 'Healthy' "
        "and app.status.operationState.phase in ['Succeeded']",
    ),
    "failed": (
        "failure",
        "failure",
        "app.status.health.status == 'Degraded' or app.status.operationState.phase in ['Error', 'Failed']",
    ),
}


def _notifications(request: Request) -> Resource:
    """Templates and triggers; to be merged into Argo CD's own ConfigMap of that name by server-side apply."""
    revision = "{{.app.status.sync.revision}}"
    app = f'{{{{index .app.metadata.labels "{LABEL_APP}"}}}}'
    environment = f'{{{{index .app.metadata.labels "{LABEL_ENVIRONMENT}"}}}}'
    data: dict[str, str] = {"service.github": _yaml(_service())}
    for what, (status, deployment, when) in _REPORTS.items():
        template = {
            "message": f"{app} in {environment}: {what} at {revision}",
            "github": {
                "repoURLPath": "{{.app.spec.source.repoURL}}",
                "revisionPath": revision,
                "status": {
                    "state": status,
                    "label": f"argocd / {environment} / {app}",
                    "targetURL": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}",
                },
                "deployment": {
                    "state": deployment,
                    "environment": environment,
                    "environmentURL": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}",
                    "logURL": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}?operation=true",
                    "requiredContexts": [],
                    "autoMerge": False,
                    "transientEnvironment": False,
                    "reference": revision,
                },
            },
        }
        data[f"template.ghapp-{what}"] = _yaml(template)
        trigger = [{"when": when, "send": [f"ghapp-{what}"], "oncePer": "app.status.sync.revision"}]
        data[f"trigger.ghapp-{what}"] = _yaml(trigger)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-notifications-cm", "namespace": request.own_namespace or "argocd"},
        "data": data,
    }


def _service() -> Resource:
    """A GitHub App that may write statuses and deployments; its parts are keys of argocd-notifications-secret."""
    return {
        "appID": "$github-app-id",
        "installationID": "$github-installation-id",
        "privateKey": "$github-private-key",
    }


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, width=1000)
    return text
