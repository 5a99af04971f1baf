"""Flux: a GitRepository and a Kustomization per app, and Providers with Alerts that report to GitHub.

Reports are commit statuses ``flux / <environment> / <app>`` on the branch's commit, and ``repository_dispatch``
events whose payload is Flux's event; nothing needs access to the cluster.
"""

from __future__ import annotations

from ghapp.agent.manifests.interface import Request, Resource, labels, object_name

_KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
_NOTIFY = "notification.toolkit.fluxcd.io/v1beta3"


def resources(request: Request) -> list[Resource]:
    """Everything that Flux is given."""
    kustomizations = [_kustomization(request, app) for app in request.apps or ("",)]
    return [_repository(request), *kustomizations, *_providers(request), *_alerts(request)]


def _meta(request: Request, *parts: str) -> Resource:
    return {"name": object_name(request.environment, *parts), "namespace": request.own_namespace or "flux-system"}


def _repository(request: Request) -> Resource:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": _meta(request),
        "spec": {
            "interval": "1m",
            "url": request.repo,
            "ref": {"branch": request.branch},
            "secretRef": {"name": request.secret},
            **({"provider": "github"} if request.repo.startswith("https://github.com/") else {}),
            # Records of what is deployed, and anything else below a dot, are not manifests.
            "ignore": "/.*\n",
        },
    }


def _kustomization(request: Request, app: str) -> Resource:
    """For one app, or with an empty name for the whole branch."""
    spec: Resource = {
        "interval": "10m",
        "retryInterval": "1m",
        "timeout": "5m",
        "path": f"./{app}",
        "prune": True,
        "wait": True,
        "force": False,
        "targetNamespace": request.namespace,
        "sourceRef": {"kind": "GitRepository", "name": object_name(request.environment)},
        "commonMetadata": {"labels": labels(request, app) if app else {}},
    }
    if not app:
        del spec["commonMetadata"]
    if request.service_account:
        spec["serviceAccountName"] = request.service_account
    if request.sops_secret:
        spec["decryption"] = {"provider": "sops", "secretRef": {"name": request.sops_secret}}
    if others := request.depends_on.get(app, ()):
        spec["dependsOn"] = [{"name": object_name(request.environment, other)} for other in others]
    meta = _meta(request, app) if app else _meta(request, "all")
    return {
        "apiVersion": _KUSTOMIZE,
        "kind": "Kustomization",
        "metadata": {**meta, "labels": labels(request, app or "all")},
        "spec": spec,
    }


def _providers(request: Request) -> list[Resource]:
    context = f"'flux / {request.environment} / ' + event.metadata.app"
    shared = {"address": request.repo.removesuffix(".git"), "secretRef": {"name": request.secret}}
    status = {**shared, "type": "github", "commitStatusExpr": context}
    dispatch = {**shared, "type": "githubdispatch"}
    return [
        {"apiVersion": _NOTIFY, "kind": "Provider", "metadata": _meta(request, "status"), "spec": status},
        {"apiVersion": _NOTIFY, "kind": "Provider", "metadata": _meta(request, "dispatch"), "spec": dispatch},
    ]


def _alerts(request: Request) -> list[Resource]:
    """One pair per app, since an alert's metadata is how the app's name comes back."""
    found: list[Resource] = []
    for app in request.apps or ("all",):
        for provider in ("status", "dispatch"):
            spec = {
                "providerRef": {"name": object_name(request.environment, provider)},
                "eventSeverity": "info",
                "eventSources": [{"kind": "Kustomization", "name": object_name(request.environment, app)}],
                "eventMetadata": {"app": app, "environment": request.environment, "branch": request.branch},
            }
            meta = _meta(request, app, provider)
            found.append({"apiVersion": _NOTIFY, "kind": "Alert", "metadata": meta, "spec": spec})
    return found
