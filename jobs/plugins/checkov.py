"""``checkov``: misconfigurations of Terraform, Kubernetes, Helm, Containerfiles and more."""

from __future__ import annotations

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import ScanInputs, checked, checkout, folder, judged
from jobs.scanners import sarif
from policies.finding import FindingKind


class CheckovInputs(ScanInputs):
    path: str = Field(".", description="the folder to look through")
    frameworks: tuple[str, ...] = Field((), description="what to look at, as checkov names it; everything if empty")
    skip: tuple[str, ...] = Field((), description="checks to leave out")


class Checkov:
    name = "checkov"
    version = "1.0.0"
    description = "Misconfigurations of infrastructure as code, by checkov."
    inputs = CheckovInputs

    def run(self, inputs: CheckovInputs, at: Place) -> Ended:
        arguments = [
            *("--directory", folder(at, inputs.path)),
            *("--output", "sarif", "--output-file-path", f"{at.scratch_inside}/checkov"),
            *("--quiet", "--compact", "--soft-fail", "--skip-download"),
            *(["--framework", *inputs.frameworks] if inputs.frameworks else []),
            *(["--skip-check", ",".join(inputs.skip)] if inputs.skip else []),
        ]
        done = at.tool("checkov", *arguments, network=False)
        checked(done.status, (0,), "checkov")
        reports = sarif.read(at.result("checkov/results_sarif.sarif"), checkout(at), kind=FindingKind.MISCONFIGURATION)
        if len(reports) != 1:
            raise PluginError(f"checkov wrote {len(reports)} reports instead of one")
        return judged(reports[0], inputs, target="repository")


plugin = Checkov()
