"""Logs of containers: whole, their ends, or as they grow."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from ghapp.sandbox.cluster.address import Options
from ghapp.sandbox.cluster.errors import bad_request
from ghapp.sandbox.cluster.store import Stored
from ghapp.sandbox.cluster.types import Object

_POLL_SECONDS = 0.05
_CHUNK = 64 * 1024


class Logs:
    """Log files by Pod and container, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "logs"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._running: set[str] = set()

    def path(self, uid: str, container: str) -> Path:
        """Where a container's output goes."""
        return self._folder / f"{uid}-{container}.log"

    def started(self, uid: str) -> None:
        """From now on the logs of a Pod grow."""
        self._running.add(uid)

    def ended(self, uid: str) -> None:
        """The logs of a Pod are complete."""
        self._running.discard(uid)

    async def answer(self, request: web.BaseRequest, pod: Stored, options: Options) -> web.StreamResponse:
        """Serve ``pods/NAME/log``. Raises ApiError 400 for a container that is not there or not named."""
        uid = pod.object["metadata"]["uid"]
        path = self.path(uid, _container(pod.object, options.text("container")))
        start = _start(path, options)
        limit = options.number("limitBytes") or None
        if not options.flag("follow"):
            body = path.read_bytes()[start:] if path.is_file() else b""
            return web.Response(body=body[:limit], content_type="text/plain")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await self._follow(response, uid, path, start)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _follow(self, response: web.StreamResponse, uid: str, path: Path, at: int) -> None:
        while True:
            growing = uid in self._running
            if path.is_file():
                with path.open("rb") as file:
                    file.seek(at)
                    while chunk := file.read(_CHUNK):
                        at += len(chunk)
                        await response.write(chunk)
            if not growing:
                return
            await asyncio.sleep(_POLL_SECONDS)


def _container(pod: Object, asked: str) -> str:
    names = [c["name"] for c in pod["spec"]["containers"]]
    every = names + [c["name"] for c in pod["spec"].get("initContainers") or ()]
    name = pod["metadata"]["name"]
    if asked and asked not in every:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if not asked and len(names) > 1:
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
    return asked or str(names[0])


def _start(path: Path, options: Options) -> int:
    """The byte from which to show a log, by ``tailLines``."""
    if not options.text("tailLines") or not path.is_file():
        return 0
    wanted = options.number("tailLines")
    lines = path.read_bytes().splitlines(keepends=True)
    return sum(map(len, lines[: max(len(lines) - wanted, 0)]))
