"""``sign``: a signature of the built image beside it in the registry, as ``cosign sign --key`` makes it.

The signature is over the image's digest; ``cosign verify --key`` with the public half accepts it.
"""

from __future__ import annotations

import base64
import json

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field

from ghapp.registry import Reference, Registry
from ghapp.registry.client import MANIFEST, digest_of
from ghapp.registry.open import registries
from jobs.pipeline.result import Ended
from jobs.plugins.images import built
from jobs.plugins.interface import Inputs, Place, PluginError, passed

_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "dev.cosignproject.cosign/signature"


class SignInputs(Inputs):
    key: str = Field(description="name of the step's secret: a private key in PEM, ECDSA P-256 or Ed25519")
    annotations: dict[str, str] = Field({}, description="signed along with the digest")


class Sign:
    name = "sign"
    version = "1.0.0"
    description = "A cosign signature of the built image, stored beside it."
    inputs = SignInputs

    def run(self, inputs: SignInputs, at: Place) -> Ended:
        image = built(at)
        critical = {
            "identity": {"docker-reference": image.repository},
            "image": {"docker-manifest-digest": image.digest},
            "type": "cosign container image signature",
        }
        optional = {**inputs.annotations, "commit": at.commit}
        payload = json.dumps({"critical": critical, "optional": optional}, separators=(",", ":")).encode()
        signature = base64.b64encode(_sign(at.secret(inputs.key), payload)).decode()
        layer = {
            "mediaType": _PAYLOAD,
            "size": len(payload),
            "digest": digest_of(payload),
            "annotations": {_SIGNATURE: signature},
        }
        tag = image.digest.replace(":", "-") + ".sig"
        with registries(at.settings) as registry:
            made = _store(registry(image.host), image, tag, layer, payload)
        at.say(f"signed {image} as {image.repository}:{tag}")
        return passed(outputs={"signature": made}, facts={"signed": str(image), "signature": made})


def _sign(pem: str, payload: bytes) -> bytes:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PluginError("the signing key is not a private key in PEM without a password") from None
    if isinstance(key, EllipticCurvePrivateKey):
        return key.sign(payload, ECDSA(hashes.SHA256()))
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(payload)
    raise PluginError("the signing key is neither ECDSA nor Ed25519")


def _store(registry: Registry, image: Reference, tag: str, layer: dict[str, object], payload: bytes) -> str:
    """Add the signature to those that are there: the one tag that is meant to move. Returns its manifest's digest."""
    layers = [layer]
    present = registry.manifest(Reference(image.host, image.path, tag))
    if present is not None:
        known = json.loads(present.data)["layers"]
        if any(one["digest"] == layer["digest"] for one in known):
            return present.digest
        layers = [*known, layer]
    diff_ids = [one["digest"] for one in layers]
    config = json.dumps(
        {"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}, sort_keys=True
    ).encode()
    registry.put_blob(image.path, payload, digest_of(payload))
    registry.put_blob(image.path, config, digest_of(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(config),
            "size": len(config),
        },
        "layers": layers,
    }
    data = json.dumps(manifest, sort_keys=True).encode()
    return registry.put_manifest(image.path, data, MANIFEST, tag, move=True)


plugin = Sign()
