"""A threaded HTTP/1.1 server for one WSGI application: keep-alive, chunked both ways, bodies streamed, never buffered.

The ones in the standard library and werkzeug close after each answer; clients of an API do not expect that. It can be
paused, which closes its socket and all connections as a dead host would.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Any
from urllib.parse import unquote_to_bytes

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_DRAIN_LIMIT = 8 << 20


class _Body(BufferedIOBase):
    """A request's body, by length or in chunks, as a file that ends."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream, self._left, self._chunked = stream, length or 0, length is None
        self._ended = length == 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read1(1 << 16), b""))
        pieces: list[bytes] = []
        while size > 0 and (piece := self.read1(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1) -> bytes:
        if self._chunked and self._left == 0 and not self._ended:
            line = self._stream.readline(1024).split(b";")[0].strip()
            self._left = int(line, 16) if line else 0
            if self._left == 0:
                while self._stream.readline(65537).strip():
                    continue
                self._ended = True
        if self._ended or self._left == 0:
            return b""
        data: bytes = self._stream.read1(min(self._left, size if size > 0 else 1 << 16))
        self._left -= len(data)
        if not data:
            self._ended = True
        if self._left == 0:
            if self._chunked:
                self._stream.readline(1024)
            else:
                self._ended = True
        return data

    def drain(self) -> bool:
        """Read what nobody wanted, so that the next request can be found; False when that is too much."""
        taken = 0
        while data := self.read1(1 << 16):
            taken += len(data)
            if taken > _DRAIN_LIMIT:
                return False
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "github.com"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 120
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.server.connections.discard(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: the forge keeps its own log of requests."""

    def serve(self) -> None:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        body = _Body(self.rfile, None if chunked else int(self.headers.get("Content-Length") or 0))
        sent = False
        chunk_answer = False

        def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], Any]:
            nonlocal sent, chunk_answer
            code, _, reason = status.partition(" ")
            self.send_response(int(code), reason)
            names = {name.lower() for name, _ in headers}
            for name, value in headers:
                self.send_header(name, value)
            bodyless = self.command == "HEAD" or int(code) in (204, 304)
            if "content-length" not in names and not bodyless:
                if self.request_version == "HTTP/1.1":
                    chunk_answer = True
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.close_connection = True
            self.end_headers()
            sent = True
            return self.wfile.write

        pieces: Iterable[bytes] = ()
        try:
            pieces = self.server.app(self._environ(body), start)
            for piece in pieces:
                if not piece or self.command == "HEAD":
                    continue
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunk_answer else piece)
                if chunk_answer:
                    self.wfile.flush()
            if chunk_answer and self.command != "HEAD":
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
            if not body.drain():
                self.close_connection = True
        except (ConnectionError, TimeoutError, ValueError):
            self.close_connection = True
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self.close_connection = True
            if not sent:
                self.send_error(500)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

    def _environ(self, body: _Body) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "RAW_PATH": path,
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[key] = value
            else:
                environ["HTTP_" + key] = f"{environ['HTTP_' + key]},{value}" if "HTTP_" + key in environ else value
        return environ


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], app: WsgiApp) -> None:
        self.app = app
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle; that is theirs to report."""


class Server:
    """Serves ``app`` on ``host:port`` (0: any free port) from threads of its own between start and stop."""

    def __init__(self, app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app, self._host, self._port = app, host, port
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, or listened before it was paused."""
        return self._host, self._port

    def start(self) -> None:
        if self._listener is not None:
            return
        self._listener = _Listener((self._host, self._port), self._app)
        self._port = self._listener.server_address[1]
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="forge-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections and cut those that are open; ``start`` listens on the same port again."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown()
        listener.server_close()
        for connection in list(listener.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
