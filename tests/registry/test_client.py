"""Our registry client: against Debian's registry, against challenges, and against a registry that lies."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ghapp.registry import BadReference, Reference, Registry, RegistryError, TagTaken, parse
from ghapp.registry.client import MANIFEST, digest_of
from ghapp.registry.credentials import BadAuthFile, read
from ghapp.registry.layout import pull

CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
LAYER = gzip.compress(b"x" * 3_000_000, mtime=0)


def manifest() -> bytes:
    def described(kind: str, data: bytes) -> dict[str, object]:
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("config.v1+json", CONFIG),
        "layers": [described("layer.v1.tar+gzip", LAYER)],
    }
    return json.dumps(content).encode()


def push(client: Registry, path: str, tag: str = "") -> str:
    client.put_blob(path, CONFIG, digest_of(CONFIG))
    client.put_blob(path, LAYER, digest_of(LAYER))
    return client.put_manifest(path, manifest(), MANIFEST, tag)


# --- Debian's registry ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed here")
    folder = tmp_path_factory.mktemp("debian")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def test_an_image_goes_there_and_back(debian: str, tmp_path: Path) -> None:
    client = Registry(debian)
    digest = push(client, "acme/web", "v1")
    found = client.manifest(Reference(debian, "acme/web", "v1"))
    assert found
    assert (found.digest, found.data) == (digest, manifest())
    assert client.blob("acme/web", digest_of(CONFIG)) == CONFIG
    client.save_blob("acme/web", digest_of(LAYER), tmp_path / "layer")
    assert (tmp_path / "layer").read_bytes() == LAYER
    pull(client, Reference(debian, "acme/web", digest=digest), tmp_path / "layout")
    assert json.loads((tmp_path / "layout" / "index.json").read_text())["manifests"][0]["digest"] == digest


def test_what_is_there_is_not_sent_again_and_can_be_mounted(debian: str) -> None:
    client = Registry(debian)
    push(client, "acme/web")
    assert client.mount_blob("acme/other", digest_of(LAYER), "acme/web")
    assert client.has_blob("acme/other", digest_of(LAYER))
    assert not client.mount_blob("acme/other", "sha256:" + "0" * 64, "acme/web")


def test_a_tag_keeps_its_meaning(debian: str) -> None:
    client = Registry(debian)
    push(client, "acme/tags", "v1")
    assert push(client, "acme/tags", "v1") == digest_of(manifest())
    other = manifest().replace(b'"schemaVersion": 2', b'"schemaVersion":  2')
    with pytest.raises(TagTaken):
        client.put_manifest("acme/tags", other, MANIFEST, "v1")
    assert client.put_manifest("acme/tags", other, MANIFEST, "v1", move=True) == digest_of(other)


def test_what_is_not_there_is_none(debian: str) -> None:
    client = Registry(debian)
    assert client.manifest(Reference(debian, "acme/nothing", "v1")) is None
    assert not client.has_blob("acme/nothing", "sha256:" + "0" * 64)
    with pytest.raises(RegistryError, match="404"):
        client.blob("acme/nothing", "sha256:" + "0" * 64)


# --- challenges, redirects, lies ------------------------------------------------------------------------
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers as a function says; returns its address."""
    started = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                return

            def _any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = answer(self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = _any

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_a_bearer_challenge_is_answered_with_the_hosts_own_credentials(serve: Callable[[Answer], str]) -> None:
    asked: list[tuple[str, str]] = []

    def answer(call: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        given = call.headers.get("Authorization", "")
        asked.append((call.path, given))
        if call.path.startswith("/token"):
            return 200, {}, json.dumps({"token": "short-lived"}).encode()
        if given != "Bearer short-lived":
            realm = f'Bearer realm="http://{call.headers["Host"]}/token",service="reg",scope="repository:acme/web:pull"'
            return 401, {"WWW-Authenticate": realm}, b""
        return 200, {"Content-Type": MANIFEST}, manifest()

    host = serve(answer)
    client = Registry(host, {host: ("robot", "pass word")})
    found = client.manifest(Reference(host, "acme/web", "v1"))
    assert found
    (token_call,) = [(p, a) for p, a in asked if p.startswith("/token")]
    assert "scope=repository%3Aacme%2Fweb%3Apull" in token_call[0]
    assert token_call[1] == "Basic " + base64.b64encode(b"robot:pass word").decode()
    assert client.authorization("acme/web") == "Bearer short-lived"


def test_credentials_do_not_follow_a_redirect_to_another_host(serve: Callable[[Answer], str]) -> None:
    seen: list[str] = []

    def storage(call: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        seen.append(call.headers.get("Authorization", ""))
        return 200, {}, LAYER

    elsewhere = serve(storage)

    def registry(call: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        if not call.headers.get("Authorization"):
            return 401, {"WWW-Authenticate": "Basic realm=x"}, b""
        return 307, {"Location": f"http://{elsewhere}/blob"}, b""

    host = serve(registry)
    assert Registry(host, {host: ("robot", "secret")}).blob("acme/web", digest_of(LAYER)) == LAYER
    assert seen == [""]


def test_content_of_another_digest_is_refused(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    host = serve(lambda _: (200, {"Content-Type": MANIFEST}, b'{"other": true}'))
    client, right = Registry(host), "sha256:" + hashlib.sha256(b"right").hexdigest()
    with pytest.raises(RegistryError, match="content of another digest"):
        client.manifest(Reference(host, "acme/web", digest=right))
    with pytest.raises(RegistryError, match="content of another digest"):
        client.save_blob("acme/web", right, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_a_blob_without_end_is_cut_off(serve: Callable[[Answer], str]) -> None:
    host = serve(lambda _: (200, {}, b"x" * 1_000_000))
    with pytest.raises(RegistryError, match="is larger than 1000 bytes"):
        Registry(host).blob("acme/web", "sha256:" + "0" * 64, most=1000)


@pytest.mark.parametrize(("user", "words"), [(None, "there are no credentials"), (("a", "b"), "do not allow it")])
def test_a_refusal_says_whether_there_were_credentials(
    serve: Callable[[Answer], str], user: tuple[str, str] | None, words: str
) -> None:
    host = serve(lambda _: (403, {}, b"denied"))
    with pytest.raises(RegistryError, match=words):
        Registry(host, {host: user} if user else {}).manifest(Reference(host, "acme/web", "v1"))


# --- names and files --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("ghcr.io/acme/web", "ghcr.io/acme/web"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        ("alpine", "docker.io/library/alpine"),
        ("acme/web:v1", "docker.io/acme/web:v1"),
        (f"r.io/a/b:c@sha256:{'0' * 64}", f"r.io/a/b:c@sha256:{'0' * 64}"),
    ],
)
def test_names_are_written_out(text: str, full: str) -> None:
    assert str(parse(text)) == full


@pytest.mark.parametrize(
    "text", ["", "UPPER/x", "r.io/", "r.io/a:b:c", "r.io/a@sha256:1", "r.io/../x", "a b", "https://r.io/x", "r.io/a:-x"]
)
def test_what_names_no_image_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        parse(text)


def test_credentials_are_read_as_docker_login_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    auth = base64.b64encode(b"user:pa:ss").decode()
    entries = {
        "https://index.docker.io/v1/": {"auth": auth},
        "r.io": {"username": "u", "password": "p"},
        "empty.io": {},
    }
    file.write_text(json.dumps({"auths": entries}))
    assert read(file) == {"docker.io": ("user", "pa:ss"), "r.io": ("u", "p")}
    assert read(None) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"r.io": {"auth": "?"}}}', '{"auths": []}'])
def test_a_broken_file_of_credentials_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(BadAuthFile, match="is not a file as"):
        read(file)
    with pytest.raises(BadAuthFile, match="cannot be read"):
        read(tmp_path / "missing")
