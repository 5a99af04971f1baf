"""The switches of the sandbox over HTTP, below ``/_sandbox``: no Kubernetes API, for tests and for the curious.

``GET /_sandbox`` shows the state; ``PATCH /_sandbox/faults`` and ``/_sandbox/pace`` change fields of it;
``POST /_sandbox/drop-watches``, ``/_sandbox/expire`` and ``/_sandbox/clear`` act; ``POST /_sandbox/tokens`` makes a
token for ``{"user": …, "groups": […]}``, ``DELETE /_sandbox/tokens/TOKEN`` revokes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import orjson

from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.errors import bad_request, no_such_path
from ghapp.sandbox.cluster.faults import Faults
from ghapp.sandbox.cluster.identity import AUTHENTICATED, Tokens, User
from ghapp.sandbox.cluster.lists import Lister
from ghapp.sandbox.cluster.store import Store
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.watch import Watches

PATH = "/_sandbox"
_COUNTERS = ("requests", "by_verb")


class Control:
    """Acts on one cluster; every method runs in its event loop."""

    def __init__(
        self, store: Store, faults: Faults, tokens: Tokens, watches: Watches, lister: Lister, loop: Loop
    ) -> None:
        self._store = store
        self._faults = faults
        self._tokens = tokens
        self._watches = watches
        self._lister = lister
        self._loop = loop

    def answer(self, method: str, path: str, body: bytes) -> Object:
        """Carry out one call. Raises ApiError."""
        what = path.removeprefix(PATH).strip("/")
        given: Any = orjson.loads(body) if body.strip() else {}
        if not isinstance(given, dict):
            raise bad_request("the body must be an object")
        if method == "DELETE" and what.startswith("tokens/"):
            self._tokens.revoke(what.removeprefix("tokens/"))
            return self.state()
        calls: dict[tuple[str, str], Callable[[], Object]] = {
            ("GET", ""): self.state,
            ("PATCH", "faults"): lambda: self._set_faults(given),
            ("PATCH", "pace"): lambda: self.set_pace(given),
            ("POST", "drop-watches"): self.drop_watches,
            ("POST", "expire"): self.expire,
            ("POST", "clear"): self.clear,
            ("POST", "tokens"): lambda: self._token(given),
        }
        call = calls.get((method, what))
        if call is None:
            raise no_such_path()
        return call()

    def state(self) -> Object:
        objects = {c.name: len(c.items) for c in self._store.collections() if c.items}
        return {
            "version": self._store.version,
            "watches": len(self._watches),
            "objects": objects,
            "faults": asdict(self._faults),
            "pace": asdict(self._loop.pace),
        }

    def drop_watches(self) -> Object:
        """End every open watch."""
        self._watches.drop()
        return self.state()

    def expire(self) -> Object:
        """Forget the past: old watches and continued lists get 410."""
        self._store.forget()
        self._lister.forget()
        self._watches.drop()
        return self.state()

    def clear(self) -> Object:
        """Take back every fault and zero the counters."""
        self._faults.clear()
        self._faults.requests, self._faults.by_verb = 0, {}
        return self.state()

    def set_pace(self, given: Mapping[str, float]) -> Object:
        """Change how long things take from now on."""
        known = {f.name for f in fields(self._loop.pace)}
        if unknown := given.keys() - known:
            raise bad_request(f"no such pace: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        self._loop.pace = replace(self._loop.pace, **{k: float(v) for k, v in given.items()})
        return self.state()

    def _set_faults(self, given: Object) -> Object:
        known = {f.name for f in fields(self._faults)} - set(_COUNTERS)
        if unknown := given.keys() - known:
            raise bad_request(f"no such switch: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        for name, value in given.items():
            setattr(self._faults, name, value)
        if given.get("away"):
            self._watches.drop()
        return self.state()

    def _token(self, given: Object) -> Object:
        name = given.get("user")
        if not isinstance(name, str) or not name:
            raise bad_request("a token needs a user")
        groups = tuple(dict.fromkeys([*(given.get("groups") or ()), AUTHENTICATED]))
        return {"token": self._tokens.issue(User(name, groups), given.get("token", ""))}
