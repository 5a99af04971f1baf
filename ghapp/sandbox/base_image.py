"""A stand-in for the base image that the example is built on: its layout and configuration, without an interpreter.

The sandbox's cluster runs no containers; what matters here is that a real image is read from a real registry.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile

from ghapp.registry.client import MANIFEST, Registry, digest_of

_FILES = {
    "etc/os-release": b'ID=sandbox\nPRETTY_NAME="ghapp sandbox"\n',
    "usr/local/bin/python3": b"#!/bin/sh\necho 'this base image is a stand-in' >&2\nexit 1\n",
}


def push_base_image(registry: str, image: str) -> str:
    """Push it to ``registry`` (``host:port``) as ``image`` (``path:tag``); returns its digest, always the same."""
    path, _, tag = image.rpartition(":")
    layer, diff_id = _layer()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["python3"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        },
        sort_keys=True,
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
    }
    client = Registry(registry, plain_http=[registry])
    try:
        for blob in (layer, config):
            client.put_blob(path, blob, digest_of(blob))
        return client.put_manifest(path, json.dumps(manifest, sort_keys=True).encode(), MANIFEST, tag)
    finally:
        client.close()


def _layer() -> tuple[bytes, str]:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in sorted(_FILES.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if "bin/" in name else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0), digest_of(raw.getvalue())


def _descriptor(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}
