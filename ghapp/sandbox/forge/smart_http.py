"""Git over smart HTTP: git's own ``http-backend`` behind the forge's permissions, streaming in both directions.

Before a push is let through its commands are read, so that protected branches refuse what they must; afterwards the
refs that did move are told to the rest of the forge before the client hears the end of the answer.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from ghapp.sandbox.forge.git.objects import ZERO
from ghapp.sandbox.forge.git.run import git_environment
from ghapp.sandbox.forge.model import PERMISSIONS, Repository, State, User
from ghapp.sandbox.forge.operations import protection, refs
from ghapp.sandbox.forge.web.actor import Actor, identify
from ghapp.sandbox.forge.web.admission import holds, in_scope, may_read
from ghapp.sandbox.forge.web.errors import ApiError
from ghapp.sandbox.forge.web.faults import Faults

_PATH = re.compile(r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?/(?P<tail>info/refs|git-upload-pack|git-receive-pack)")
_PIECE = 1 << 16

# Tells what moved; git calls it once, with the refs that were updated.
_POST_RECEIVE = '#!/bin/sh\nexec cat >"$FORGE_PUSH/moved"\n'

# Asked for each ref; there are files only for refs that somebody has something against.
_UPDATE = """#!/bin/sh
name=$(printf %s "$1" | tr / %)
if [ -f "$FORGE_PUSH/$name.refused" ]; then
    cat "$FORGE_PUSH/$name.refused" >&2
    exit 1
fi
if [ -f "$FORGE_PUSH/$name.forward" ] && ! git merge-base --is-ancestor "$2" "$3"; then
    cat "$FORGE_PUSH/$name.forward" >&2
    exit 1
