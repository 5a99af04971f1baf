"""``clair``: vulnerabilities of the image just built, by a Clair v4 server: it indexes the image, then matches it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import Field

from ghapp.registry import parse
from ghapp.registry.client import DOCKER_LIST, INDEX
from ghapp.registry.open import registries
from jobs.pipeline.result import Ended
from jobs.plugins.http import call
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import ScanInputs, judged
from jobs.scanners import clair

_POLL = 2.0


class ClairInputs(ScanInputs):
    url: str = Field(description="Clair's address")
    token: str = Field("", description="name of the step's secret: a JWT that Clair accepts")
    wait: int = Field(600, ge=1, le=3600, description="seconds to wait for the index report")


class Clair:
    name = "clair"
    version = "1.0.0"
    description = "Vulnerabilities of the built image, by a Clair v4 server."
    inputs = ClairInputs

    def run(self, inputs: ClairInputs, at: Place) -> Ended:
        if not at.images:
            raise PluginError("there is no image to look at: the pipeline has built none")
        name, digest = next(iter(at.images.items()))
        headers = {"Authorization": f"Bearer {at.secret(inputs.token)}"} if inputs.token else {}
        root = inputs.url.rstrip("/")
        manifest = _manifest(at, name, digest)
        answer = call(at, "POST", f"{root}/indexer/api/v1/index_report", body=manifest, headers=headers)
        if answer.status not in (200, 201):
            said = answer.body[:300].decode("utf-8", "replace")
            raise PluginError(f"Clair did not take the image: {answer.status} {said}")
        self._indexed(inputs, at, f"{root}/indexer/api/v1/index_report/{quote(manifest['hash'])}", headers)
        url = f"{root}/matcher/api/v1/vulnerability_report/{quote(manifest['hash'])}"
        answer = call(at, "GET", url, headers=headers)
        if not answer.ok:
            raise PluginError(f"Clair has no vulnerability report: {answer.status}")
        report = clair.read(answer.body, manifest["hash"])
        return judged(report, inputs, target="image", image={name: digest})

    def _indexed(self, inputs: ClairInputs, at: Place, url: str, headers: dict[str, str]) -> None:
        until = time.monotonic() + inputs.wait
        while True:
            answer = call(at, "GET", url, headers=headers, say=False)
            report: Any = answer.json() if answer.ok else {}
            if report.get("err") or report.get("state") == "IndexError":
                raise PluginError(f"Clair could not index the image: {report.get('err') or 'no reason given'}")
            if report.get("success") or report.get("state") == "IndexFinished":
                return
            if time.monotonic() > until:
                raise PluginError(f"Clair was not done within {inputs.wait} s; its state is {report.get('state')}")
            time.sleep(_POLL)


def _manifest(at: Place, name: str, digest: str) -> dict[str, Any]:
    """The image as Clair wants it: its digest, and where each layer can be fetched."""
    reference = replace(parse(name), digest=digest)
    with registries(at.settings) as registry:
        source = registry(reference.host)
        found = source.manifest(reference)
        if found is not None and found.media_type in (INDEX, DOCKER_LIST):
            first = json.loads(found.data)["manifests"][0]["digest"]
            found = source.manifest(replace(reference, digest=first))
        if found is None:
            raise PluginError(f"{reference} is no longer in the registry")
        root = f"{source.url}/v2/{reference.path}/blobs"
        access = source.authorization(reference.path)
        headers = {"Authorization": [access]} if access else {}
        layers = json.loads(found.data)["layers"]
        return {
            "hash": found.digest,
            "layers": [{"hash": x["digest"], "uri": f"{root}/{x['digest']}", "headers": headers} for x in layers],
        }


plugin = Clair()
