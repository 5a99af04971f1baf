"""Content on disk: blobs by digest, and per repository which blobs, manifests and tags it has.

``blobs/sha256/<hex>`` holds every content once. ``repositories/<name>/`` links to it: ``_blobs/<digest>``,
``_manifests/<digest>`` (with the media type), ``_tags/<tag>`` (with the digest). Every write is a rename of a finished
file, and no content is visible before its digest was verified.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ghapp.sandbox.registry import errors

_LENGTHS = {"sha256": 64, "sha512": 128}
_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]+)\Z")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was pushed."""

    digest: str
    media_type: str
    content: bytes


def checked(digest: str) -> str:
    """``digest``, where it is one. Raises Refused 400."""
    match = _DIGEST.match(digest)
    if not match or len(match[2]) != _LENGTHS[match[1]]:
        raise errors.digest_invalid(digest, "invalid digest")
    return digest


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


class Storage:
    """One folder of content."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._repositories = root / "repositories"
        self._uploads = root / "uploads"
        for folder in (self._blobs, self._repositories, self._uploads):
            folder.mkdir(parents=True, exist_ok=True)

    # Blobs.

    def blob(self, name: str, digest: str) -> Path:
        """The file of a blob of a repository. Raises Refused 404."""
        if not self._link(name, "_blobs", digest).is_file():
            raise errors.blob_unknown(digest)
        return self._content(digest)

    def has_blob(self, name: str, digest: str) -> bool:
        return self._link(name, "_blobs", digest).is_file() and self._content(digest).is_file()

    def mount(self, name: str, digest: str, source: str) -> bool:
        """Let a repository have a blob of another one; False where that has none."""
        if not self.has_blob(source, digest):
            return False
        self._write(self._link(name, "_blobs", digest), b"")
        return True

    def delete_blob(self, name: str, digest: str) -> None:
        """Take a blob from a repository. Raises Refused 404."""
        self.blob(name, digest)
        self._link(name, "_blobs", digest).unlink()
        self._drop_unused(digest)

    # Uploads.

    def begin(self, name: str) -> str:
        """Begin an upload; returns its id."""
        upload = uuid.uuid4().hex
        folder = self._uploads / upload
        folder.mkdir()
        (folder / "name").write_text(name, encoding="utf-8")
        (folder / "data").touch()
        return upload

    def upload(self, name: str, upload: str) -> Path:
        """The file of an upload that is under way. Raises Refused 404."""
        folder = self._uploads / upload
        if not re.fullmatch(r"[0-9a-f]{32}", upload) or not (folder / "name").is_file():
            raise errors.upload_unknown()
        if (folder / "name").read_text(encoding="utf-8") != name:
            raise errors.upload_unknown()
        return folder / "data"

    def cancel(self, name: str, upload: str) -> None:
        shutil.rmtree(self.upload(name, upload).parent)

    def finish(self, name: str, upload: str, digest: str) -> None:
        """Make an upload a blob. Raises Refused 400 where its content has another digest."""
        data = self.upload(name, upload)
        algorithm = checked(digest).partition(":")[0]
        found = hashlib.new(algorithm)
        with data.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        if f"{algorithm}:{found.hexdigest()}" != digest:
            shutil.rmtree(data.parent)
            raise errors.digest_invalid(digest)
        target = self._content(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        data.replace(target)
        self._write(self._link(name, "_blobs", digest), b"")
        shutil.rmtree(data.parent)

    # Manifests and tags.

    def put_manifest(self, name: str, reference: str, content: bytes, media_type: str) -> Manifest:
        """Keep a manifest under a tag or its digest. Everything it refers to must be there. Raises Refused 400."""
        algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
        if ":" in reference:
            checked(reference)
        digest = digest_of(content, algorithm)
        if ":" in reference and reference != digest:
            raise errors.digest_invalid(reference)
        for wanted, is_manifest in _references(_parsed(content, media_type)):
            known = self._link(name, "_manifests", wanted).is_file() if is_manifest else self.has_blob(name, wanted)
            if not known:
                raise errors.manifest_blob_unknown(wanted)
        self._write(self._content(digest), content)
        self._write(self._link(name, "_manifests", digest), media_type.encode())
        if ":" not in reference:
            self._write(self._folder(name) / "_tags" / reference, digest.encode())
        return Manifest(digest, media_type, content)

    def manifest(self, name: str, reference: str) -> Manifest:
        """A manifest by tag or digest. Raises Refused 404."""
        digest = self._resolved(name, reference)
        link = self._link(name, "_manifests", digest)
        if not link.is_file():
            raise errors.manifest_unknown(reference)
        return Manifest(digest, link.read_text(encoding="utf-8"), self._content(digest).read_bytes())

    def delete_manifest(self, name: str, reference: str) -> None:
        """Forget a tag, or a manifest with all its tags. Raises Refused 404."""
        if ":" not in reference:
            self._resolved(name, reference)
            (self._folder(name) / "_tags" / reference).unlink()
            return
        self.manifest(name, reference)
        for tag in self.tags(name):
            if self._resolved(name, tag) == reference:
                (self._folder(name) / "_tags" / tag).unlink()
        self._link(name, "_manifests", reference).unlink()
        self._drop_unused(reference)

    def tags(self, name: str) -> list[str]:
        """All tags in order. Raises Refused 404."""
        if not (self._folder(name) / "_manifests").is_dir():
            raise errors.name_unknown(name)
        return _names(self._folder(name) / "_tags")

    def repositories(self) -> list[str]:
        """All names in order."""
        found = (p.parent.relative_to(self._repositories).as_posix() for p in self._repositories.rglob("_manifests"))
        return sorted(found)

    def referrers(self, name: str, digest: str) -> list[dict[str, Any]]:
        """Descriptors of the manifests whose subject is ``digest``."""
        found: list[dict[str, Any]] = []
        for link in _names(self._folder(name) / "_manifests"):
            manifest = self.manifest(name, link.replace("-", ":", 1))
            body = _parsed(manifest.content, manifest.media_type)
            if (body.get("subject") or {}).get("digest") != digest:
                continue
            descriptor: dict[str, Any] = {
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(manifest.content),
            }
            kind = body.get("artifactType") or (body.get("config") or {}).get("mediaType")
            if kind:
                descriptor["artifactType"] = kind
            if body.get("annotations"):
                descriptor["annotations"] = body["annotations"]
            found.append(descriptor)
        return found

    # Files.

    def _resolved(self, name: str, reference: str) -> str:
        if ":" in reference:
            return checked(reference)
        tag = self._folder(name) / "_tags" / reference
        if not tag.is_file():
            raise errors.manifest_unknown(reference)
        return tag.read_text(encoding="utf-8")

    def _content(self, digest: str) -> Path:
        algorithm, _, value = checked(digest).partition(":")
        return self._blobs / algorithm / value

    def _folder(self, name: str) -> Path:
        return self._repositories / name

    def _link(self, name: str, kind: str, digest: str) -> Path:
        return self._folder(name) / kind / checked(digest).replace(":", "-")

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._uploads / f"{uuid.uuid4().hex}.part"
        temporary.write_bytes(content)
        temporary.replace(path)

    def _drop_unused(self, digest: str) -> None:
        """Delete content that no repository links to any more."""
        link = digest.replace(":", "-")
        linked = any(True for kind in ("_blobs", "_manifests") for _ in self._repositories.rglob(f"{kind}/{link}"))
        if not linked:
            self._content(digest).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def _parsed(content: bytes, media_type: str) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as e:
        raise errors.manifest_invalid(str(e)) from None
    if not isinstance(body, dict):
        raise errors.manifest_invalid("it is not an object")
    said = body.get("mediaType", media_type)
    if said != media_type:
        raise errors.manifest_invalid(f"its mediaType is {said}, but it was sent as {media_type}")
    return body


def _references(body: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Digests that a manifest needs, and whether each is a manifest. A subject may come later."""
    try:
        for below in body.get("manifests") or ():
            yield checked(below["digest"]), True
        config = body.get("config")
        for blob in [*([config] if config else []), *(body.get("layers") or ())]:
            # Foreign layers are fetched from elsewhere.
            if not blob.get("urls"):
                yield checked(blob["digest"]), False
    except (KeyError, TypeError, AttributeError):
        raise errors.manifest_invalid("a descriptor lacks its digest") from None
