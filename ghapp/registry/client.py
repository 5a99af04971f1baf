"""A client for OCI registries: manifests and blobs in both directions, by digest, verified.

Every byte that is read is checked against its digest before it is used. A tag is never moved: one that exists with
another digest is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ghapp.registry.credentials import Credentials
from ghapp.registry.reference import Reference

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_ACCEPT = ", ".join((MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST))
_MOST_MANIFEST = 8 * 2**20
_CHUNK = 1 << 20
_CHALLENGE = re.compile(r'([a-z]+)="([^"]*)"')


class RegistryError(RuntimeError):
    """The registry said no, or cannot be reached; the message names it and says what to do where that is known."""


class RegistryAway(RegistryError):
    """Nobody answers there; the same call may do later."""


class TagTaken(RegistryError):
    """The tag exists already and means another image."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it is stored: its exact bytes, what kind it is, its digest."""

    data: bytes
    media_type: str
    digest: str


class Registry:
    """One registry. ``plain_http`` for hosts without TLS; loopback addresses have none by default."""

    def __init__(
        self, host: str, credentials: Credentials | None = None, plain_http: Iterable[str] = (), timeout: float = 60
    ) -> None:
        self.host = host
        name = host.rpartition(":")[0] or host
        plain = host in set(plain_http) or name in ("localhost", "127.0.0.1", "[::1]")
        actual = "registry-1.docker.io" if host == "docker.io" else host
        self._basic = (credentials or {}).get(host)
        self._tokens: dict[str, str] = {}
        self._http = httpx.Client(
            base_url=f"{'http' if plain else 'https'}://{actual}",
            timeout=timeout,
            follow_redirects=False,
            trust_env=True,
        )

    def close(self) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """The registry's address, with its scheme."""
        return str(self._http.base_url).rstrip("/")

    def authorization(self, path: str) -> str:
        """The Authorization header that reading from ``path`` took so far; ``""`` where none was needed."""
        return self._authorization(path, push=False).get("Authorization", "")

    # --- manifests --------------------------------------------------------------------------------
    def manifest(self, image: Reference) -> Manifest | None:
        """What a digest (or, without one, a tag) names; ``None`` where there is nothing."""
        what = image.digest or image.tag or "latest"
        answer = self._send("GET", f"/v2/{image.path}/manifests/{what}", image.path, headers={"Accept": _ACCEPT})
        if answer.status_code == 404:
            return None
        self._expect(answer, 200, f"read the manifest of {image}")
        data = answer.content
        if len(data) > _MOST_MANIFEST:
            raise RegistryError(f"the manifest of {image} is larger than {_MOST_MANIFEST} bytes")
        digest = digest_of(data)
        if image.digest and digest != image.digest:
            raise RegistryError(f"{self.host} answered {image} with content of another digest, {digest}")
        return Manifest(data, answer.headers.get("Content-Type", "").partition(";")[0], digest)

    def digest(self, image: Reference) -> str | None:
        """The digest that a tag means now; ``None`` where there is no such tag."""
        found = self.manifest(image)
        return found.digest if found else None

    def put_manifest(self, path: str, data: bytes, media_type: str, tag: str = "", *, move: bool = False) -> str:
        """Store a manifest, by its digest and, with ``tag``, by name; returns the digest.

        Raises :class:`TagTaken`, unless the tag is one that is meant to ``move``.
        """
        digest = digest_of(data)
        if tag and not move:
            present = self.digest(Reference(self.host, path, tag))
            if present == digest:
                return digest
            if present is not None:
                raise TagTaken(
                    f"{self.host}/{path}:{tag} exists already as {present}, and this build made {digest}: "
                    "a tag is never moved; use {commit} or {run} in `tags`"
                )
        answer = self._send(
            "PUT", f"/v2/{path}/manifests/{tag or digest}", path, push=True, content=data,
            headers={"Content-Type": media_type},
        )  # fmt: skip
        self._expect(answer, 201, f"store a manifest in {self.host}/{path}")
        return digest

    # --- blobs ------------------------------------------------------------------------------------
    def has_blob(self, path: str, digest: str) -> bool:
        answer = self._send("HEAD", f"/v2/{path}/blobs/{digest}", path)
        if answer.status_code == 404:
            return False
        self._expect(answer, 200, f"look for a blob in {self.host}/{path}")
        return True

    def blob(self, path: str, digest: str, most: int = 64 * 2**20) -> bytes:
        """A whole blob, checked. For configurations; layers are streamed by :meth:`save_blob`."""
        return b"".join(self._stream(path, digest, most))

    def save_blob(self, path: str, digest: str, into: Path, most: int = 64 * 2**30) -> None:
        """Write a blob to a file, which is there only if its digest was right."""
        partial = into.with_name(f".{into.name}.partial")
        try:
            with partial.open("wb") as file:
                for chunk in self._stream(path, digest, most):
                    file.write(chunk)
            partial.replace(into)
        finally:
            partial.unlink(missing_ok=True)

    def mount_blob(self, path: str, digest: str, source: str) -> bool:
        """Take over a blob from another repository of this registry, without copying; whether that was possible."""
        url = f"/v2/{path}/blobs/uploads/?mount={digest}&from={source}"
        answer = self._send("POST", url, path, push=True)
        if answer.status_code == 202:  # an upload was begun instead; it is given up
            self._send("DELETE", str(self._http.base_url.join(answer.headers["Location"])), path, push=True)
        return answer.status_code == 201

    def put_blob(self, path: str, data: bytes | Path, digest: str) -> None:
        """Store a blob unless it is there."""
        if self.has_blob(path, digest):
            return
        answer = self._send("POST", f"/v2/{path}/blobs/uploads/", path, push=True)
        self._expect(answer, 202, f"begin an upload to {self.host}/{path}")
        location = httpx.URL(answer.headers["Location"])
        target = self._http.base_url.join(location).copy_merge_params({"digest": digest})
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        content = data if isinstance(data, bytes) else _pieces(data)
        answer = self._send("PUT", str(target), path, push=True, content=content, headers=headers)
        self._expect(answer, 201, f"upload a blob to {self.host}/{path}")

    def _stream(self, path: str, digest: str, most: int) -> Iterator[bytes]:
        seen, size = hashlib.sha256(), 0
        url = f"/v2/{path}/blobs/{digest}"
        headers = self._authorization(path, push=False)
        answer = self._open(url, headers)
        if answer.status_code == 401 and self._authorize(answer, path, push=False):
            answer.close()
            answer = self._open(url, self._authorization(path, push=False))
        for _ in range(5):
            if answer.status_code not in (301, 302, 303, 307, 308):
                break
            location = self._http.base_url.join(answer.headers["Location"])
            answer.close()
            answer = self._open(str(location), {})  # to a store elsewhere, which our credentials are not for
        try:
            if answer.status_code != 200:
                answer.read()
                self._expect(answer, 200, f"read {digest} from {self.host}/{path}")
            for chunk in answer.iter_raw(_CHUNK):
                seen.update(chunk)
                size += len(chunk)
                if size > most:
                    raise RegistryError(f"{digest} in {self.host}/{path} is larger than {most} bytes")
                yield chunk
        except httpx.HTTPError as e:
            raise self._away(e) from None
        finally:
            answer.close()
        if f"sha256:{seen.hexdigest()}" != digest:
            raise RegistryError(f"{self.host} answered {digest} with content of another digest")

    def _open(self, url: str, headers: dict[str, str]) -> httpx.Response:
        try:
            request = self._http.build_request("GET", url, headers={**headers, "Accept-Encoding": "identity"})
            return self._http.send(request, stream=True)
        except httpx.HTTPError as e:
            raise self._away(e) from None

    # --- calls ------------------------------------------------------------------------------------
    def _send(
        self, method: str, url: str, path: str, *, push: bool = False, content: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        for fresh in (False, True):
            sent = {**self._authorization(path, push=push), **(headers or {})}
            try:
                answer = self._http.request(method, url, content=content, headers=sent)
            except httpx.HTTPError as e:
                raise self._away(e) from None
            if answer.status_code != 401 or fresh or not self._authorize(answer, path, push=push):
                return answer
        return answer

    def _authorization(self, path: str, *, push: bool) -> dict[str, str]:
        token = self._tokens.get(_scope(path, push=push))
        return {"Authorization": token} if token else {}

    def _authorize(self, refused: httpx.Response, path: str, *, push: bool) -> bool:
        """Follow a challenge (https://distribution.github.io/distribution/spec/auth/token/); whether it makes sense to
        ask again."""
        kind, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
        scope = _scope(path, push=push)
        if kind.lower() == "basic" and self._basic:
            self._tokens[scope] = httpx.BasicAuth(*self._basic)._auth_header
            return True
        challenge = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or "realm" not in challenge:
            return False
        try:
            answer = self._http.get(
                challenge["realm"],
                params={"scope": scope, **({"service": challenge["service"]} if "service" in challenge else {})},
                auth=self._basic or httpx.USE_CLIENT_DEFAULT,
            )
        except httpx.HTTPError as e:
            raise self._away(e) from None
        if answer.status_code != 200:
            return False
        found = answer.json()
        self._tokens[scope] = f"Bearer {found.get('token') or found.get('access_token')}"
        return True

    def _expect(self, answer: httpx.Response, status: int, what: str) -> None:
        if answer.status_code == status:
            return
        if answer.status_code in (401, 403):
            known = "its credentials do not allow it" if self._basic else "there are no credentials for it"
            fix = "see GHAPP_REGISTRY_AUTH_FILE"
            raise RegistryError(f"cannot {what}: {self.host} refuses, {known} ({answer.status_code}); {fix}")
        raise RegistryError(f"cannot {what}: {self.host} answered {answer.status_code} {answer.text[:300]}")

    def _away(self, e: httpx.HTTPError) -> RegistryAway:
        return RegistryAway(f"the registry {self.host} cannot be reached: {e or type(e).__name__}")


def _scope(path: str, *, push: bool) -> str:
    return f"repository:{path}:{'pull,push' if push else 'pull'}"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
