"""Runs granian around ``front.py``: processes, sockets and signals are its business."""

from __future__ import annotations

import errno
import logging
import socket

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

log = logging.getLogger(__name__)

_HEADER_MS = 10_000  # within which a request's headers must have arrived


class CannotListen(RuntimeError):
    """The address cannot be listened on; the message says why and what to do."""


def serve(host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`CannotListen`."""
    port = _usable(host, port)
    log.info("listening on http://%s:%d", host, port)
    Server(
        "ghapp.web.front:make_front",
        factory=True,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS),
        loop=Loops.uvloop,
        websockets=False,
        backlog=2048,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=20,
        log_level=LogLevels.warning,
    ).serve()


def _usable(host: str, port: int) -> int:
    """``port``, or a free one for 0; granian's processes would fail one by one on an address that is not."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as e:
            reason = "is taken by another process" if e.errno == errno.EADDRINUSE else f"cannot be used ({e.strerror})"
            raise CannotListen(f"{host}:{port} {reason}; choose another with --host and --port") from None
        found: int = probe.getsockname()[1]
        return found
