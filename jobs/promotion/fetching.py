"""One guarded request to somebody else's server: https only, allowed hosts only, never a private address, no redirects.

The address that was checked is the address that is spoken to, so that a name cannot point elsewhere in between.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from policies.gates.http import guard

_MOST = 1_000_000  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, or ``error``: a sentence on why there is none."""

    status: int | None = None
    body: str = ""
    error: str = ""


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address under a host's name: the certificate has to be the name's."""

    def __init__(self, host: str, address: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)


def fetch(
    url: str,
    allowed: Sequence[str],
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    timeout: float = 10,
    context: ssl.SSLContext | None = None,
) -> Fetched:
    """Ask. A redirect is an answer like any other: it is not followed. Never raises."""
    if why := guard(url, allowed):
        return Fetched(error=why)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return Fetched(error=f"the name {host} cannot be resolved")
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if why := guard(url, allowed, addresses):
        return Fetched(error=why)
    connection = _Pinned(host, addresses[0], port, timeout, context or ssl.create_default_context())
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request(method, path, headers={"User-Agent": "ghapp", **(headers or {})})
        answer = connection.getresponse()
        return Fetched(answer.status, answer.read(_MOST).decode("utf-8", "replace"))
    except TimeoutError:
        return Fetched(error=f"{host} did not answer within {timeout:g} s")
    except (OSError, http.client.HTTPException, ValueError) as e:
        return Fetched(error=f"{host} cannot be asked: {e}")
    finally:
        connection.close()
