"""The agent with nothing to do: processor time, memory and requests while it looks after many objects; then one drifts.

The cluster is chosen as in bench_agent.py. BENCH_OBJECTS says how many ConfigMaps, BENCH_SECONDS how long it idles.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench_agent import BIN, KUBECTL, OBJECTS, cluster, configs, write

SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))


def spent(pid: int) -> float:
    """Seconds of processor time a process took so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mebibytes(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    space = f"bench-{os.getpid()}-idle"
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as kubeconfig:
        repository = write(Path(name) / "repository", configs())
        kubectl = [KUBECTL, "--kubeconfig", str(kubeconfig)]
        options = ["--repo", str(repository), "--branch", "env/bench", "--kubeconfig", str(kubeconfig)]
        options += ["--namespace", space, "--verify", "none", "--no-wait"]
        subprocess.run([*kubectl, "create", "namespace", space], check=True, capture_output=True)
        agent = None
        try:
            subprocess.run([BIN / "ghapp", "agent", *options, "--once"], check=True, capture_output=True)
            began = time.perf_counter()
            agent = subprocess.Popen([BIN / "ghapp", "agent", *options, "--interval", "3600"])
            before, now = -1.0, 0.0
            while now != before:
                before = now
                time.sleep(1.0)
                now = spent(agent.pid)
            print(f"{OBJECTS} objects: at rest {time.perf_counter() - began - 1:.1f} s after its start")
            time.sleep(SECONDS)
            share = (spent(agent.pid) - now) / SECONDS * 100
            print(f"idle: {share:.2f} % of a core, {mebibytes(agent.pid):.0f} MiB")
            one = [*kubectl, "-n", space, "get", "configmap", "config-7", "-o", "jsonpath={.data.drift}"]
            change = '{"data":{"drift":"1"}}'
            subprocess.run(
                [*kubectl, "-n", space, "patch", "configmap", "config-7", "-p", change], check=True, capture_output=True
            )
            began = time.perf_counter()
            while subprocess.run(one, capture_output=True, text=True, check=True).stdout:
                time.sleep(0.05)
            print(f"one of them drifted: healed within {time.perf_counter() - began:.2f} s (as kubectl sees it)")
        finally:
            if agent is not None:
                agent.terminate()
                agent.wait()
            subprocess.run([*kubectl, "delete", "namespace", space, "--wait=false"], capture_output=True, check=False)


if __name__ == "__main__":
    main()
