"""`python -m` of cluster and registry: one line of JSON, then service until told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_cluster_in_a_process_of_its_own(tmp_path: Path, stop: signal.Signals) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "ghapp.sandbox.cluster", "--kubeconfig", str(kubeconfig), "--no-controllers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert requests.get(f"{said['url']}/readyz", timeout=10).text == "ok"
        written = yaml.safe_load(kubeconfig.read_text())
        assert written["clusters"][0]["cluster"]["server"] == said["url"]
        assert written["users"][0]["user"]["token"] == said["token"]
        assert os.stat(kubeconfig).st_mode & 0o077 == 0
        process.send_signal(stop)
        assert process.wait(20) == 0


def test_a_registry_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ghapp.sandbox.registry", "--root", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert requests.get(f"{said['url']}/v2/", timeout=10).status_code == 200
        process.terminate()
        assert process.wait(20) == 0
