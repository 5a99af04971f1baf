"""``coverage``: how much of the code the tests reached, from Cobertura XML, lcov, or coverage.py's JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from jobs.pipeline.files import Outside, inside, read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed
from jobs.plugins.junit import parse


class CoverageInputs(Inputs):
    file: str = Field(description="the report, relative to the working directory")
    minimum: float = Field(0, ge=0, le=100, description="percent of lines below which the step fails")


class Coverage:
    name = "coverage"
    version = "1.0.0"
    description = "Line coverage against a minimum."
    inputs = CoverageInputs

    def run(self, inputs: CoverageInputs, at: Place) -> Ended:
        try:
            data = read_plain(inside(at.workspace, f"{at.directory}/{inputs.file}"), 200_000_000)
        except Outside as e:
            raise PluginError(str(e)) from None
        if data is None:
            raise PluginError(f"{inputs.file} is not there: the tests come first, and must write it")
        covered, lines = _counted(data, inputs.file)
        if not lines:
            raise PluginError(f"{inputs.file} speaks of no line at all")
        percent = 100 * covered / lines
        outputs = {"percent": f"{percent:.2f}", "covered": str(covered), "lines": str(lines)}
        facts = {"coverage": round(percent, 2)}
        if percent < inputs.minimum:
            sentence = f"{percent:.2f} % of the lines are covered, {inputs.minimum:g} % are demanded"
            return failed(sentence, outputs=outputs, facts=facts, exit_code=1)
        return passed(outputs=outputs, facts=facts)


def _counted(data: bytes, file: str) -> tuple[int, int]:
    """Lines covered, lines there are."""
    start = data[:200].lstrip()
    if start.startswith(b"<"):
        root = parse(data, file)
        hits = [line.get("hits", "0") for line in root.iter("line")]
        # Methods repeat the lines of their class; the totals, where there are any, do not.
        if root.get("lines-valid", "").isdecimal() and root.get("lines-covered", "").isdecimal():
            return int(root.get("lines-covered", "0")), int(root.get("lines-valid", "0"))
        return sum(hit != "0" for hit in hits), len(hits)
    if start.startswith(b"{"):
        return _from_json(data, file)
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.startswith("DA:")]
    return sum(line.split(",")[1].strip() != "0" for line in lines if "," in line), len(lines)


def _from_json(data: bytes, file: str) -> tuple[int, int]:
    try:
        totals: Any = json.loads(data)["totals"]
        return int(totals["covered_lines"]), int(totals["num_statements"])
    except (ValueError, KeyError, TypeError):
        raise PluginError(f"{file} is not a report of coverage.py") from None


plugin = Coverage()
