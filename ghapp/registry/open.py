"""Registries as an installation's settings describe them: credentials, hosts without TLS, connections closed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ghapp.registry.client import Registry
from ghapp.registry.credentials import read
from ghapp.settings import Settings


@contextmanager
def registries(settings: Settings) -> Iterator[Callable[[str], Registry]]:
    """Registries by host, each opened once. Raises ``BadAuthFile``."""
    credentials = read(settings.registry_auth_file)
    opened: dict[str, Registry] = {}

    def registry(host: str) -> Registry:
        if host not in opened:
            opened[host] = Registry(host, credentials, settings.plain_http_registries)
        return opened[host]

    try:
        yield registry
    finally:
        for one in opened.values():
            one.close()
