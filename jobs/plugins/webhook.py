"""``webhook``: tell another system, by a signed POST, that a pipeline got here."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.http import call
from jobs.plugins.interface import Inputs, Place, failed, passed


class WebhookInputs(Inputs):
    url: str = Field(description="where to POST to")
    data: dict[str, Any] = Field({}, description="put into the payload under `data`")
    secret: str = Field("", description="name of the step's secret that the payload is signed with (HMAC-SHA256)")
    header: str = Field("", description="name of the step's secret that is sent as the Authorization header")
    timeout: int = Field(30, ge=1, le=300, description="seconds")


class Webhook:
    name = "webhook"
    version = "1.0.0"
    description = "A signed POST to another system; anything but 2xx fails the step."
    inputs = WebhookInputs

    def run(self, inputs: WebhookInputs, at: Place) -> Ended:
        payload = {
            "repository": at.repository,
            "commit": at.commit,
            "app": at.app,
            "run": at.run,
            "event": dict(at.event),
            "images": dict(at.images),
            "data": inputs.data,
        }
        body = json.dumps(payload, sort_keys=True).encode()
        headers = {"Content-Type": "application/json"}
        if inputs.secret:
            digest = hmac.new(at.secret(inputs.secret).encode(), body, hashlib.sha256).hexdigest()
            headers["X-Ghapp-Signature-256"] = f"sha256={digest}"
        if inputs.header:
            headers["Authorization"] = at.secret(inputs.header)
        answer = call(at, "POST", inputs.url, body=body, headers=headers, timeout=inputs.timeout)
        outputs = {"status": str(answer.status), "body": answer.body[:2_000].decode("utf-8", "replace")}
        if answer.ok:
            return passed(outputs=outputs)
        return failed(f"the server answered {answer.status}", outputs=outputs, exit_code=1)


plugin = Webhook()
