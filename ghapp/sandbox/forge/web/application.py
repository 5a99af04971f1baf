"""The forge as one WSGI application: finds the route, lets in or refuses, runs the handler, counts, and answers.

Every request that changes something holds the state's lock from start to end; reads hold nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from ghapp.sandbox.forge.git.store import RefConflict
from ghapp.sandbox.forge.model import Repository, State, Team
from ghapp.sandbox.forge.web import ratelimit
from ghapp.sandbox.forge.web.actor import Actor, identify
from ghapp.sandbox.forge.web.admission import admit, may_read
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.faults import Faults
from ghapp.sandbox.forge.web.ratelimit import RateLimits
from ghapp.sandbox.forge.web.routing import Route, Router

API = "/api/v3"
GRAPHQL = "/api/graphql"

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One answered API request.

    ``route`` is like ``GET /repos/{owner}/{repo}``, ``actor`` like ``installation:12``, ``app`` the slug of its app.
    """

    actor: str
    method: str
    route: str
    path: str
    status: int
    app: str | None = None


class RequestLog:
    """What was asked of the API since the last ``reset``, so that a test can count calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RequestRecord] = []

    def add(self, record: RequestRecord) -> None:
        with self._lock:
            self._records.append(record)

    def reset(self) -> None:
        with self._lock:
            self._records = []

    @property
    def records(self) -> list[RequestRecord]:
        with self._lock:
            return list(self._records)

    def by(self, app: str | None = None, actor: str | None = None) -> list[RequestRecord]:
        """The records of one app (as itself and as its installations) or of one actor."""
        return [r for r in self.records if app in (None, r.app) and actor in (None, r.actor)]

    def count(self, actor: str | None = None, method: str | None = None, route: str | None = None) -> int:
        """How many records match; ``route`` is a template such as ``/repos/{owner}/{repo}``, ``actor`` a key."""
        return sum(
            (actor is None or r.actor == actor)
            and (method is None or r.method == method)
            and (route is None or r.route.split(" ", 1)[1] == route)
            for r in self.records
        )


class Application:
    """All that is served under ``/api``; anything else goes to ``fallback``."""

    def __init__(
        self,
        state: State,
        routes: Sequence[Route],
        graphql: Callable[[Call], Any],
        fallback: WsgiApp,
        faults: Faults,
        limits: RateLimits,
        log: RequestLog,
    ) -> None:
        self.state, self.faults, self.limits, self.log = state, faults, limits, log
        self.router = Router(routes)
        self._graphql = Route("POST", GRAPHQL, graphql, access="signed-in", resource="graphql")
        self._fallback = fallback

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["RAW_PATH"]
        is_api = path == API or path.startswith(API + "/")
        if not is_api and path != GRAPHQL:
            return self._fallback(environ, start_response)
        request = Request(environ)
        if self.faults.latency:
            time.sleep(self.faults.latency)
        return self._api(request, path[len(API) :] or "/" if is_api else path)(environ, start_response)

    def _api(self, request: Request, path: str) -> Response:
        actor, route, resource = Actor(), "unknown", "core"
        try:
            actor = identify(self.state, request.headers.get("Authorization"))
            found = self._find(request.method, path)
            resource = found[0].resource
            route = f"{found[0].method} {found[0].template}"
            if (refusal := self.faults.refuse(request.method, path)) is not None:
                raise refusal
            reply = self._handle(request, actor, *found)
            if (refusal := self.faults.refuse(request.method, path, after_effect=True)) is not None:
                raise refusal
        except ApiError as e:
            reply = Reply(e.body(), e.status, e.headers)
        except RefConflict as e:
            reply = Reply(ApiError(422, f"Reference update failed: {e}").body(), 422)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            reply = Reply(ApiError(500, "Server Error").body(), 500)
        response = self._respond(request, reply)
        free = response.status_code == 304 or path == "/rate_limit"
        self._account(response, actor, resource, 0 if free else reply.cost)
        app = actor.app.slug if actor.app else None
        self.log.add(RequestRecord(actor.key, request.method, route, path, response.status_code, app))
        return response

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        if path == GRAPHQL:
            if method != "POST":
                raise not_found()
            return self._graphql, {}
        found = self.router.find(method, self.by_name(path.rstrip("/") or "/"))
        if found is None:
            raise not_found()
        return found

    def by_name(self, path: str) -> str:
        """Addresses by number, which GitHub puts into its answers, as those by name: of repositories and teams."""
        if match := re.match(r"/repositories/(\d+)(?=/|$)", path):
            repository = self.state.repositories.get(int(match[1]))
            if repository is None:
                raise not_found()
            return f"/repos/{repository.full_name}{path[match.end() :]}"
        if match := re.match(r"/organizations/\d+/team/(\d+)(?=/|$)", path):
            team = self.state.find("T", int(match[1]))
            if not isinstance(team, Team):
                raise not_found()
            return f"/orgs/{team.organization.login}/teams/{team.slug}{path[match.end() :]}"
        return path

    def _handle(self, request: Request, actor: Actor, route: Route, params: dict[str, str]) -> Reply:
        if request.path != f"{API}/rate_limit":
            self.limits.check(actor.key, route.resource)
        repository = self._repository(request, actor, params)
        if isinstance(repository, Reply):
            return repository
        admit(self.state, actor, route, repository)
        call = Call(self.state, request, actor, route, params, repository)
        with self.state.lock if route.method != "GET" and route.resource != "graphql" else contextlib.nullcontext():
            answer = route.handler(call)
        return answer if isinstance(answer, Reply) else Reply(answer, 200 if answer is not None else 204)

    def _repository(self, request: Request, actor: Actor, params: dict[str, str]) -> Repository | Reply | None:
        """The repository in the path, or the redirect that leads to its present name."""
        if "owner" not in params or "repo" not in params:
            return None
        repository = self.state.repository(params["owner"], params["repo"])
        if repository is None:
            raise not_found()
        if repository.full_name.lower() == f"{params['owner']}/{params['repo']}".lower():
            return repository
        if not may_read(self.state, actor, repository):
            raise not_found()
        rest = request.environ["RAW_PATH"].removeprefix(f"{API}/repos/").split("/", 2)[2:]
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        url = f"{self.state.web_url}{API}/repositories/{repository.id}{''.join('/' + part for part in rest)}{query}"
        status = 301 if request.method in ("GET", "HEAD") else 307
        body = {"message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com/rest"}
        return Reply(body, status, {"Location": url})

    def _respond(self, request: Request, reply: Reply) -> Response:
        if isinstance(reply.body, bytes):
            data, content_type = reply.body, reply.headers.pop("Content-Type", "application/octet-stream")
        elif reply.body is None:
            data, content_type = b"", ""
        else:
            data, content_type = orjson.dumps(reply.body), "application/json; charset=utf-8"
        response = Response(data, reply.status, reply.headers)
        response.headers.pop("Content-Type", None)
        if content_type:
            response.headers["Content-Type"] = content_type
        if reply.status == 200 and request.method in ("GET", "HEAD"):
            etag = f'W/"{hashlib.sha256(data).hexdigest()}"'
            response.headers["ETag"] = etag
            response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
            given = request.headers.get("If-None-Match", "")
            if any(tag.strip().removeprefix("W/") == etag.removeprefix("W/") for tag in given.split(",")):
                response.set_data(b"")
                response.status_code = 304
                response.headers.pop("Content-Type", None)
                response.headers.pop("Content-Length", None)
        if reply.status == 204:
            response.headers.pop("Content-Length", None)
        return response

    def _account(self, response: Response, actor: Actor, resource: str, cost: int) -> None:
        bucket = self.limits.bucket(actor.key, resource)
        if not (bucket.remaining == 0 and response.status_code in (403, 429)):
            self.limits.spend(actor.key, resource, cost)
        response.headers.update(ratelimit.headers(bucket, resource))
        response.headers["X-GitHub-Request-Id"] = uuid.uuid4().hex.upper()
        response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        response.headers["X-GitHub-Enterprise-Version"] = "3.19.0"
