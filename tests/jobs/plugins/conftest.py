"""Plugins are tried where steps are. Tools that are installed elsewhere are found in ``GHAPP_TEST_TOOLS``, the
``bin`` of a virtual environment; a test whose tool is nowhere is skipped and says so.
"""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.executors import bubblewrap
from tests.jobs.pipeline.conftest import forge, ground, lane, make_lane

__all__ = ["forge", "ground", "lane", "make_lane"]

TOOLS = os.environ.get("GHAPP_TEST_TOOLS", "")


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    if TOOLS:
        usual, folders = bubblewrap.path(), bubblewrap._tool_folders
        monkeypatch.setattr(bubblewrap, "path", lambda: f"{usual}:{TOOLS}")
        monkeypatch.setattr(bubblewrap, "_tool_folders", lambda extra: folders([*extra, Path(TOOLS).parent]))


def needs(tool: str) -> pytest.MarkDecorator:
    path = f"{bubblewrap.path()}:{TOOLS}"
    return pytest.mark.skipif(shutil.which(tool, path=path) is None, reason=f"{tool} is not installed here")


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A web server whose answers a test writes: path (with query) → status and JSON. ``asked`` is what came in."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            known = state.answers.get(f"{self.command} {self.path}") or state.answers.get(self.path.partition("?")[0])
            status, data = known or (404, {})
            raw = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = _any

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield state
    http.shutdown()
    http.server_close()


@pytest.fixture
def mail() -> Iterator[tuple[str, list[str]]]:
    """An SMTP server's address, and the messages that it has taken."""
    taken: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().decode().strip().upper():
                if line == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline().decode()) != ".\r\n":
                        lines.append(text)
                    taken.append("".join(lines))
                self.wfile.write(b"221 bye\r\n" if line == "QUIT" else b"250 fine\r\n")

    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    yield f"smtp://127.0.0.1:{tcp.server_address[1]}", taken
    tcp.shutdown()
    tcp.server_close()
