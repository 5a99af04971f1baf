"""``sarif``: the findings of any tool, from the SARIF file that an earlier step wrote."""

from __future__ import annotations

from pydantic import Field

from jobs.pipeline.files import Outside, inside, read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import ScanInputs, checkout, judged
from jobs.scanners import sarif
from jobs.scanners.interface import Report
from policies.finding import FindingKind


class SarifInputs(ScanInputs):
    file: str = Field(description="the SARIF 2.1.0 file, relative to the working directory")
    kind: FindingKind = Field(FindingKind.CODE, description="what its findings are")


class Sarif:
    name = "sarif"
    version = "1.0.0"
    description = "Findings of any tool that writes SARIF 2.1.0."
    inputs = SarifInputs

    def run(self, inputs: SarifInputs, at: Place) -> Ended:
        try:
            data = read_plain(inside(at.workspace, f"{at.directory}/{inputs.file}"))
        except Outside as e:
            raise PluginError(str(e)) from None
        if data is None:
            raise PluginError(f"{inputs.file} is not there: the step that should have written it comes first")
        reports = sarif.read(data, checkout(at), kind=inputs.kind)
        if not reports:
            raise PluginError(f"{inputs.file} holds no run of any tool")
        names = ", ".join(dict.fromkeys(report.scanner for report in reports))
        findings = [finding for report in reports for finding in report.findings]
        return judged(Report(names, findings, reports[0].version), inputs, target="repository")


plugin = Sarif()
