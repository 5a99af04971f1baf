"""``k6``: a load test; its thresholds decide."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed
from jobs.plugins.scan import folder

_THRESHOLDS_CROSSED = 99


class K6Inputs(Inputs):
    script: str = Field(description="the test, relative to the working directory")
    vus: int = Field(0, ge=0, description="virtual users; as the script says if 0")
    duration: str = Field("", description="how long, like 30s; as the script says if empty")
    env: dict[str, str] = Field({}, description="the script's __ENV")


class K6:
    name = "k6"
    version = "1.0.0"
    description = "A load test by k6; crossing a threshold fails the step."
    inputs = K6Inputs

    def run(self, inputs: K6Inputs, at: Place) -> Ended:
        arguments = [
            *("run", "--quiet", "--no-usage-report", f"--summary-export={at.scratch_inside}/summary.json"),
            *([f"--vus={inputs.vus}"] if inputs.vus else []),
            *([f"--duration={inputs.duration}"] if inputs.duration else []),
            *(f"--env={name}={value}" for name, value in inputs.env.items()),
            folder(at, inputs.script),
        ]
        done = at.tool("k6", *arguments)
        data = at.result("summary.json")
        if done.status not in (0, _THRESHOLDS_CROSSED) or data is None:
            raise PluginError(f"k6 ended with exit status {done.status} and has not measured; its last lines say why")
        metrics = _metrics(data)
        crossed = [name for name, metric in metrics.items() if any((metric.get("thresholds") or {}).values())]
        outputs = {
            f"{name}.{key}": f"{value:g}"
            for name in ("http_req_duration", "http_reqs", "http_req_failed", "iterations", "checks")
            for key, value in (metrics.get(name) or {}).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        files = {"k6-summary.json": data}
        if done.status == _THRESHOLDS_CROSSED or crossed:
            sentence = f"thresholds are crossed: {', '.join(crossed) or 'see the log'}"
            return failed(sentence, outputs=outputs, files=files, exit_code=done.status)
        return passed(outputs=outputs, files=files)


def _metrics(data: bytes) -> dict[str, Any]:
    try:
        metrics = json.loads(data)["metrics"]
    except (ValueError, KeyError, TypeError):
        raise PluginError("k6 wrote a summary that cannot be read") from None
    return {str(name): metric for name, metric in metrics.items() if isinstance(metric, dict)}


plugin = K6()
