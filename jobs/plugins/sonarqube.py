"""``sonarqube``: run the scanner, wait for the server's analysis, and take its quality gate's word."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from jobs.pipeline.files import read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.http import call
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed

_POLL = 3.0


class SonarqubeInputs(Inputs):
    url: str = Field(description="SonarQube's address")
    project: str = Field(description="the project's key")
    token: str = Field(description="name of the step's secret with a token")
    scan: bool = Field(True, description="run sonar-scanner first; false: only ask for the project's gate")
    wait: int = Field(300, ge=0, le=3600, description="seconds to wait for the analysis")


class Sonarqube:
    name = "sonarqube"
    version = "1.0.0"
    description = "SonarQube's analysis and quality gate."
    inputs = SonarqubeInputs

    def run(self, inputs: SonarqubeInputs, at: Place) -> Ended:
        query = {"projectKey": inputs.project}
        if inputs.scan:
            query = {"analysisId": self._analysis(inputs, at)}
        gate = _get(inputs, at, "qualitygates/project_status", query).get("projectStatus") or {}
        status = str(gate.get("status", "NONE"))
        bad = [c for c in gate.get("conditions") or () if c.get("status") == "ERROR"]
        outputs = {"status": status, "conditions": str(len(bad))}
        if status == "OK":
            return passed(outputs=outputs)
        if status == "NONE":
            raise PluginError(f"{inputs.project} has no quality gate, or was never analysed")
        why = ", ".join(f"{c.get('metricKey')} is {c.get('actualValue')}" for c in bad[:5])
        return failed(f"the quality gate is {status}" + (f": {why}" if why else ""), outputs=outputs, exit_code=1)

    def _analysis(self, inputs: SonarqubeInputs, at: Place) -> str:
        """Scan, and wait for the server to have worked it in; returns the analysis's id."""
        arguments = [
            f"-Dsonar.host.url={inputs.url}",
            f"-Dsonar.projectKey={inputs.project}",
            f"-Dsonar.scm.revision={at.commit}",
            f"-Dsonar.working.directory={at.scratch_inside}/sonar",
        ]
        done = at.tool("sonar-scanner", *arguments, env={"SONAR_TOKEN": at.secret(inputs.token)})
        if done.status:
            raise PluginError(f"sonar-scanner ended with exit status {done.status}; its last lines say why")
        report = (read_plain(at.scratch / "sonar" / "report-task.txt") or b"").decode("utf-8", "replace")
        facts = dict(line.partition("=")[::2] for line in report.splitlines())
        if "ceTaskId" not in facts:
            raise PluginError("sonar-scanner left no report-task.txt behind")
        until = time.monotonic() + inputs.wait
        while True:
            task = _get(inputs, at, "ce/task", {"id": facts["ceTaskId"]}).get("task") or {}
            if task.get("status") == "SUCCESS":
                return str(task.get("analysisId"))
            if task.get("status") in ("FAILED", "CANCELED"):
                raise PluginError(f"SonarQube's analysis {task['status'].lower()}: {task.get('errorMessage', '')}")
            if time.monotonic() > until:
                raise PluginError(f"SonarQube was not done within {inputs.wait} s")
            time.sleep(_POLL)


def _get(inputs: SonarqubeInputs, at: Place, path: str, query: dict[str, str]) -> Any:
    basic = base64.b64encode(f"{at.secret(inputs.token)}:".encode()).decode()
    url = f"{inputs.url.rstrip('/')}/api/{path}?{urlencode(query)}"
    answer = call(at, "GET", url, headers={"Authorization": f"Basic {basic}"})
    if not answer.ok:
        raise PluginError(f"SonarQube answered {answer.status} to {path}: is the token right, is there such a project?")
    return answer.json()


plugin = Sonarqube()