fi
"""


class _Readable(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


class _Inflated:
    """A gzipped request body, as it was before."""

    def __init__(self, stream: _Readable) -> None:
        self._stream, self._inflate = stream, zlib.decompressobj(wbits=31)

    def read1(self, size: int = -1, /) -> bytes:
        limit = size if size > 0 else _PIECE
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._stream.read1(_PIECE)
            if not packed:
                break
            if data := self._inflate.decompress(packed, limit):
                return data
        return b""


@dataclass(frozen=True, slots=True)
class _Command:
    """One line of a push: a ref, what the client takes it for and what it is to become (None: absent)."""

    ref: str
    old: str | None
    new: str | None


def _read_exactly(stream: _Readable, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read1(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _read_commands(stream: _Readable) -> tuple[bytes, list[_Command]]:
    """(what was read, the commands) from the start of a push up to its first flush packet."""
    taken: list[bytes] = []
    commands: list[_Command] = []
    while len(header := _read_exactly(stream, 4)) == 4:
        taken.append(header)
        length = int(header, 16)
        if length < 4:
            break
        line = _read_exactly(stream, length - 4)
        taken.append(line)
        words = line.split(b"\0", 1)[0].decode("utf-8", "replace").rstrip("\n").split(" ", 2)
        if len(words) == 3 and len(words[0]) == 40:
            old, new, ref = words
            commands.append(_Command(ref, None if old == ZERO else old, None if new == ZERO else new))
    return b"".join(taken), commands


class SmartHttp:
    """Serves the repositories below ``root``, each in ``<id>.git``."""

    def __init__(self, state: State, root: Path, faults: Faults) -> None:
        self._state, self._root, self._faults = state, root, faults
        self._hooks = root / "hooks"
        for folder, names in {"open": ("post-receive",), "guarded": ("post-receive", "update")}.items():
            (self._hooks / folder).mkdir(parents=True, exist_ok=True)
            for name in names:
                script = self._hooks / folder / name
                script.write_text(_UPDATE if name == "update" else _POST_RECEIVE)
                script.chmod(0o755)

    @staticmethod
    def matches(path: str) -> bool:
        """Whether this is a request that git would make."""
        return _PATH.fullmatch(path) is not None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._faults.latency:
            time.sleep(self._faults.latency)
        try:
            if (refusal := self._faults.refuse(environ["REQUEST_METHOD"], environ["RAW_PATH"])) is not None:
                raise refusal
            return self._serve(environ, start_response)
        except ApiError as e:
            challenge = [("WWW-Authenticate", 'Basic realm="GitHub"')] if e.status == 401 else []
            words = f"{e.message}\n".encode()
            length = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(words)))]
            start_response(f"{e.status} {e.message[:40]}", [*length, *challenge])
            return [words]

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match = _PATH.fullmatch(environ["RAW_PATH"])
        if match is None:
            raise ApiError(404, "Not Found")
        tail = match["tail"]
        service = parse_qs(environ["QUERY_STRING"]).get("service", [""])[0] if tail == "info/refs" else tail
        if service not in ("git-upload-pack", "git-receive-pack"):
            raise ApiError(403, "Please upgrade your git client. The forge speaks smart HTTP only.")
        actor = self._actor(environ)
        repository = self._state.repository(unquote(match["owner"]), unquote(match["repo"]))
        allowed = _admit(self._state, actor, repository, writes=service == "git-receive-pack")
        environ["forge.tail"] = f"/{allowed.id}.git/{tail}"
        if tail == "git-receive-pack":
            return self._receive(environ, start_response, allowed, actor)
        return self._backend(environ, start_response, actor, {}, b"", lambda: None)

    def _actor(self, environ: dict[str, Any]) -> Actor:
        actor = identify(self._state, environ.get("HTTP_AUTHORIZATION"))
        if actor.kind == "app":
            raise ApiError(401, "Bad credentials")
        return actor

    def _receive(
        self, environ: dict[str, Any], start_response: Callable[..., Any], repository: Repository, actor: Actor
    ) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        if environ.pop("HTTP_CONTENT_ENCODING", "") == "gzip":
            body = environ["wsgi.input"] = _Inflated(body)
        start, commands = _read_commands(body)
        folder = Path(tempfile.mkdtemp(prefix="push-", dir=self._root))
        guarded = [self._guard(repository, actor, command, folder) for command in commands]
        hooks = self._hooks / ("guarded" if any(guarded) else "open")
        env = {
            "FORGE_PUSH": str(folder),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.hooksPath",
            "GIT_CONFIG_VALUE_0": str(hooks),
        }

        def finish() -> None:
            try:
                self._moved(repository, folder / "moved", actor.person)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return self._backend(environ, start_response, actor, env, start, finish)

    def _guard(self, repository: Repository, actor: Actor, command: _Command, folder: Path) -> bool:
        """Write down what is against a command; whether anything may be."""
        if not command.ref.startswith("refs/heads/"):
            return False
        branch = command.ref.removeprefix("refs/heads/")
        before = repository.git.ref(command.ref)
        reason = protection.push_refusal(self._state, repository, branch, before, command.new, actor.person, actor.app)
        name = command.ref.replace("/", "%")
        first = f"error: GH006: Protected branch update failed for {command.ref}.\n"
        if reason is not None:
            (folder / f"{name}.refused").write_text(f"{first}error: {reason}\n")
        elif before and command.new and protection.forbids_force(repository, branch):
            (folder / f"{name}.forward").write_text(f"{first}error: Cannot force-push to this branch\n")
        else:
            return False
        return True

    def _moved(self, repository: Repository, listing: Path, pusher: User) -> None:
        if not listing.exists():
            return
        updates = []
        for line in listing.read_text().splitlines():
            old, new, ref = line.split(" ", 2)
            updates.append(refs.RefUpdate(ref, None if old == ZERO else old, None if new == ZERO else new))
        with self._state.lock:
            refs.moved(self._state, repository, updates, pusher)

    # git's own program ------------------------------------------------------------------------------------------------

    def _backend(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        actor: Actor,
        extra: dict[str, str],
        first: bytes,
        finish: Callable[[], None],
    ) -> Iterator[bytes]:
        env = {
            **git_environment(extra),
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": environ["forge.tail"],
            "REQUEST_METHOD": environ["REQUEST_METHOD"],
            "QUERY_STRING": environ["QUERY_STRING"],
            "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
            "REMOTE_USER": actor.user.login if actor.user else "",
            "REMOTE_ADDR": environ["REMOTE_ADDR"],
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
        }
        if encoding := environ.get("HTTP_CONTENT_ENCODING"):
            env["HTTP_CONTENT_ENCODING"] = encoding
        process = subprocess.Popen(
            ["git", "http-backend"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        feeder = threading.Thread(target=_feed, args=(process, first, environ["wsgi.input"]), daemon=True)
        feeder.start()
        return _answer(process, feeder, start_response, finish)


def _admit(state: State, actor: Actor, repository: Repository | None, *, writes: bool) -> Repository:
    """The repository, if the actor may do that with it; the errors that git shows people otherwise."""
    if repository is None or not may_read(state, actor, repository):
        if actor.kind == "anonymous":
            raise ApiError(401, "Authentication required")
        raise ApiError(404, "Repository not found.")
    if writes and actor.user is None:
        raise ApiError(401, "Authentication required")
    name = actor.user.login if actor.user else "anonymous"
    denied = ApiError(403, f"Permission to {repository.full_name}.git denied to {name}.")
    if actor.token is not None:
        inside = in_scope(state, actor.token, repository)
        if (inside or writes) and not (inside and holds(actor.token, "contents", "write" if writes else "read")):
            raise denied
    elif writes and PERMISSIONS.index(state.permission(repository, actor.user)) < PERMISSIONS.index("write"):
        raise denied
    if writes and repository.archived:
        raise ApiError(403, "This repository was archived so it is read-only.")
    return repository


def _feed(process: subprocess.Popen[bytes], first: bytes, body: _Readable) -> None:
    """Hand the request's body on as it arrives; git may stop reading at any time."""
    if process.stdin is None:
        return
    with contextlib.suppress(OSError, ValueError), process.stdin:
        process.stdin.write(first)
        while piece := body.read1(_PIECE):
            process.stdin.write(piece)


def _answer(
    process: subprocess.Popen[bytes],
    feeder: threading.Thread,
    start_response: Callable[..., Any],
    finish: Callable[[], None],
) -> Iterator[bytes]:
    """git's CGI answer: headers first, then the body piece by piece; ``finish`` runs before the end is sent."""
    try:
        if process.stdout is None:
            return
        status, headers = "200 OK", []
        while line := process.stdout.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = value
            else:
                headers.append((name, value))
        start_response(status, headers)
        while piece := process.stdout.read1(_PIECE):  # type: ignore[attr-defined]
            yield piece
        process.wait()
        feeder.join()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        finish()
