"""The OCI distribution API over HTTP: pull, push, discovery of content, and its management."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import orjson
from aiohttp import web

from ghapp.sandbox.registry import errors
from ghapp.sandbox.registry.errors import Refused
from ghapp.sandbox.registry.storage import Manifest, Storage, checked

MAX_MANIFEST = 4 << 20
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_PATH = re.compile(
    r"/v2/(?P<name>.+?)/(?:(?P<what>blobs|manifests|referrers)/(?P<reference>[^/]+)"
    r"|blobs/uploads/(?P<upload>[^/]*)|(?P<tags>tags/list))\Z"
)
_INDEX = "application/vnd.oci.image.index.v1+json"
_API = {"Docker-Distribution-Api-Version": "registry/2.0"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: one of a repository's blobs, manifests, referrers, uploads, or its tags."""

    what: str
    name: str
    reference: str


def parse(path: str) -> Target | None:
    """The target of a path, or None where it is none. Raises Refused 400 for names that are not allowed."""
    match = _PATH.match(path if not path.endswith("/blobs/uploads") else path + "/")
    if not match:
        return None
    name = match["name"]
    if len(name) > 255 or not _NAME.match(name):
        raise Refused(400, "NAME_INVALID", "invalid repository name", {"name": name})
    if match["tags"]:
        return Target("tags", name, "")
    if match["upload"] is not None:
        return Target("uploads", name, match["upload"])
    return Target(match["what"], name, unquote(match["reference"]))


