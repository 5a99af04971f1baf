"""Real clients: what buildah and skopeo push, they can pull."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from ghapp import process
from ghapp.sandbox.registry.server import Registry

skopeo = pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
buildah = pytest.mark.skipif(not shutil.which("buildah"), reason="buildah is not installed")


def layout(folder: Path) -> Path:
    """An image of one layer, made by hand as an OCI layout."""

    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, media_type: str) -> dict[str, object]:
        value = hashlib.sha256(content).hexdigest()
        (blobs / value).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{value}", "size": len(content)}

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("hello.txt")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    layer = put(buffer.getvalue(), "application/vnd.oci.image.layer.v1.tar")
    body = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    config = put(json.dumps(body).encode(), "application/vnd.oci.image.config.v1+json")
    media_type = "application/vnd.oci.image.manifest.v1+json"
    image = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]}
    manifest = put(json.dumps(image).encode(), media_type)
    named = {**manifest, "annotations": {"org.opencontainers.image.ref.name": "v1"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


@skopeo
def test_skopeo_pushes_inspects_copies_lists_and_pulls(registry: Registry, tmp_path: Path) -> None:
    source = layout(tmp_path / "image")
    image = f"docker://{registry.address}/team/app"
    process.run(["skopeo", "copy", "--dest-tls-verify=false", f"oci:{source}:v1", f"{image}:v1"])
    copy = ["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"]
    process.run([*copy, f"{image}:v1", f"docker://{registry.address}/other/app:v2"])
    seen = json.loads(process.run(["skopeo", "inspect", "--tls-verify=false", f"{image}:v1"]).stdout)
    assert seen["RepoTags"] == ["v1"]
    listed = json.loads(process.run(["skopeo", "list-tags", "--tls-verify=false", image]).stdout)
    assert listed["Tags"] == ["v1"]
    pulled = tmp_path / "pulled"
    other = f"docker://{registry.address}/other/app@{seen['Digest']}"
    process.run(["skopeo", "copy", "--src-tls-verify=false", other, f"oci:{pulled}:v2"])
    assert {p.name for p in (pulled / "blobs" / "sha256").iterdir()} >= {seen["Digest"].partition(":")[2]}
    process.run(["skopeo", "delete", "--tls-verify=false", f"{image}:v1"])


@buildah
@pytest.mark.slow
def test_buildah_pushes_an_image_made_from_scratch_and_pulls_it_again(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY file /file\nENV A=b\n")
    common = ["--storage-driver", "vfs", "--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run")]
    name = f"{registry.address}/built:v1"
    build = ["buildah", *common, "build", "--isolation", "chroot", "-t", name, str(tmp_path)]
    process.run(build)
    process.run(["buildah", *common, "push", "--tls-verify=false", name])
    process.run(["buildah", *common, "rmi", "--all", "--force"])
    pulled = process.run(["buildah", *common, "pull", "--tls-verify=false", name]).text.split()[-1]
    config = json.loads(process.run(["buildah", *common, "inspect", "--type", "image", pulled]).stdout)
    assert "A=b" in config["OCIv1"]["config"]["Env"]
