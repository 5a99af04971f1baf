"""How long a person or a probe waits: `--help` of each command, and `ghapp server` until `/readyz` answers 200.

Beside them, in the same run: a Python that does nothing, below which no command in Python gets, and `kubectl --help`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click
from bench_deliveries import SECRET, free_port, process

from ghapp.__main__ import main as ghapp
from ghapp.render.kustomize import kubectl

TIMES = 5
GOAL = 0.3  # seconds


def seconds(*command: str) -> float:
    """Median of a few runs."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def commands(group: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command below a group, the group itself first."""
    yield path
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            if found is not None:
                yield from commands(found, *path, name)


def ready() -> float:
    with tempfile.TemporaryDirectory() as name:
        redis_socket = Path(name) / "redis.sock"
        redis = ["redis-server", "--port", "0", "--unixsocket", str(redis_socket), "--dir", name, "--save", ""]
        env = {"GHAPP_REDIS_URL": f"unix://{redis_socket}", "GHAPP_WEBHOOK_SECRETS": SECRET, "GHAPP_DATA_DIR": name}
        port = free_port()
        with process(redis):
            began = time.perf_counter()
            with process([sys.executable, "-m", "ghapp", "server", "--port", str(port)], env):
                while True:
                    try:
                        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3)
                        return time.perf_counter() - began
                    except OSError:
                        time.sleep(0.01)


def main() -> None:
    nothing, other = seconds(sys.executable, "-c", "pass"), seconds(kubectl(), "--help")
    print(f"{'python -c pass':<36} {nothing * 1000:4.0f} ms")
    print(f"{'kubectl --help':<36} {other * 1000:4.0f} ms")
    slow = 0
    for path in commands(ghapp):
        taken = seconds(sys.executable, "-m", "ghapp", *path, "--help")
        slow += taken > GOAL
        ratios = f"{taken / nothing:4.1f} × python   {taken / other:4.1f} × kubectl"
        print(f"{' '.join(('ghapp', *path, '--help')):<36} {taken * 1000:4.0f} ms   {ratios}")
    print(f"above the goal of {GOAL * 1000:.0f} ms: {slow}")
    starts = sorted(ready() for _ in range(TIMES))
    print(f"ghapp server to ready: p50 {statistics.median(starts):.2f} s, highest {starts[-1]:.2f} s (goal: under 2 s)")


if __name__ == "__main__":
    main()
