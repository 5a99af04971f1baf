"""Logs and artifacts in an S3-compatible bucket. What is appended becomes numbered parts, read back as one.

Credentials, region and endpoint come from where boto3 looks (``AWS_*``, instance profiles); nothing is passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghapp.store.interface import StoreError, checked

_PART = ".part/"  # <key>.part/<number>: appended pieces, in order
_CHUNK = 1 << 18
_AT_ONCE = 1000  # keys in one delete call


class S3Store:
    """Keys below ``prefix`` in ``bucket``. ``client`` is boto3's, made from the environment if absent."""

    def __init__(self, bucket: str, prefix: str = "", client: Any = None) -> None:
        if client is None:
            try:
                import boto3
            except ModuleNotFoundError:
                raise StoreError("a store in S3 needs boto3: pip install 'ghapp[s3]'") from None
            client = boto3.client("s3")
        self._client, self._bucket, self._prefix = client, bucket, prefix.strip("/")
        self._parts: dict[str, int] = {}

    def append(self, key: str, data: bytes) -> None:
        number = self._parts.get(key)
        if number is None:
            number = len(list(self._objects(f"{self._key(key)}{_PART}")))
        self._put(f"{self._key(key)}{_PART}{number:08d}", data)
        self._parts[key] = number + 1

    def put(self, key: str, data: bytes) -> None:
        self._put(self._key(key), data)

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as file:
            self._put(self._key(key), file)

    def read(self, key: str, *, start: int = 0, most: int = -1) -> bytes | None:
        objects = self._parts_of(key)
        if not objects:
            return None
        out, at = [], 0
        end = None if most < 0 else start + most
        for name, size in objects:
            first, last = max(start - at, 0), size if end is None else min(size, end - at)
            if first < last:
                out.append(self._get(name, f"bytes={first}-{last - 1}"))
            at += size
        return b"".join(out)

    def chunks(self, key: str) -> Iterator[bytes]:
        for name, _size in self._parts_of(key):
            yield from self._client.get_object(Bucket=self._bucket, Key=name)["Body"].iter_chunks(_CHUNK)

    def size(self, key: str) -> int | None:
        objects = self._parts_of(key)
        return sum(size for _, size in objects) if objects else None

    def keys(self, prefix: str) -> Iterator[str]:
        root = f"{self._prefix}/" if self._prefix else ""
        names = (name.removeprefix(root).partition(_PART)[0] for name, _, _ in self._objects(f"{root}{prefix}"))
        return iter(sorted(set(names)))

    def delete(self, prefix: str) -> None:
        key = self._key(prefix.rstrip("/"))
        names = [name for name, _, _ in self._objects(key) if name == key or name.startswith((f"{key}/", key + _PART))]
        self._delete(names)

    def expire(self, before: datetime) -> int:
        old = [name for name, _, at in self._objects(self._prefix) if at.astimezone(UTC) < before]
        self._delete(old)
        return len(old)

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{checked(key)}" if self._prefix else checked(key)

    def _parts_of(self, key: str) -> list[tuple[str, int]]:
        """The objects that make up a key, in order, with their sizes."""
        name = self._key(key)
        whole = [(n, size) for n, size, _ in self._objects(name) if n == name or n.startswith(name + _PART)]
        return sorted(whole)

    def _objects(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", ()):
                yield item["Key"], item["Size"], item["LastModified"]

    def _put(self, name: str, body: Any) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=body)
        except Exception as e:  # botocore makes its exception classes at run time
            raise StoreError(f"the store cannot write s3://{self._bucket}/{name}: {e}") from None

    def _get(self, name: str, span: str) -> bytes:
        data: bytes = self._client.get_object(Bucket=self._bucket, Key=name, Range=span)["Body"].read()
        return data

    def _delete(self, names: list[str]) -> None:
        for i in range(0, len(names), _AT_ONCE):
            objects = [{"Key": name} for name in names[i : i + _AT_ONCE]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
