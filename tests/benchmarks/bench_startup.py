"""How long a person or a probe waits: `--help` of each command, and `ghapp server` until `/readyz` answers 200."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench_deliveries import SECRET, free_port, process

from ghapp.__main__ import COMMANDS


def help_seconds(*command: str) -> float:
    """Median of three, in seconds."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "ghapp", *command, "--help"], capture_output=True, check=False)
        if done.returncode:
            return float("nan")
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def ready_seconds() -> float:
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
                    except (OSError, urllib.error.HTTPError):
                        time.sleep(0.01)


def main() -> None:
    print(f"{'ghapp --help':<28} {help_seconds():.2f} s")
    for command in COMMANDS:
        print(f"{f'ghapp {command} --help':<28} {help_seconds(command):.2f} s")
    print(f"{'ghapp server, to ready':<28} {ready_seconds():.2f} s")


if __name__ == "__main__":
    main()
