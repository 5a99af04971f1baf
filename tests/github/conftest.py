"""A GitHub that answers what a test says: real HTTP, so that the client is tried with all that it is made of."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghapp.github.app import GitHubApp
from ghapp.settings import Settings, load

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """What is said to it."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Scripted:
    """Answers by path, without query; a list of answers is given one after the other, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.routes: dict[str, Any] = {}
        self.on("POST /app/installations/9/access_tokens", self._token)
        self.on("GET /repos/acme/web/installation", Answer({"id": 9}))
        self.on("GET /repos/acme/web", Answer({"id": 7, "full_name": "acme/web", "default_branch": "main"}))
        self.minted = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer

            def log_message(self, *_: Any) -> None: ...

            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, json.loads(raw) if raw else None)
                outer.asked.append(asked)
                given = outer._answer(asked)
                if given is None:
                    self.close_connection = True
                    return
                body = b"" if given.body is None else json.dumps(given.body).encode()
                self.send_response(given.status)
                for name, value in {"Content-Type": "application/json; charset=utf-8", **given.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v3"

    def serve_tls(self, certificate: Path, key: Path) -> None:
        """From now on by https."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def on(self, route: str, *answers: Any) -> None:
        """``on("GET /repos/acme/web", Answer(...))``; ``None`` hangs up, a function is called with what was asked."""
        self.routes[route] = list(answers)

    def count(self, route: str) -> int:
        return sum(_route(asked) == route for asked in self.asked)

    def last(self, route: str) -> Asked:
        return [asked for asked in self.asked if _route(asked) == route][-1]

    def _token(self, asked: Asked) -> Answer:
        self.minted += 1
        body = {"token": f"ghs_{self.minted}", "expires_at": "2099-01-01T00:00:00Z", **asked.body}
        return Answer(body, 201)

    def _answer(self, asked: Asked) -> Answer | None:
        answers = self.routes.get(_route(asked))
        if answers is None:
            return Answer({"message": "Not Found"}, 404)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        found: Answer | None = answer(asked) if callable(answer) else answer
        return found

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _route(asked: Asked) -> str:
    return f"{asked.method} {asked.path.split('?')[0].removeprefix('/api/v3')}"


@pytest.fixture
def github() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.stop()


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    def make(url: str, **more: str) -> Settings:
        return load(
            {
                "GHAPP_GITHUB_API_URL": url,
                "GHAPP_APP_ID": "1",
                "GHAPP_PRIVATE_KEY": PEM,
                "GHAPP_DATA_DIR": str(tmp_path),
                **more,
            }
        )

    return make


class Moment:
    """A clock that a test sets; sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def app(github: Scripted, settings_for: Callable[..., Settings], moment: Moment) -> GitHubApp:
    """The app, signing in to the scripted GitHub, with a clock of the test's."""
    from ghapp.github.connection import Connection
    from ghapp.github.limits import LocalLimits
    from ghapp.github.tokens import Tokens

    made = GitHubApp(settings_for(github.url))
    made.connection = Connection(made.settings, LocalLimits(80, moment), sleep=moment.sleep, clock=moment)
    made.tokens = Tokens(made.connection, clock=moment)
    return made