class Api:
    """Serves one storage; ``users`` maps names to passwords where pushing and pulling need them."""

    def __init__(self, storage: Storage, users: Mapping[str, str] | None = None) -> None:
        self._storage = storage
        self._users = dict(users or {})

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            self._authenticate(request)
            response = await self._answer(request)
        except Refused as e:
            response = web.json_response(e.body, status=e.status, headers=e.headers)
        response.headers.update(_API)
        return response

    def _authenticate(self, request: web.BaseRequest) -> None:
        if not self._users:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(given).decode().partition(":")
        except ValueError:
            name, password = "", ""
        expected = self._users.get(name, "")
        right = hmac.compare_digest(password.encode(), expected.encode())
        if scheme.lower() != "basic" or not expected or not right:
            raise errors.unauthorized()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path in ("/v2", "/v2/"):
            return web.json_response({})
        if path == "/v2/_catalog":
            return _listed(request, "repositories", self._storage.repositories(), {})
        target = parse(path)
        if target is None:
            raise Refused(404, "UNSUPPORTED", "there is nothing at this path")
        if target.what == "blobs":
            return self._blob(request, target)
        if target.what == "uploads":
            return await self._upload(request, target)
        if target.what == "manifests":
            return await self._manifest(request, target)
        if request.method != "GET":
            raise errors.unsupported()
        if target.what == "tags":
            return _listed(request, "tags", self._storage.tags(target.name), {"name": target.name})
        return self._referrers(request, target)

    # Blobs.

    def _blob(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        digest = checked(target.reference)
        if request.method == "DELETE":
            self._storage.delete_blob(target.name, digest)
            return web.Response(status=202)
        if request.method not in ("GET", "HEAD"):
            raise errors.unsupported()
        headers = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream"}
        return web.FileResponse(self._storage.blob(target.name, digest), headers=headers)

    async def _upload(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        name, upload = target.name, target.reference
        if request.method == "POST" and not upload:
            return await self._begin(request, name)
        data = self._storage.upload(name, upload)
        if request.method == "GET":
            return _progress(204, name, upload, data)
        if request.method == "PATCH":
            await _receive(request, data)
            return _progress(202, name, upload, data)
        if request.method == "PUT":
            digest = checked(request.query.get("digest", ""))
            await _receive(request, data)
            return await self._finish(name, upload, digest)
        if request.method == "DELETE":
            self._storage.cancel(name, upload)
            return web.Response(status=204)
        raise errors.unsupported()

    async def _begin(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        query = request.query
        if (mount := query.get("mount")) and self._storage.mount(name, checked(mount), query.get("from", name)):
            return _created(f"/v2/{name}/blobs/{mount}", mount)
        upload = self._storage.begin(name)
        data = self._storage.upload(name, upload)
        if digest := query.get("digest"):
            await _receive(request, data)
            return await self._finish(name, upload, checked(digest))
        return _progress(202, name, upload, data)

    async def _finish(self, name: str, upload: str, digest: str) -> web.Response:
        await asyncio.to_thread(self._storage.finish, name, upload, digest)
        return _created(f"/v2/{name}/blobs/{digest}", digest)

    # Manifests.

    async def _manifest(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        name, reference = target.name, target.reference
        if ":" in reference:
            checked(reference)
        elif not _TAG.match(reference):
            raise Refused(400, "TAG_INVALID", "invalid tag", {"tag": reference})
        if request.method in ("GET", "HEAD"):
            return _shown(self._storage.manifest(name, reference), head=request.method == "HEAD")
        if request.method == "DELETE":
            self._storage.delete_manifest(name, reference)
            return web.Response(status=202)
        if request.method != "PUT":
            raise errors.unsupported()
        content = await _limited(request)
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if not media_type:
            raise errors.manifest_invalid("the request says no Content-Type")
        manifest = self._storage.put_manifest(name, reference, content, media_type)
        response = _created(f"/v2/{name}/manifests/{manifest.digest}", manifest.digest)
        subject = (orjson.loads(content).get("subject") or {}).get("digest")
        if subject:
            response.headers["OCI-Subject"] = subject
        return response

    def _referrers(self, request: web.BaseRequest, target: Target) -> web.Response:
        found = self._storage.referrers(target.name, checked(target.reference))
        headers = {}
        if wanted := request.query.get("artifactType"):
            found = [d for d in found if d.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": found}
        return web.Response(body=orjson.dumps(index), content_type=_INDEX, headers=headers)


async def _limited(request: web.BaseRequest) -> bytes:
    """A manifest's body. Raises Refused 413 before more than may be is in memory."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_MANIFEST:
            raise Refused(413, "SIZE_INVALID", f"a manifest may have {MAX_MANIFEST} bytes at most")
    return bytes(body)


async def _receive(request: web.BaseRequest, data: Path) -> None:
    """Append a request's body to an upload. Raises Refused 416 where a chunk is not the next one."""
    said = re.match(r"(\d+)-(\d+)", request.headers.get("Content-Range", ""))
    size = data.stat().st_size
    if said and int(said[1]) != size:
        raise Refused(416, "BLOB_UPLOAD_INVALID", f"the next byte is {size}, not {said[1]}", Range=f"0-{size - 1}")
    with data.open("ab") as file:
        async for chunk in request.content.iter_chunked(1 << 20):
            file.write(chunk)


def _progress(status: int, name: str, upload: str, data: Path) -> web.Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{upload}",
        "Range": f"0-{max(data.stat().st_size - 1, 0)}",
        "Docker-Upload-UUID": upload,
    }
    return web.Response(status=status, headers=headers)


def _created(location: str, digest: str) -> web.Response:
    return web.Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _shown(manifest: Manifest, *, head: bool) -> web.Response:
    headers = {"Docker-Content-Digest": manifest.digest, "Content-Type": manifest.media_type}
    if head:
        headers["Content-Length"] = str(len(manifest.content))
        return web.Response(headers=headers)
    return web.Response(body=manifest.content, headers=headers)


def _listed(request: web.BaseRequest, what: str, names: list[str], more: dict[str, str]) -> web.Response:
    """A list by pages of ``n`` after ``last``, with a link to the next one."""
    query = request.query
    last, count = query.get("last", ""), query.get("n", "")
    if count and not count.isdigit():
        raise Refused(400, "PAGINATION_NUMBER_INVALID", "n must be a number", {"n": count})
    names = [n for n in names if n > last]
    headers = {}
    if count and len(names) > int(count):
        names = names[: int(count)]
        if names:
            headers["Link"] = f'<{request.path}?n={count}&last={quote(names[-1])}>; rel="next"'
    return web.json_response({**more, what: names}, headers=headers)
