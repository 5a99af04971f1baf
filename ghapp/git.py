"""The one place that runs git: bare mirrors, reading at a commit, writing without a work tree, conditional pushes.

Credentials come in as environment variables, never in a URL or an argument. Hooks, system and user configuration and
prompts are off, so that what a repository contains can make git do nothing but git.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ghapp import process
from ghapp.process import Completed, ProcessError

ZERO = "0" * 40
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "LC_ALL": "C.UTF-8",
}
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "protocol.version=2", "-c", "safe.directory=*")


class GitError(RuntimeError):
    """git said no; the message is git's own last words."""


class Moved(GitError):
    """A ref was not where the writer had seen it: somebody else was first. Read again and decide again."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as git tells it. ``trailers`` are the message's trailers in order, keys as written."""

    sha: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    at: datetime
    message: str
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]

    def trailer(self, key: str) -> str | None:
        return next((v for k, v in self.trailers if k.lower() == key.lower()), None)


@dataclass(frozen=True)
class Git:
    """A git directory (bare or not) and how to reach its remote.

    ``credentials`` gives the environment of a command that talks to the remote; it is asked each time, since tokens are
    replaced.
    """

    directory: Path
    url: str = ""
    credentials: Callable[[], Mapping[str, str]] | None = None
    use_own_credentials: bool = False  # a person's own git configuration, for commands run on a laptop

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        check: bool = True,
        remote: bool = False,
        timeout: float = 300,
    ) -> Completed:
        """Run one git command here. ``remote`` hands it the credentials. Raises :class:`GitError`."""
        alone = {} if remote and self.use_own_credentials else _ALONE
        env = {**alone, **(self.credentials() if remote and self.credentials else {})}
        try:
            return process.run(
                ("git", *_SAFE, "-C", str(self.directory), *arguments),
                env=env,
                stdin=stdin,
                check=check,
                timeout=timeout,
            )
        except ProcessError as e:
            said = e.completed.stderr.decode("utf-8", "replace").strip() if e.completed else ""
            raise GitError(f"git {arguments[0]}: {said or e.reason}") from None

    def text(self, *arguments: str) -> str:
        return self.run(*arguments).text.strip()

    # --- the mirror -------------------------------------------------------------------------------

    def create(self) -> None:
        """Make the bare directory if it is not there."""
        if not (self.directory / "HEAD").exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            self.run("init", "--quiet", "--bare", ".")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from fetching into this mirror meanwhile."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "ghapp.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def fetch(self, *refspecs: str, depth: int = 0, prune: bool = True) -> None:
        """Bring refs here from the remote. Raises :class:`GitError`."""
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
        options += ["--prune"] if prune else []
        options += [f"--depth={depth}"] if depth else []
        self.run("fetch", *options, self.url, *refspecs, remote=True)

    def remote_refs(self, *patterns: str) -> dict[str, str]:
        """What the remote's refs point at now."""
        lines = self.run("ls-remote", self.url, *patterns, remote=True).text.splitlines()
        return {ref: sha for sha, _, ref in (line.partition("\t") for line in lines)}

    def push(self, new: str, ref: str, *, old: str | None) -> None:
        """Move the remote's ``ref`` from ``old`` (``None``: it must not exist) to ``new`` (``""``: delete it).

        Raises :class:`Moved` when the ref is elsewhere, :class:`GitError` when the remote refuses.
        """
        lease = f"--force-with-lease={ref}:{old or ''}"
        done = self.run("push", "--porcelain", lease, self.url, f"{new}:{ref}", check=False, remote=True)
        if done.status == 0:
            return
        said = (done.text + done.stderr.decode("utf-8", "replace")).strip()
        if "stale info" in said or "cannot lock ref" in said or "reference already exists" in said:
            raise Moved(f"{ref} is no longer at {old or 'nothing'}")
        raise GitError(f"the push to {ref} was refused: {said[-1500:]}")

    # --- reading ----------------------------------------------------------------------------------

    def resolve(self, revision: str) -> str | None:
        """The commit a revision names, or ``None``."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        return done.text.strip() or None

    def object_id(self, revision: str, path: str) -> str | None:
        """The id of the tree or blob at ``path`` of a revision, or ``None``."""
        spec = f"{revision}:{path.strip('/')}"
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", spec, check=False)
        return done.text.strip() or None

    def refs(self, prefix: str) -> dict[str, str]:
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def read(self, revision: str, path: str) -> bytes | None:
        """A file's bytes at a revision, or ``None`` where there is none."""
        done = self.run("cat-file", "blob", f"{revision}:{path}", check=False)
        return done.stdout if done.status == 0 else None

    def files(self, revision: str, under: str = "") -> dict[str, str]:
        """Every regular file below a folder: path → blob id."""
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", revision, *([f"{under.strip('/')}/"] if under else []))
        found = {}
        for entry in listing.stdout.decode("utf-8", "surrogateescape").split("\0"):
            meta, _, path = entry.partition("\t")
            if path and meta.split()[1] == "blob":
                found[path] = meta.split()[2]
        return found

    def read_all(self, blobs: Sequence[str]) -> list[bytes]:
        """Many blobs in one process, in order."""
        if not blobs:
            return []
        out = self.run("cat-file", "--batch", stdin="".join(f"{b}\n" for b in blobs).encode()).stdout
        contents, at = [], 0
        for blob in blobs:
            end = out.index(b"\n", at)
            header = out[at:end].split()
            if header[-1] == b"missing":
                raise GitError(f"the blob {blob} is not in {self.directory}")
            size = int(header[2])
            contents.append(out[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        return contents

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self.run("merge-base", "--is-ancestor", older, newer, check=False).status == 0

    def merge_base(self, a: str, b: str) -> str | None:
        return self.run("merge-base", a, b, check=False).text.strip() or None

    def commits(self, *arguments: str, limit: int = 0) -> list[Commit]:
        """Commits as ``git log`` gives them for ``arguments`` (revisions, ``--first-parent``, ``-- path``)."""
        form = "%x00%H%x01%P%x01%an%x01%ae%x01%cn%x01%ce%x01%ct%x01%(trailers:only,unfold)%x01%B"
        options = [f"--max-count={limit}"] if limit else []
        out = self.run("log", f"--format={form}", *options, *arguments).stdout.decode("utf-8", "replace")
        return [_commit(record) for record in out.split("\0") if record.strip()]

    def checkout(self, revision: str, into: Path) -> None:
        """Write a commit's files into an empty folder, which gets no ``.git``."""
        into.mkdir(parents=True, exist_ok=True)
        index = into.parent / f".{into.name}.index"
        env = {**_ALONE, "GIT_INDEX_FILE": str(index)}
        command = (
            "git",
            *_SAFE,
            "-c",
            "advice.detachedHead=false",
            f"--git-dir={self.directory}",
            f"--work-tree={into}",
        )
        try:
            process.run((*command, "read-tree", revision), env=env)
            process.run((*command, "checkout-index", "--all", "--force", "--quiet"), env=env, cwd=into)
        except ProcessError as e:
            raise GitError(f"checking out {revision[:12]} failed: {e}") from None
        finally:
            index.unlink(missing_ok=True)

    # --- writing ----------------------------------------------------------------------------------

    def write(
        self,
        *,
        parent: str | None,
        message: str,
        author: Person,
        at: datetime,
        files: Mapping[str, bytes],
        remove: Iterable[str] = (),
    ) -> str:
        """Make a commit: on ``parent``, first without the paths in ``remove``, then with ``files``. Returns its SHA.

        The same arguments give the same SHA. Nothing refers to it until it is pushed.
        """
        who = f"{_plain(author.name)} <{_plain(author.email)}> {int(at.timestamp())} +0000"
        body = message.encode()
        out = [b"commit refs/ghapp/written\nmark :1\n", f"committer {who}\ndata {len(body)}\n".encode(), body, b"\n"]
        if parent:
            out.append(f"from {parent}\n".encode())
        out += [b"D " + _quoted(path) + b"\n" for path in remove]
        for path, content in sorted(files.items()):
            out += [b"M 100644 inline ", _quoted(path), f"\ndata {len(content)}\n".encode(), content, b"\n"]
        out.append(b"get-mark :1\nreset refs/ghapp/written\nfrom " + ZERO.encode() + b"\n\n")
        done = self.run("fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"".join(out))
        return done.text.strip()


def _commit(record: str) -> Commit:
    sha, parents, an, ae, cn, ce, ct, trailers, message = record.split("\x01", 8)
    pairs = [line.partition(":") for line in trailers.strip().splitlines() if ":" in line]
    return Commit(
        sha.strip(),
        tuple(parents.split()),
        Person(an, ae),
        Person(cn, ce),
        datetime.fromtimestamp(int(ct), UTC),
        message.rstrip("\n"),
        tuple((k.strip(), v.strip()) for k, _, v in pairs),
    )


def _plain(text: str) -> str:
    return "".join(c for c in text if c not in "<>\n\0")


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it. Raises ValueError for one that leaves the tree."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts[0] == ".git":
        raise ValueError(f"{path!r} is not a path inside the repository")
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")


def tree_id(files: Mapping[str, bytes]) -> str:
    """The id git gives to a tree of these regular files: what ``git write-tree`` would say, without running it."""
    entries: dict[str, tuple[bytes, bytes, bytes]] = {}
    folders: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        first, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(first, {})[rest] = content
        else:
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
            entries[first] = (first.encode(), b"100644", blob.digest())
    for name, inside in folders.items():
        # git sorts a folder as if its name ended in a slash
        entries[name] = (name.encode() + b"/", b"40000", bytes.fromhex(tree_id(inside)))
    body = b"".join(
        mode + b" " + name.encode() + b"\0" + digest
        for name, (_, mode, digest) in sorted(entries.items(), key=lambda item: item[1][0])
    )
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
