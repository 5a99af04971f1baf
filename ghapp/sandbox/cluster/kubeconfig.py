"""Kubeconfig files for the sandbox's cluster."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml


def write(path: Path, url: str, token: str, namespace: str, authority: str = "") -> Path:
    """One context, one user with a bearer token; readable by its owner only. ``authority``: PEM text to trust.

    kubectl sends the token over TLS only; over plain HTTP it is nobody in particular.
    """
    cluster = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": {"token": token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path
