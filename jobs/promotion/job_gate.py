"""A gate that is a Kubernetes Job: started once for each proposed head, in the build cluster, looked at until it ends.

It runs where the kubernetes executor runs steps, never in a cluster that is deployed to. Its name is made of what it is
about, so that starting it twice starts it once.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ghapp.settings import Settings
from policies.demands import Job
from policies.gates.facts import Promotion

AWAY = "the cluster for Jobs cannot be reached"
_KEPT = 3600  # seconds that an ended Job stays in the cluster, to be looked at


def look_at_job(settings: Settings, facts: Promotion, gate: str, job: Job) -> dict[str, Any]:
    """Start the Job if it is not there, and say how it is: ``status`` (its exit, absent while it runs) or ``error``."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    if settings.executor != "kubernetes":
        return {"error": "this installation has no cluster for Jobs; set `executor: kubernetes`, or use an http gate"}
    name = _name(facts, gate)
    try:
        api = _api(settings)
        try:
            found = api.read_namespaced_job_status(name, settings.kubernetes_namespace)
        except ApiException as e:
            if e.status != 404:
                raise
            found = api.create_namespaced_job(settings.kubernetes_namespace, manifest(name, facts, gate, job))
    except ApiException as e:
        if e.status == 409:  # another worker was first
            return {}
        return {"error": f"the cluster for Jobs refuses: {e.status} {e.reason}"}
    except (HTTPError, OSError, ValueError) as e:
        return {"error": f"{AWAY}: {e}"}
    ended = {c.type: c for c in found.status.conditions or () if c.status == "True"} if found.status else {}
    if "Complete" in ended:
        return {"status": 0}
    if "Failed" in ended:
        late = ended["Failed"].reason == "DeadlineExceeded"
        return {"error": "its Job took too long"} if late else {"status": 1}
    return {}


def manifest(name: str, facts: Promotion, gate: str, job: Job) -> dict[str, Any]:
    """The Job: restricted, without a token, told by its environment what it is about."""
    about = {
        "GHAPP_APP": facts.app,
        "GHAPP_ENVIRONMENT": facts.environment.name,
        "GHAPP_RELEASE": facts.release.id,
        "GHAPP_COMMIT": facts.release.commit,
        "GHAPP_HEAD": facts.head_sha,
    }
    container: dict[str, Any] = {
        "name": "gate",
        "image": job.image,
        "env": [{"name": key, "value": value} for key, value in {**job.env, **about}.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    container |= {key: list(value) for key, value in (("command", job.command), ("args", job.args)) if value}
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "ghapp", "ghapp.dev/gate": gate[:63]}},
        "spec": {
            "backoffLimit": job.retries,
            "activeDeadlineSeconds": max(1, int(job.timeout.total_seconds())),
            "ttlSecondsAfterFinished": _KEPT,
            "template": {"spec": pod},
        },
    }


def _name(facts: Promotion, gate: str) -> str:
    about = "\0".join((facts.repository, facts.app, facts.environment.name, facts.head_sha, gate))
    return f"ghapp-gate-{hashlib.sha256(about.encode()).hexdigest()[:20]}"


def _api(settings: Settings) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    if settings.kubeconfig:
        load: Any = config.load_kube_config
        load(str(settings.kubeconfig), client_configuration=configuration)
    else:
        load = config.load_incluster_config
        load(client_configuration=configuration)
    return client.BatchV1Api(client.ApiClient(configuration))
