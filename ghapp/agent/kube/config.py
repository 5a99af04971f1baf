"""Where the API server is and who we are to it: a kubeconfig, or the service account of the pod we run in.

Credentials are read again whenever they are asked for after their file changed, so that rotated tokens just work.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from ghapp import process

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigError(ValueError):
    """The cluster's address or credentials cannot be read; the message says which file and what to do."""


def fixed(header: str) -> Callable[[bool], str]:
    """An Authorization header that never changes."""

    def authorization(_refresh: bool) -> str:
        return header

    return authorization


@dataclass(frozen=True)
class Access:
    """An API server and how to speak to it.

    ``authorization(refresh)`` is the Authorization header (empty for none); ``refresh`` says that the last one was
    refused. ``tls`` is ``None`` for plain http; ``address`` names the server in messages.
    """

    url: str
    authorization: Callable[[bool], str] = field(default=fixed(""), repr=False)
    tls: ssl.SSLContext | None = None
    namespace: str = ""
    proxy: str = ""
    server_name: str = ""
    impersonate: str = ""

    def acting_as(self, user: str) -> Access:
        return Access(self.url, self.authorization, self.tls, self.namespace, self.proxy, self.server_name, user)


def load(kubeconfig: Path | None, context: str = "") -> Access:
    """Access from a kubeconfig, else from ``KUBECONFIG``, else from the pod. Raises :class:`ConfigError`."""
    if kubeconfig is None and os.environ.get("KUBECONFIG"):
        kubeconfig = Path(os.environ["KUBECONFIG"].split(os.pathsep)[0])
    if kubeconfig is None and not (_POD / "token").exists():
        fallback = Path.home() / ".kube" / "config"
        if not fallback.exists():
            raise ConfigError("no cluster is named: pass --kubeconfig, set KUBECONFIG, or run inside a cluster")
        kubeconfig = fallback
    return _from_file(kubeconfig, context) if kubeconfig is not None else _from_pod()


def _from_pod() -> Access:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ConfigError("KUBERNETES_SERVICE_HOST is not set: this is not a pod; pass --kubeconfig")
    namespace = _POD / "namespace"
    return Access(
        f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        _TokenFile(_POD / "token"),
        ssl.create_default_context(cafile=str(_POD / "ca.crt")),
        namespace.read_text().strip() if namespace.exists() else "",
    )


def _from_file(path: Path, context: str) -> Access:
    try:
        data: Any = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as e:
        raise ConfigError(f"the kubeconfig {path} cannot be read: {e.strerror}") from None
    except yaml.YAMLError as e:
        raise ConfigError(f"the kubeconfig {path} is not YAML: {e}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} is not a kubeconfig")
    current = context or data.get("current-context") or ""
    chosen = _named(data, "contexts", "context", current, path)
    cluster = _named(data, "clusters", "cluster", str(chosen.get("cluster") or ""), path)
    user = _named(data, "users", "user", str(chosen.get("user") or ""), path) if chosen.get("user") else {}
    url = str(cluster.get("server") or "").rstrip("/")
    if not url:
        raise ConfigError(f"{path}: the cluster {chosen.get('cluster')!r} names no server")
    folder = path.resolve().parent
    return Access(
        url if "://" in url else f"https://{url}",
        _authorization(user, folder, path),
        _tls(cluster, user, folder, path) if not url.startswith("http://") else None,
        str(chosen.get("namespace") or ""),
        str(cluster.get("proxy-url") or ""),
        str(cluster.get("tls-server-name") or ""),
        str(user.get("as") or ""),
    )


def _named(data: dict[str, Any], group: str, inner: str, name: str, path: Path) -> dict[str, Any]:
    for entry in data.get(group) or ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry.get(inner) or {}
    raise ConfigError(f"{path} has no {inner} named {name!r}; `kubectl config get-contexts` lists what there is")


def _material(holder: dict[str, Any], key: str, folder: Path) -> bytes | None:
    """Certificate data, inline or from the file it names."""
    if holder.get(f"{key}-data"):
        return base64.b64decode(holder[f"{key}-data"])
    return (folder / str(holder[key])).read_bytes() if holder.get(key) else None


def _tls(cluster: dict[str, Any], user: dict[str, Any], folder: Path, path: Path) -> ssl.SSLContext:
    try:
        authority = _material(cluster, "certificate-authority", folder)
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        certificate, key = _material(user, "client-certificate", folder), _material(user, "client-key", folder)
        if certificate and key:
            # ssl reads client certificates from files alone; ours exists for as long as the call.
            with tempfile.NamedTemporaryFile(prefix="ghapp-", suffix=".pem") as pem:
                pem.write(certificate.rstrip() + b"\n" + key)
                pem.flush()
                context.load_cert_chain(pem.name)
    except (OSError, ValueError) as e:
        raise ConfigError(f"{path}: a certificate in it cannot be used: {e}") from None
    return context


def _authorization(user: dict[str, Any], folder: Path, path: Path) -> Callable[[bool], str]:
    if user.get("tokenFile"):
        return _TokenFile(folder / str(user["tokenFile"]))
    if user.get("token"):
        return _InKubeconfig(path, str(user["token"]))
    if user.get("username"):
        pair = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        return fixed(f"Basic {pair}")
    if user.get("exec"):
        return _Plugin(user["exec"])
    return fixed("")


class _TokenFile:
    """A projected token: the kubelet replaces the file long before the token ends."""

    def __init__(self, path: Path) -> None:
        self._path, self._read_at, self._token = path, 0.0, ""

    def __call__(self, refresh: bool) -> str:
        if refresh or not self._token or time.monotonic() - self._read_at > 60:
            try:
                self._token, self._read_at = self._path.read_text().strip(), time.monotonic()
            except OSError as e:
                raise ConfigError(f"the token file {self._path} cannot be read: {e.strerror}") from None
        return f"Bearer {self._token}"


class _InKubeconfig:
    """A token written in the kubeconfig itself; read afresh when it is refused, since someone may have rotated it."""

    def __init__(self, path: Path, token: str) -> None:
        self._path, self._token = path, token

    def __call__(self, refresh: bool) -> str:
        if refresh:
            data = yaml.safe_load(self._path.read_bytes())
            chosen = _named(data, "contexts", "context", str(data.get("current-context") or ""), self._path)
            user = _named(data, "users", "user", str(chosen.get("user") or ""), self._path)
            self._token = str(user.get("token") or self._token)
        return f"Bearer {self._token}"


class _Plugin:
    """A credential plugin (``exec``), as cloud providers' kubeconfigs use it; asked again when its token ends."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._argv = [str(spec.get("command")), *map(str, spec.get("args") or ())]
        info = {"apiVersion": spec.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
        self._env = {str(e["name"]): str(e["value"]) for e in spec.get("env") or ()}
        self._env["KUBERNETES_EXEC_INFO"] = orjson.dumps(info).decode()
        self._token, self._until = "", 0.0

    def __call__(self, refresh: bool) -> str:
        if refresh or not self._token or time.time() > self._until - 60:
            try:
                status = orjson.loads(process.run(self._argv, env=self._env, timeout=60).stdout)["status"]
                self._token = str(status["token"])
            except (process.ProcessError, orjson.JSONDecodeError, KeyError, TypeError) as e:
                raise ConfigError(f"the credential plugin {self._argv[0]} gave no token: {e}") from None
            ends = status.get("expirationTimestamp")
            self._until = datetime.fromisoformat(ends.replace("Z", "+00:00")).timestamp() if ends else float("inf")
        return f"Bearer {self._token}"
