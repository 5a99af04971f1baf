"""``gitleaks``: secrets in the checkout."""

from __future__ import annotations

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Place
from jobs.plugins.scan import Level, ScanInputs, checked, checkout, folder, judged
from jobs.scanners import gitleaks


class GitleaksInputs(ScanInputs):
    path: str = Field(".", description="the folder to look through")
    config: str = Field("", description="a gitleaks configuration in the checkout")
    fail_on: Level = Field("low", description="the least severity that fails the step; none: it never fails")


class Gitleaks:
    name = "gitleaks"
    version = "1.0.0"
    description = "Secrets in the checkout, by gitleaks."
    inputs = GitleaksInputs

    def run(self, inputs: GitleaksInputs, at: Place) -> Ended:
        report = f"{at.scratch_inside}/gitleaks.json"
        arguments = ["--no-banner", "--redact", "--report-format=json", f"--report-path={report}", "--exit-code=3"]
        if inputs.config:
            arguments.append(f"--config={folder(at, inputs.config)}")
        version = at.tool("gitleaks", "version", stdout=True).stdout.decode("utf-8", "replace").strip()
        done = at.tool("gitleaks", "dir", folder(at, inputs.path), *arguments, network=False)
        checked(done.status, (0, 3), "gitleaks")
        found = gitleaks.read(at.result("gitleaks.json"), checkout(at), version=version)
        return judged(found, inputs, target="repository")


plugin = Gitleaks()
