"""Where whole logs and artifacts are kept: a directory or a bucket."""

from __future__ import annotations

from pathlib import Path

from ghapp.store.interface import Store, StoreError

__all__ = ["Store", "StoreError", "store"]


def store(address: str) -> Store:
    """The store at a directory or at ``s3://bucket/prefix``. Raises :class:`StoreError`."""
    if address.startswith("s3://"):
        from ghapp.store.s3 import S3Store

        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not bucket:
            raise StoreError(f"{address} names no bucket; write it like s3://my-bucket/ghapp")
        return S3Store(bucket, prefix)
    from ghapp.store.directory import DirectoryStore

    return DirectoryStore(Path(address).expanduser())
