"""The agent against `kubectl apply --server-side`, in the same run, on the same API server.

With KUBECONFIG the real cluster of that file is used, else the sandbox's, with fewer objects by default. BENCH_OBJECTS,
BENCH_APPS and BENCH_TIMES say how much and how often (the median counts).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REAL = bool(os.environ.get("KUBECONFIG"))
OBJECTS = int(os.environ.get("BENCH_OBJECTS", "10000" if REAL else "2000"))
APPS = int(os.environ.get("BENCH_APPS", "1000" if REAL else "200"))
TIMES = int(os.environ.get("BENCH_TIMES", "3" if REAL else "1"))
BIN = Path(sys.executable).parent
KUBECTL = str(BIN / "kubectl") if (BIN / "kubectl").exists() else "kubectl"

CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: config-{n}
  labels:
    tier: bench
data:
"""
APP = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: app-{n}}}
  template:
    metadata:
      labels: {{app: app-{n}}}
    spec:
      serviceAccountName: app-{n}
      containers:
        - name: app
          image: registry.example/app:{n}
          ports: [{{containerPort: 8080, name: http}}]
          env: [{{name: A, value: "1"}}, {{name: B, value: "2"}}]
          resources: {{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: 64Mi}}}}
          readinessProbe: {{httpGet: {{path: /healthz, port: http}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: app-{n}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{n}
spec:
  selector: {{app: app-{n}}}
  ports: [{{port: 80, targetPort: http, name: http}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-{n}
spec:
  rules:
    - host: app-{n}.example.test
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: app-{n}, port: {{name: http}}}}}}}}]}}
"""


@contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """A kubeconfig."""
    if REAL:
        yield Path(os.environ["KUBECONFIG"])
        return
    kubeconfig = folder / "kubeconfig"
    command = [sys.executable, "-m", "ghapp.sandbox.cluster", "--kubeconfig", str(kubeconfig)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield kubeconfig
    finally:
        process.terminate()
        process.wait()


def configs() -> dict[str, str]:
    """One app of many ConfigMaps of 2 KB, a file each."""
    body = "".join(f"  key-{k}: {'x' * 190}\n" for k in range(10))
    return {f"shop/config-{n}.yaml": CONFIG_MAP.format(n=n) + body for n in range(OBJECTS)}


def apps() -> dict[str, str]:
    """Many apps of four objects."""
    return {f"app-{n}/all.yaml": APP.format(n=n) for n in range(APPS)}


def write(folder: Path, files: dict[str, str]) -> Path:
    """A git repository that holds the files on env/bench."""
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=b", "-c", "user.email=b@example.test"]
    subprocess.run([*git, "init", "-q", "-b", "env/bench"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    return folder


def timed(command: list[str]) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return time.perf_counter() - began, done.stdout


def measure(kubeconfig: Path, repository: Path, label: str, number: int) -> dict[str, float]:
    """Seconds of kubectl and of the agent's first and second pass, and the second's requests."""
    spaces = [f"bench-{os.getpid()}-{label}-{number}-{who}" for who in ("kubectl", "agent")]
    kubectl = [KUBECTL, "--kubeconfig", str(kubeconfig)]
    try:
        for space in spaces:
            timed([*kubectl, "create", "namespace", space])
        theirs, _ = timed([*kubectl, "apply", "--server-side", "-R", "-n", spaces[0], "-f", str(repository)])
        agent = [str(BIN / "ghapp"), "agent", "--repo", str(repository), "--branch", "env/bench", "--once", "--json"]
        agent += ["--kubeconfig", str(kubeconfig), "--namespace", spaces[1], "--verify", "none", "--no-wait"]
        first, _ = timed(agent)
        second, out = timed(agent)
        return {"kubectl": theirs, "first": first, "second": second, "requests": json.loads(out)["requests"]}
    finally:
        for space in spaces:
            subprocess.run([*kubectl, "delete", "namespace", space, "--wait=false"], capture_output=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as kubeconfig:
        print(f"{'':34}{'kubectl':>9}{'first':>9}{'ratio':>8}{'second':>9}{'ratio':>8}{'requests':>10}")
        for label, what, files in (
            ("configs", f"{OBJECTS} ConfigMaps of 2 KB", configs()),
            ("apps", f"{APPS} apps of 4 objects", apps()),
        ):
            repository = write(Path(name) / label, files)
            runs = [measure(kubeconfig, repository, label, n) for n in range(TIMES)]
            m = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(
                f"{what:34}{m['kubectl']:8.1f}s{m['first']:8.1f}s{m['first'] / m['kubectl']:8.2f}"
                f"{m['second']:8.2f}s{m['second'] / m['kubectl']:8.3f}{m['requests']:10.0f}"
            )


if __name__ == "__main__":
    main()
