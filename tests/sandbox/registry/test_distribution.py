"""The distribution API, call by call."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from ghapp.sandbox.registry.server import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def digest(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def push_blob(url: str, name: str, content: bytes) -> str:
    answer = requests.post(f"{url}/v2/{name}/blobs/uploads/", params={"digest": digest(content)}, data=content)
    assert answer.status_code == 201
    return digest(content)


def manifest_of(config: bytes, **more: Any) -> bytes:
    descriptor = {"mediaType": CONFIG, "digest": digest(config), "size": len(config)}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": [], **more}).encode()


def push_manifest(url: str, name: str, reference: str, content: bytes, media_type: str = MANIFEST) -> requests.Response:
    headers = {"Content-Type": media_type}
    return requests.put(f"{url}/v2/{name}/manifests/{reference}", data=content, headers=headers)


def code(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def test_the_base_says_which_api_it_is(registry: Registry) -> None:
    answer = requests.get(f"{registry.url}/v2/")
    assert answer.status_code == 200
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_a_blob_pushed_at_once_is_pulled_whole_and_in_ranges(registry: Registry) -> None:
    where = f"{registry.url}/v2/a/b/blobs/{push_blob(registry.url, 'a/b', b'0123456789')}"
    head = requests.head(where)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10")
    assert head.headers["Docker-Content-Digest"] == digest(b"0123456789")
    assert requests.get(where).content == b"0123456789"
    part = requests.get(where, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert requests.get(where, headers={"Range": "bytes=50-60"}).status_code == 416


def test_a_blob_pushed_in_chunks_says_how_far_it_is(registry: Registry) -> None:
    begun = requests.post(f"{registry.url}/v2/r/blobs/uploads/")
    assert begun.status_code == 202
    upload = registry.url + begun.headers["Location"]
    first = requests.patch(upload, data=b"hello ", headers={"Content-Range": "0-5"})
    assert (first.status_code, first.headers["Range"]) == (202, "0-5")
    wrong = requests.patch(upload, data=b"x", headers={"Content-Range": "9-9"})
    assert wrong.status_code == 416
    assert requests.get(upload).headers["Range"] == "0-5"
    whole = digest(b"hello world")
    done = requests.put(upload, params={"digest": whole}, data=b"world")
    assert (done.status_code, done.headers["Docker-Content-Digest"]) == (201, whole)
    assert requests.get(registry.url + done.headers["Location"]).content == b"hello world"
    assert code(requests.get(upload)) == "BLOB_UPLOAD_UNKNOWN"


def test_a_blob_without_a_known_length_is_received(registry: Registry) -> None:
    upload = registry.url + requests.post(f"{registry.url}/v2/r/blobs/uploads/").headers["Location"]
    body = [b"a" * 70_000, b"b" * 70_000]
    assert requests.patch(upload, data=iter(body)).headers["Range"] == "0-139999"
    assert requests.put(upload, params={"digest": digest(b"".join(body))}).status_code == 201


def test_content_with_another_digest_is_refused_and_not_kept(registry: Registry) -> None:
    claimed = digest(b"other")
    answer = requests.post(f"{registry.url}/v2/r/blobs/uploads/", params={"digest": claimed}, data=b"this")
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")
    assert requests.head(f"{registry.url}/v2/r/blobs/{claimed}").status_code == 404


def test_an_upload_can_be_cancelled(registry: Registry) -> None:
    upload = registry.url + requests.post(f"{registry.url}/v2/r/blobs/uploads/").headers["Location"]
    assert requests.delete(upload).status_code == 204
    assert requests.patch(upload, data=b"x").status_code == 404


def test_a_blob_of_another_repository_is_mounted_not_seen(registry: Registry) -> None:
    blob = push_blob(registry.url, "one", b"shared")
    assert requests.head(f"{registry.url}/v2/two/blobs/{blob}").status_code == 404
    uploads = f"{registry.url}/v2/two/blobs/uploads/"
    assert requests.post(uploads, params={"mount": blob, "from": "one"}).status_code == 201
    assert requests.get(f"{registry.url}/v2/two/blobs/{blob}").content == b"shared"
    missing = requests.post(uploads, params={"mount": digest(b"none"), "from": "one"})
    assert missing.status_code == 202, "what cannot be mounted is uploaded"


def test_a_manifest_needs_its_blobs(registry: Registry) -> None:
    config = b'{"architecture":"amd64"}'
    refused = push_manifest(registry.url, "r", "v1", manifest_of(config))
    assert (refused.status_code, code(refused)) == (400, "MANIFEST_BLOB_UNKNOWN")
    push_blob(registry.url, "r", config)
    assert push_manifest(registry.url, "r", "v1", manifest_of(config)).status_code == 201


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_manifest_is_found_by_tag_and_by_digest(registry: Registry, algorithm: str) -> None:
    push_blob(registry.url, "r", b"{}")
    content = manifest_of(b"{}")
    wanted = digest(content, algorithm)
    assert push_manifest(registry.url, "r", wanted, content).headers["Docker-Content-Digest"] == wanted
    assert push_manifest(registry.url, "r", "v1", content).status_code == 201
    for reference in ("v1", wanted):
        found = requests.get(f"{registry.url}/v2/r/manifests/{reference}")
        assert (found.content, found.headers["Content-Type"]) == (content, MANIFEST)
    head = requests.head(f"{registry.url}/v2/r/manifests/v1")
    assert (head.headers["Content-Length"], head.content) == (str(len(content)), b"")


@pytest.mark.parametrize(
    ("reference", "content", "media_type", "wanted"),
    [
        (digest(b"other"), b'{"mediaType":"' + MANIFEST.encode() + b'"}', MANIFEST, "DIGEST_INVALID"),
        ("v1", b"not json", MANIFEST, "MANIFEST_INVALID"),
        ("v1", b"[]", MANIFEST, "MANIFEST_INVALID"),
        ("v1", b'{"mediaType":"text/plain"}', MANIFEST, "MANIFEST_INVALID"),
        ("v1", b'{"layers":[{"size":1}]}', MANIFEST, "MANIFEST_INVALID"),
        ("v1", b"{}", "", "MANIFEST_INVALID"),
        ("-bad", b"{}", MANIFEST, "TAG_INVALID"),
    ],
)
def test_manifests_that_are_none_are_refused(
    registry: Registry, reference: str, content: bytes, media_type: str, wanted: str
) -> None:
    answer = push_manifest(registry.url, "r", reference, content, media_type)
    assert (answer.status_code, code(answer)) == (400, wanted)


def test_a_huge_manifest_is_refused(registry: Registry) -> None:
    answer = push_manifest(registry.url, "r", "v1", b'{"a":"' + b"x" * (4 << 20) + b'"}')
    assert (answer.status_code, code(answer)) == (413, "SIZE_INVALID")


def test_tags_come_in_pages(registry: Registry) -> None:
    push_blob(registry.url, "r", b"{}")
    for tag in ("c", "a", "b"):
        push_manifest(registry.url, "r", tag, manifest_of(b"{}"))
    assert requests.get(f"{registry.url}/v2/r/tags/list").json() == {"name": "r", "tags": ["a", "b", "c"]}
    page = requests.get(f"{registry.url}/v2/r/tags/list", params={"n": 2})
    assert page.json()["tags"] == ["a", "b"]
    assert requests.get(registry.url + page.links["next"]["url"]).json()["tags"] == ["c"]
    unknown = requests.get(f"{registry.url}/v2/nobody/tags/list")
    assert (unknown.status_code, code(unknown)) == (404, "NAME_UNKNOWN")


def test_the_catalog_lists_repositories_with_manifests(registry: Registry) -> None:
    for name in ("team/b", "team/a", "z"):
        push_blob(registry.url, name, b"{}")
        push_manifest(registry.url, name, "v1", manifest_of(b"{}"))
    assert requests.get(f"{registry.url}/v2/_catalog").json() == {"repositories": ["team/a", "team/b", "z"]}


def test_referrers_are_found_by_subject_and_type(registry: Registry) -> None:
    push_blob(registry.url, "r", b"{}")
    image = manifest_of(b"{}")
    subject = {"mediaType": MANIFEST, "digest": digest(image), "size": len(image)}
    signature = manifest_of(b"{}", subject=subject, artifactType="test/signature", annotations={"by": "us"})
    pushed = push_manifest(registry.url, "r", digest(signature), signature)
    assert pushed.headers["OCI-Subject"] == digest(image), "a subject may be pushed later"
    push_manifest(registry.url, "r", digest(image), image)
    where = f"{registry.url}/v2/r/referrers/{digest(image)}"
    index = requests.get(where)
    assert index.headers["Content-Type"] == INDEX
    assert index.json()["manifests"] == [
        {
            "mediaType": MANIFEST,
            "digest": digest(signature),
            "size": len(signature),
            "artifactType": "test/signature",
            "annotations": {"by": "us"},
        }
    ]
    other = requests.get(where, params={"artifactType": "test/other"})
    assert (other.json()["manifests"], other.headers["OCI-Filters-Applied"]) == ([], "artifactType")
    assert requests.get(f"{registry.url}/v2/r/referrers/{digest(b'none')}").json()["manifests"] == []


def test_an_index_needs_its_manifests(registry: Registry) -> None:
    push_blob(registry.url, "r", b"{}")
    image = manifest_of(b"{}")
    listed = [{"mediaType": MANIFEST, "digest": digest(image), "size": len(image)}]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode()
    assert code(push_manifest(registry.url, "r", "all", index, INDEX)) == "MANIFEST_BLOB_UNKNOWN"
    push_manifest(registry.url, "r", digest(image), image)
    assert push_manifest(registry.url, "r", "all", index, INDEX).status_code == 201


def test_deleting_a_tag_keeps_the_manifest_and_deleting_a_manifest_takes_its_tags(registry: Registry) -> None:
    push_blob(registry.url, "r", b"{}")
    content = manifest_of(b"{}")
    manifests = f"{registry.url}/v2/r/manifests"
    for tag in ("v1", "v2"):
        push_manifest(registry.url, "r", tag, content)
    assert requests.delete(f"{manifests}/v1").status_code == 202
    assert requests.get(f"{manifests}/v1").status_code == 404
    assert requests.get(f"{manifests}/{digest(content)}").status_code == 200
    assert requests.delete(f"{manifests}/{digest(content)}").status_code == 202
    assert code(requests.get(f"{manifests}/v2")) == "MANIFEST_UNKNOWN"


def test_a_deleted_blob_is_gone_unless_another_repository_has_it(registry: Registry, tmp_path: Path) -> None:
    blob = push_blob(registry.url, "one", b"shared")
    push_blob(registry.url, "two", b"shared")
    file = tmp_path / "registry" / "blobs" / "sha256" / blob.partition(":")[2]
    assert requests.delete(f"{registry.url}/v2/one/blobs/{blob}").status_code == 202
    assert requests.get(f"{registry.url}/v2/one/blobs/{blob}").status_code == 404
    assert file.exists()
    requests.delete(f"{registry.url}/v2/two/blobs/{blob}")
    assert not file.exists()


@pytest.mark.parametrize(
    ("path", "status", "wanted"),
    [
        ("/v2/UPPER/tags/list", 400, "NAME_INVALID"),
        ("/v2/r/blobs/sha256:12", 400, "DIGEST_INVALID"),
        ("/v2/r/blobs/md5:12", 400, "DIGEST_INVALID"),
        ("/v2/r/blobs/uploads/..%2f..%2fx", 404, "UNSUPPORTED"),
        ("/v2/r/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("/v2/r/manifests/none", 404, "MANIFEST_UNKNOWN"),
        ("/elsewhere", 404, "UNSUPPORTED"),
    ],
)
def test_what_is_not_there_says_so_in_the_shape_of_the_specification(
    registry: Registry, path: str, status: int, wanted: str
) -> None:
    answer = requests.get(registry.url + path)
    assert (answer.status_code, code(answer)) == (status, wanted)


def test_content_survives_a_restart(tmp_path: Path) -> None:
    with Registry(tmp_path) as first:
        push_blob(first.url, "r", b"{}")
        push_manifest(first.url, "r", "v1", manifest_of(b"{}"))
    with Registry(tmp_path) as second:
        assert requests.get(f"{second.url}/v2/r/manifests/v1").content == manifest_of(b"{}")


def test_users_are_asked_for_their_passwords(tmp_path: Path) -> None:
    with Registry(tmp_path, users={"ci": "secret"}) as registry:
        refused = requests.get(f"{registry.url}/v2/")
        assert (refused.status_code, code(refused)) == (401, "UNAUTHORIZED")
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert requests.get(f"{registry.url}/v2/", auth=("ci", "wrong")).status_code == 401
        assert requests.get(f"{registry.url}/v2/", auth=("ci", "secret")).status_code == 200
