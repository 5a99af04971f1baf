"""One bare repository: its refs, objects, history and merges.

Reads go through a long-lived ``cat-file``; what is immutable and costly (diffs) is remembered. Says nothing about who
may do what.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from ghapp.process import ProcessError
from ghapp.sandbox.forge.git import diff
from ghapp.sandbox.forge.git.batch import ReaderPool
from ghapp.sandbox.forge.git.objects import (
    EMPTY_TREE,
    ZERO,
    FileChange,
    GitCommit,
    GitTag,
    Signature,
    TreeEntry,
    format_commit,
    parse_commit,
    parse_tag,
)
from ghapp.sandbox.forge.git.run import git

_CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[http]
\treceivepack = true
[receive]
\thideRefs = refs/pull
\tautogc = false
[gc]
\tauto = 0
"""


# Longer ones do not fit into a file's name.
_NAME_LIMIT = 1000


class RefConflict(Exception):
    """A ref is not what the caller took it for, or cannot be written."""


class GitStore:
    """A bare repository at ``path``. Names of refs are whole (``refs/heads/main``); shas are 40 hex digits."""

    def __init__(self, path: Path, pool: ReaderPool) -> None:
        self.path = path
        self._pool = pool
        self._diff = lru_cache(maxsize=64)(lambda old, new: diff.diff_files(path, old, new))
        self._merge_base = lru_cache(maxsize=1024)(self._find_merge_base)
        self._range = lru_cache(maxsize=256)(self._list_range)

    @classmethod
    def create(cls, path: Path, pool: ReaderPool, default_branch: str) -> GitStore:
        """An empty repository whose HEAD points at ``default_branch``."""
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (path / folder).mkdir(parents=True)
        (path / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n")
        (path / "config").write_text(_CONFIG)
        return cls(path, pool)

    def set_head(self, branch: str) -> None:
        (self.path / "HEAD").write_text(f"ref: refs/heads/{branch}\n")

    def delete(self) -> None:
        self._pool.drop(self.path)
        shutil.rmtree(self.path, ignore_errors=True)

    # Refs -------------------------------------------------------------------------------------------------------------

    def ref(self, name: str) -> str | None:
        """The sha that a ref points at (an annotated tag's own sha), or None."""
        found = self.info(name)
        return found[0] if found and name.startswith("refs/") else None

    def branch(self, name: str) -> str | None:
        return self.ref(f"refs/heads/{name}")

    def refs(self, *prefixes: str) -> dict[str, tuple[str, str]]:
        """{ref: (sha, object type)} under the prefixes (all when none), by name."""
        listing = git(self.path, "for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", *prefixes).text
        found = (line.split(" ", 2) for line in listing.splitlines())
        return {name: (sha, kind) for sha, kind, name in found}

    def update_ref(self, name: str, new: str | None, old: str | None = None) -> None:
        """Move, create (``old=ZERO``) or delete (``new=None``) a ref if it still is ``old``; else ``RefConflict``."""
        if "\0" in name or len(name) > _NAME_LIMIT:
            raise RefConflict(f"{name[:40]!r} is not a valid name")
        command = ["update-ref", "-d", name] if new is None else ["update-ref", name, new]
        done = git(self.path, *command, *([old] if old is not None else []), check=False)
        if done.status:
            raise RefConflict(done.stderr.decode("utf-8", "replace").strip())

    # Objects ----------------------------------------------------------------------------------------------------------

    def info(self, name: str) -> tuple[str, str, int] | None:
        """(sha, type, size) of anything git can name: a sha, ``refs/…``, ``sha:path``, ``name^{commit}``."""
        try:
            return self._pool.reader(self.path).info(name)
        except (OSError, ValueError):
            self._pool.drop(self.path)
            return self._pool.reader(self.path).info(name)

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """(sha, type, content) of anything git can name."""
        try:
            return self._pool.reader(self.path).read(name)
        except (OSError, ValueError):
            self._pool.drop(self.path)
            return self._pool.reader(self.path).read(name)

    def resolve(self, name: str) -> str | None:
        """The sha of the commit that a branch, tag, ref or sha means, in GitHub's order, or None."""
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}", name):
            if found := self.info(f"{candidate}^{{commit}}"):
                return found[0]
        return None

    def commit(self, sha: str) -> GitCommit | None:
        found = self.read(sha)
        return parse_commit(found[0], found[2]) if found and found[1] == "commit" else None

    def tag(self, sha: str) -> GitTag | None:
        found = self.read(sha)
        return parse_tag(found[0], found[2]) if found and found[1] == "tag" else None

    def blob(self, name: str) -> bytes | None:
        """The content of a blob by sha or ``commit:path``."""
        found = self.read(name)
        return found[2] if found and found[1] == "blob" else None

    def tree(self, name: str, *, recursive: bool = False) -> list[TreeEntry] | None:
        """Entries of a tree-ish; with ``recursive`` those of all trees below as well."""
        if not (found := self.info(f"{name}^{{tree}}" if ":" not in name else name)) or found[1] != "tree":
            return None
        options = ["-r", "-t"] if recursive else []
        listing = git(self.path, "ls-tree", "-z", "-l", *options, found[0]).stdout.decode("utf-8", "surrogateescape")
        entries: list[TreeEntry] = []
        for line in listing.split("\0")[:-1]:
            meta, path = line.split("\t", 1)
            mode, kind, sha, size = meta.split()
            entries.append(TreeEntry(mode, kind, sha, path, int(size) if size != "-" else None))
        return entries

    def write_object(self, kind: str, content: bytes) -> str:
        """Store a raw object and return its sha; raises ``ProcessError`` when git finds it malformed."""
        return git(self.path, "hash-object", "-t", kind, "-w", "--stdin", stdin=content).text.strip()

    def write_tree(self, entries: Iterable[tuple[str, str | None, str]], base: str | None = None) -> str:
        """A tree from ``(mode, sha or None to remove, path)`` on top of ``base``; returns its sha."""
        with tempfile.TemporaryDirectory(prefix="forge-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if base and base != EMPTY_TREE:
                git(self.path, "read-tree", base, env=env)
            lines = "".join(f"{'0' if sha is None else mode} {sha or ZERO}\t{path}\0" for mode, sha, path in entries)
            git(self.path, "update-index", "-z", "--index-info", stdin=lines.encode(), env=env)
            return git(self.path, "write-tree", env=env).text.strip()

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        author: Signature,
        committer: Signature,
        message: str,
        signature: str | None = None,
    ) -> str:
        """A commit object; moves no ref."""
        return self.write_object("commit", format_commit(tree, tuple(parents), author, committer, message, signature))

    # History ----------------------------------------------------------------------------------------------------------

    def log(
        self,
        *revisions: str,
        limit: int | None = None,
        skip: int = 0,
        path: str | None = None,
        since: str | None = None,
        until: str | None = None,
        reverse: bool = False,
    ) -> list[str]:
        """Shas reachable from the revisions (``^sha`` excludes), children before parents unless ``reverse``."""
        options = [
            *([f"--max-count={limit}"] if limit is not None else []),
            *([f"--skip={skip}"] if skip else []),
            *([f"--since={since}"] if since else []),
            *([f"--until={until}"] if until else []),
            *(["--reverse"] if reverse else []),
        ]
        paths = ["--", path] if path else ["--"]
        return git(self.path, "rev-list", "--topo-order", *options, *revisions, *paths).text.split()

    def count(self, *revisions: str) -> int:
        return int(git(self.path, "rev-list", "--count", *revisions, "--").text)

    def between(self, base: str, head: str) -> tuple[str, ...]:
        """The commits that ``head`` has and ``base`` lacks, oldest first. Both are shas; remembered."""
        return self._range(base, head)

    def _list_range(self, base: str, head: str) -> tuple[str, ...]:
        return tuple(self.log(head, f"^{base}", reverse=True))

    def touched(self, *revisions: str, limit: int = 250) -> list[tuple[str, list[str], list[str], list[str]]]:
        """(sha, added, removed, modified paths) of the newest commits in a range, oldest first."""
        text = git(
            self.path, "log", "--topo-order", "--reverse", "-z", "--format=%x01%H", "--name-status", "--no-renames",
            f"--max-count={limit}", *revisions, "--",
        ).stdout.decode("utf-8", "replace")  # fmt: skip
        found: list[tuple[str, list[str], list[str], list[str]]] = []
        for block in text.split("\x01")[1:]:
            fields = [field.strip("\n") for field in block.split("\0")]
            names: dict[str, list[str]] = {"A": [], "D": [], "M": []}
            for kind, name in zip(fields[1::2], fields[2::2], strict=False):
                if kind:
                    names["M" if kind not in names else kind].append(name)
            found.append((fields[0], names["A"], names["D"], names["M"]))
        return found

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits, given as shas. Remembered."""
        return self._merge_base(one, other)

    def _find_merge_base(self, one: str, other: str) -> str | None:
        return git(self.path, "merge-base", one, other, check=False).text.strip() or None

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return git(self.path, "merge-base", "--is-ancestor", ancestor, descendant, check=False).status == 0

    def ahead_behind(self, base: str, head: str) -> tuple[int, int]:
        """How many commits ``head`` has that ``base`` lacks, and the other way round."""
        behind, ahead = git(self.path, "rev-list", "--left-right", "--count", f"{base}...{head}").text.split()
        return int(ahead), int(behind)

    # Differences ------------------------------------------------------------------------------------------------------

    def diff(self, old: str | None, new: str) -> tuple[FileChange, ...]:
        """Files that differ between two commits or trees; ``old=None`` is the empty tree. Remembered."""
        return self._diff(old or EMPTY_TREE, new)

    def diff_text(self, old: str | None, new: str) -> str:
        return diff.diff_text(self.path, old or EMPTY_TREE, new)

    def patch_text(self, old: str, new: str) -> str:
        return diff.patch_text(self.path, old, new)

    # Merges -----------------------------------------------------------------------------------------------------------

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a clean merge of two commits, or None when they conflict. Moves nothing."""
        done = git(self.path, "merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs, check=False)
        if done.status not in (0, 1):
            raise ProcessError(done.argv, f"exit status {done.status}", done)
        return done.text.split("\n", 1)[0] if done.status == 0 else None

    def pick_tree(self, onto: str, commit: GitCommit) -> str | None:
        """The tree of ``onto`` with one commit's change applied, or None when it conflicts.

        A merge whose base is the commit's parent: throw-away commits give git that base.
        """
        parent = self.commit(commit.parents[0]) if commit.parents else None
        target = self.commit(onto)
        if target is None:
            return None
        who = commit.committer
        base = self.write_commit(parent.tree if parent else EMPTY_TREE, (), who, who, "base")
        ours = self.write_commit(target.tree, (base,), who, who, "ours")
        theirs = self.write_commit(commit.tree, (base,), who, who, "theirs")
        return self.merge_tree(ours, theirs)

    def copy_refs(self, other: GitStore, *patterns: str) -> None:
        """Bring refs (``refs/heads/*``) with all their history from another repository of the forge."""
        specs = [f"+{pattern}:{pattern}" for pattern in patterns]
        git(self.path, "fetch", "--no-tags", "--no-write-fetch-head", "--quiet", str(other.path), *specs)

    def fetch(self, other: GitStore, sha: str) -> None:
        """Bring a commit and its history from another repository of the forge."""
        if self.info(f"{sha}^{{commit}}") is None or self.path != other.path:
            git(self.path, "fetch", "--no-tags", "--no-write-fetch-head", "--quiet", str(other.path), sha)
