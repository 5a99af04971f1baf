"""The stores of logs and artifacts: the same behaviour in a directory and in a bucket."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from ghapp.store import Store, StoreError, store
from ghapp.store.directory import DirectoryStore
from ghapp.store.s3 import S3Store


class Bucket(BaseHTTPRequestHandler):
    """As much of S3's HTTP API as a store needs, in memory."""

    objects: dict[str, tuple[bytes, datetime]]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked" or "aws-chunked" in self.headers.get(
            "Content-Encoding", ""
        ):
            out = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                out += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                continue
            return out
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self) -> None:
        self.objects[self._key()] = (self._body(), datetime.now(UTC))
        self._answer(200, ETag='"x"')

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            prefix = query.get("prefix", [""])[0]
            rows = "".join(
                f"<Contents><Key>{escape(k)}</Key><Size>{len(v)}</Size>"
                f"<LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
                for k, (v, at) in sorted(self.objects.items())
                if k.startswith(prefix)
            )
            xml = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            self._answer(200, xml.encode(), Content_Type="application/xml")
            return
        data, _ = self.objects[self._key()]
        if span := self.headers.get("Range"):
            first, _, last = span.removeprefix("bytes=").partition("-")
            self._answer(206, data[int(first) : int(last) + 1])
        else:
            self._answer(200, data)

    def do_POST(self) -> None:
        text = self._body().decode()
        for part in text.split("<Key>")[1:]:
            self.objects.pop(part.partition("</Key>")[0], None)
        self._answer(200, b"<DeleteResult></DeleteResult>", Content_Type="application/xml")


@pytest.fixture(params=["directory", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "directory":
        yield DirectoryStore(tmp_path)
        return
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    handler = type("Mine", (Bucket,), {"objects": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )
    yield S3Store("bucket", "ghapp/", client)
    server.shutdown()
    server.server_close()


def test_what_is_appended_is_read_as_one(kept: Store) -> None:
    for piece in (b"one ", b"two ", b"three"):
        kept.append("runs/1/a.log", piece)
    assert kept.read("runs/1/a.log") == b"one two three"
    assert kept.read("runs/1/a.log", start=2, most=5) == b"e two"
    assert kept.read("runs/1/a.log", start=100) == b""
    assert b"".join(kept.chunks("runs/1/a.log")) == b"one two three"
    assert kept.size("runs/1/a.log") == 13


def test_what_is_put_replaces(kept: Store, tmp_path: Path) -> None:
    kept.put("runs/1/run.json", b"old and longer")
    kept.put("runs/1/run.json", b"new")
    assert kept.read("runs/1/run.json") == b"new"
    file = tmp_path / "file"
    file.write_bytes(b"from a file")
    kept.put_file("runs/1/artifacts/0", file)
    assert kept.read("runs/1/artifacts/0") == b"from a file"


def test_what_is_not_there_is_none(kept: Store) -> None:
    assert kept.read("runs/9/x") is None
    assert kept.size("runs/9/x") is None
    assert list(kept.chunks("runs/9/x")) == []
    assert list(kept.keys("runs/9/")) == []
    kept.delete("runs/9")


def test_keys_are_listed_and_deleted_by_prefix(kept: Store) -> None:
    for key in ("runs/1/a", "runs/1/b/c", "runs/11/a"):
        kept.put(key, b"x")
    kept.append("runs/1/d.log", b"x")
    assert list(kept.keys("runs/1/")) == ["runs/1/a", "runs/1/b/c", "runs/1/d.log"]
    kept.delete("runs/1")
    assert list(kept.keys("runs/")) == ["runs/11/a"]


def test_what_is_old_goes(kept: Store) -> None:
    kept.put("runs/1/a", b"x")
    assert kept.expire(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert kept.expire(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert list(kept.keys("runs/")) == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/.", "..", "a\0b", "a\nb", "x" * 900])
def test_no_key_leads_out_of_the_store(kept: Store, key: str) -> None:
    for call in (lambda: kept.read(key), lambda: kept.put(key, b"x"), lambda: kept.append(key, b"x")):
        with pytest.raises(ValueError, match="is not a key"):
            call()


def test_a_directory_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot write"):
        DirectoryStore(tmp_path / "file").put("a", b"x")


def test_an_old_file_in_a_directory_goes_by_its_own_time(tmp_path: Path) -> None:
    kept = store(str(tmp_path))
    kept.put("a/b", b"x")
    kept.put("a/c", b"x")
    os.utime(tmp_path / "a" / "b", (time.time() - 100_000, time.time() - 100_000))
    assert kept.expire(datetime.now(UTC) - timedelta(days=1)) == 1
    assert list(kept.keys("a/")) == ["a/c"]


def test_an_address_without_a_bucket_is_refused() -> None:
    with pytest.raises(StoreError, match="names no bucket"):
        store("s3://")
