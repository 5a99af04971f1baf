"""Plugins that work on the built image, with a real registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key

from ghapp.registry import Reference
from ghapp.registry import Registry as Client
from ghapp.registry.client import MANIFEST, digest_of
from ghapp.sandbox.registry.server import Registry
from jobs.pipeline.result import Outcome
from policies.finding import Severity
from tests.jobs.pipeline.conftest import Ground
from tests.jobs.plugins.conftest import Server, needs


@dataclass
class Pushed:
    client: Client
    host: str
    digest: str
    layer: str


@pytest.fixture
def pushed(tmp_path: Path, ground: Ground) -> Iterator[Pushed]:
    """A tiny image in a registry, as if the pipeline had built it."""
    import gzip
    import io
    import tarfile

    with Registry(tmp_path / "registry") as running:
        client = Client(running.address)
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, text in {"etc/os-release": "ID=alpine\n", "app/key.py": 'k = "AKIAIOSFODNN7EXAMPLF"\n'}.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
        layer = gzip.compress(raw.getvalue(), mtime=0)
        diff = digest_of(raw.getvalue())
        config = json.dumps(
            {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff]}}
        ).encode()
        for data in (layer, config):
            client.put_blob("acme/web", data, digest_of(data))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest_of(config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": digest_of(layer),
                    "size": len(layer),
                }
            ],
        }
        digest = client.put_manifest("acme/web", json.dumps(manifest).encode(), MANIFEST)
        ground.sofar = type(ground.sofar)(images={f"{running.address}/acme/web": digest})
        yield Pushed(client, running.address, digest, digest_of(layer))
        client.close()


def test_an_image_is_copied_by_digest_and_tagged(pushed: Pushed, ground: Ground) -> None:
    result = ground.run(uses="copy-image", **{"with": {"to": f"{pushed.host}/other/web", "tags": ["v1"]}})
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    assert pushed.client.digest(Reference(pushed.host, "other/web", "v1")) == pushed.digest
    assert pushed.client.has_blob("other/web", pushed.layer)
    again = ground.run(uses="copy-image", **{"with": {"to": f"{pushed.host}/other/web", "tags": ["v1"]}})
    assert again.passed


def test_a_signature_is_one_that_cosign_would_accept(pushed: Pushed, ground: Ground) -> None:
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ground.secret("SIGNING", pem.decode())
    result = ground.run(uses="sign", secrets=["SIGNING"], **{"with": {"key": "SIGNING"}})
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    tag = pushed.digest.replace(":", "-") + ".sig"
    found = pushed.client.manifest(Reference(pushed.host, "acme/web", tag))
    assert found
    (layer,) = json.loads(found.data)["layers"]
    payload = pushed.client.blob("acme/web", layer["digest"])
    signature = base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"])
    key.public_key().verify(signature, payload, ECDSA(hashes.SHA256()))
    assert json.loads(payload)["critical"]["image"]["docker-manifest-digest"] == pushed.digest


@needs("trivy")
def test_trivy_looks_into_the_image(pushed: Pushed, ground: Ground) -> None:
    wish = {"scanners": ["secret"], "image": True}
    result = ground.run(uses="trivy", **{"with": wish})
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    assert [f.id for f in result.ended.findings] == ["aws-access-key-id"]
    assert result.ended.facts["image"] == {f"{pushed.host}/acme/web": pushed.digest}
    assert result.ended.facts["target"] == "image"


@needs("syft")
def test_syft_looks_into_the_image(pushed: Pushed, ground: Ground) -> None:
    result = ground.run(uses="syft", **{"with": {"image": True, "format": "spdx"}})
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    assert result.ended.files["sbom.spdx.json"]


@pytest.mark.parametrize("plugin", ["trivy", "copy-image"])
def test_without_an_image_there_is_nothing_to_look_at(ground: Ground, plugin: str) -> None:
    wish = {"trivy": {"image": True, "scanners": ["secret"]}, "copy-image": {"to": "localhost:1/x"}}[plugin]
    result = ground.run(uses=plugin, **{"with": wish})
    assert result.ended.outcome is Outcome.ERROR
    assert "there is no image" in result.ended.sentence


REPORT = {
    "packages": {"1": {"id": "1", "name": "openssl", "version": "3.0.1"}},
    "vulnerabilities": {
        "9": {
            "id": "9",
            "name": "CVE-2024-1",
            "description": "bad",
            "normalized_severity": "High",
            "fixed_in_version": "3.0.2",
            "links": "http://plain.example https://nvd.example/CVE-2024-1",
        }
    },
    "package_vulnerabilities": {"1": ["9"]},
}


def clair(server: Server, pushed: Pushed, **report: object) -> None:
    index = "/indexer/api/v1/index_report"
    server.answers |= {
        f"POST {index}": (201, {"state": "CheckManifest"}),
        f"GET {index}/{pushed.digest.replace(':', '%3A')}": (200, {"state": "IndexFinished", "success": True}),
        f"GET /matcher/api/v1/vulnerability_report/{pushed.digest.replace(':', '%3A')}": (
            200,
            {"manifest_hash": pushed.digest, **REPORT, **report},
        ),
    }


def test_clair_is_given_the_layers_and_its_findings_are_taken(pushed: Pushed, ground: Ground, server: Server) -> None:
    clair(server, pushed)
    ground.secret("JWT", "a-token-for-clair")
    result = ground.run(uses="clair", secrets=["JWT"], **{"with": {"url": server.url, "token": "JWT"}})
    assert result.ended.outcome is Outcome.FAILURE, ground.log(result)
    (finding,) = result.ended.findings
    assert (finding.id, finding.severity, finding.package, finding.installed, finding.fixed, finding.link) == (
        "CVE-2024-1", Severity.HIGH, "openssl", "3.0.1", "3.0.2", "https://nvd.example/CVE-2024-1",
    )  # fmt: skip
    given = json.loads(server.asked[0].body)
    assert given["hash"] == pushed.digest
    assert given["layers"][0]["hash"] == pushed.layer
    assert given["layers"][0]["uri"].endswith(f"/v2/acme/web/blobs/{pushed.layer}")
    assert server.asked[0].headers["Authorization"] == "Bearer a-token-for-clair"
    assert "a-token-for-clair" not in ground.log(result)


@pytest.mark.parametrize(
    "report",
    [{"manifest_hash": "sha256:" + "0" * 64}, {"packages": {}}, {"vulnerabilities": []}, {"packages": {"1": "x"}}],
)
def test_a_clair_that_speaks_of_something_else_is_an_error(
    pushed: Pushed, ground: Ground, server: Server, report: dict[str, object]
) -> None:
    clair(server, pushed, **report)
    result = ground.run(uses="clair", **{"with": {"url": server.url}})
    assert result.ended.outcome is Outcome.ERROR
