"""The Kubernetes API over HTTP: one handler that finds out who asks for what, and lets the verbs answer.

No framework routes: every path is of the same few shapes. Refusals are Status objects.
"""

from __future__ import annotations

import logging

import orjson
from aiohttp import web

from ghapp.sandbox.cluster import control, discovery, errors
from ghapp.sandbox.cluster.accounts import Signer
from ghapp.sandbox.cluster.address import Address, Options, parse
from ghapp.sandbox.cluster.call import JSON, Call, answer
from ghapp.sandbox.cluster.control import Control
from ghapp.sandbox.cluster.errors import ApiError
from ghapp.sandbox.cluster.faults import Faults
from ghapp.sandbox.cluster.identity import Tokens, User, impersonated
from ghapp.sandbox.cluster.kinds import Kinds
from ghapp.sandbox.cluster.openapi import OpenApi
from ghapp.sandbox.cluster.rbac import Attempt, Authorizer
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.verbs import Verbs

log = logging.getLogger(__name__)

MAX_BODY = 3 << 20
_ANSWERS = ("application/json", "application/yaml", "application/*", "*/*")
_HEALTH = ("/healthz", "/livez", "/readyz")


class Api:
    """Serves one cluster."""

    def __init__(
        self,
        kinds: Kinds,
        verbs: Verbs,
        tokens: Tokens,
        signer: Signer,
        authorizer: Authorizer,
        faults: Faults,
        switches: Control,
    ) -> None:
        self._kinds = kinds
        self._verbs = verbs
        self._tokens = tokens
        self._signer = signer
        self._authorizer = authorizer
        self._faults = faults
        self._control = switches
        self._openapi = OpenApi(kinds)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        try:
            if path.startswith(control.PATH):
                return answer(self._control.answer(request.method, path, await request.read()))
            await self._faults.before(request)
            if path in _HEALTH:
                return web.Response(text="ok")
            return await self._answer(request, path)
        except ApiError as e:
            return answer(e.status, e.code, e.headers)
        except web.HTTPRequestEntityTooLarge:
            refused = errors.too_large(MAX_BODY)
        except Exception:
            log.exception("%s %s", request.method, request.path_qs)
            refused = errors.internal("an error of the sandbox's cluster; its log says more", reason="InternalError")
        return answer(refused.status, refused.code)

    async def _answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        user = self._user(request)
        accept = request.headers.get("Accept", "")
        if accept and not any(kind in accept for kind in _ANSWERS):
            raise errors.not_acceptable()
        address = parse(path)
        if address is None or not address.plural:
            found = self._document(request, path, address)
            if found is None:
                raise errors.no_such_path()
            return found
        resource = self._kinds.at(address.group, address.version, address.plural)
        if resource is None:
            raise errors.no_such_path()
        body = await request.read() if request.method not in ("GET", "HEAD") else b""
        call = Call(request.method, resource, address, Options(request.query), request.headers, body, user)
        return await self._verbs.answer(request, call)

    def _user(self, request: web.BaseRequest) -> User:
        """Who asks, or whom they may speak for."""
        user = self._authenticated(request.headers.get("Authorization", ""))
        if "Impersonate-User" not in request.headers:
            return user
        wanted = impersonated(request.headers, request.headers.getall("Impersonate-Group", []))
        if wanted is None:
            return user
        if wanted.name.startswith("system:serviceaccount:"):
            _, _, namespace, name = wanted.name.split(":", 3)
            self._authorizer.check(user, Attempt("impersonate", "", "serviceaccounts", namespace, name))
        else:
            self._authorizer.check(user, Attempt("impersonate", "", "users", "", wanted.name))
        for group in request.headers.getall("Impersonate-Group", []):
            self._authorizer.check(user, Attempt("impersonate", "", "groups", "", group))
        return wanted

    def _authenticated(self, authorization: str) -> User:
        token = authorization.partition(" ")[2].strip()
        if token.count(".") == 2 and (verified := self._signer.verify(token)):
            return verified.user
        return self._tokens.authenticate(authorization)

    def _document(self, request: web.BaseRequest, path: str, address: Address | None) -> web.Response | None:
        """What is neither an object nor a list of them."""
        if path == "/version":
            return answer(discovery.VERSION)
        if path == "/openapi/v3" or path.startswith("/openapi/v3/"):
            raw = self._openapi.answer(path)
            return answer(raw) if raw is not None else None
        if path == "/.well-known/openid-configuration":
            return answer(self._signer.configuration(f"{request.scheme}://{request.host}"))
        if path == "/openid/v1/jwks":
            return answer(self._signer.keys())
        return self._discovered(path, address, request.headers.get("Accept", ""))

    def _discovered(self, path: str, address: Address | None, accept: str) -> web.Response | None:
        parts = [p for p in path.split("/") if p]
        body: Object | None = None
        if parts in (["api"], ["apis"]):
            core = parts == ["api"]
            if version := discovery.wants_aggregated(accept):
                kind = f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
                body = discovery.aggregated(self._kinds, core=core, version=version)
                return web.Response(body=orjson.dumps(body), headers={"Content-Type": kind})
            body = discovery.core_versions() if core else discovery.groups(self._kinds)
        elif address is not None:
            body = discovery.resources(self._kinds, address.group, address.version)
        elif len(parts) == 2 and parts[0] == "apis":
            body = discovery.group(self._kinds, parts[1])
        return answer(body) if body is not None else None
