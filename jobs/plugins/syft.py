"""``syft``: the bill of materials of the checkout or the image just built. Its digest becomes part of the release."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.images import pull_built
from jobs.plugins.interface import Inputs, Place, PluginError, passed
from jobs.plugins.scan import folder

_FORMATS = {"cyclonedx": ("cyclonedx-json", "sbom.cdx.json"), "spdx": ("spdx-json", "sbom.spdx.json")}


class SyftInputs(Inputs):
    image: bool = Field(False, description="look at the image that the pipeline has built instead of at files")
    path: str = Field(".", description="the folder to look through")
    format: Literal["cyclonedx", "spdx"] = Field("cyclonedx", description="the format, as JSON")


class Syft:
    name = "syft"
    version = "1.0.0"
    description = "A software bill of materials, by syft; kept as an artifact."
    inputs = SyftInputs

    def run(self, inputs: SyftInputs, at: Place) -> Ended:
        kind, file = _FORMATS[inputs.format]
        images = pull_built(at) if inputs.image else {}
        source = f"oci-dir:{at.scratch_inside}/image" if inputs.image else f"dir:{folder(at, inputs.path)}"
        env = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
        done = at.tool("syft", "scan", source, "-q", "-o", f"{kind}={at.scratch_inside}/sbom", env=env, network=False)
        data = at.result("sbom")
        if done.status or not data:
            raise PluginError(f"syft ended with exit status {done.status} and wrote no bill of materials")
        try:
            content = json.loads(data)
        except ValueError:
            raise PluginError("syft wrote a bill of materials that is not JSON") from None
        count = len(content.get("components") or content.get("packages") or ())
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        outputs = {"packages": str(count), "digest": digest}
        facts = {"sbom": digest, "sbom_format": kind, **({"image": images} if images else {})}
        return passed(outputs=outputs, facts=facts, files={file: data})


plugin = Syft()
