"""``semgrep``: what rules find in the code. The rules are files in the checkout, or a pack that semgrep downloads."""

from __future__ import annotations

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import ScanInputs, checked, checkout, folder, judged
from jobs.scanners import sarif


class SemgrepInputs(ScanInputs):
    config: str = Field(description="a file or folder of rules in the checkout, or a pack such as p/python")
    path: str = Field(".", description="the folder to look through")


class Semgrep:
    name = "semgrep"
    version = "1.0.0"
    description = "Findings in code by semgrep's rules."
    inputs = SemgrepInputs

    def run(self, inputs: SemgrepInputs, at: Place) -> Ended:
        local = not inputs.config.startswith(("p/", "r/", "auto", "https://"))
        config = folder(at, inputs.config) if local else inputs.config
        arguments = [
            *("--config", config, "--sarif", "--output", f"{at.scratch_inside}/semgrep.sarif"),
            *("--metrics=off", "--disable-version-check", "--quiet", "--strict", "--no-git-ignore"),
        ]
        done = at.tool("semgrep", "scan", *arguments, folder(at, inputs.path), network=not local)
        checked(done.status, (0,), "semgrep")
        reports = sarif.read(at.result("semgrep.sarif"), checkout(at))
        if len(reports) != 1:
            raise PluginError(f"semgrep wrote {len(reports)} reports instead of one")
        return judged(reports[0], inputs, target="repository")


plugin = Semgrep()
