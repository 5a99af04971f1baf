"""Apps by environments, from Git alone: what each environment branch says is deployed, since when, approved by whom."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ghapp import names
from ghapp.evidence import deployment, dsse
from ghapp.evidence.deployment import Deployment
from ghapp.git import Commit, Git


class StatusError(ValueError):
    """Why the status cannot be told, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One app in one environment. ``commit`` is the merge that put it there; ``problem`` why not to trust it."""

    deployed: Deployment
    commit: Commit
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        d = self.deployed
        return {
            "app": d.app,
            "environment": d.environment,
            "release": d.release,
            "source_commit": d.commit,
            "images": dict(d.images),
            "kind": d.kind,
            "merged_sha": self.commit.sha,
            "merged_at": self.commit.at,
            "approved_by": self.approvers,
            "problem": self.problem,
        }

    @property
    def approvers(self) -> list[str]:
        return [v for k, v in self.commit.trailers if k == names.TRAILER_APPROVED_BY]

    def cells(self) -> tuple[str, ...]:
        d = self.deployed
        digests = ", ".join(sorted(digest.removeprefix("sha256:")[:12] for digest in d.images.values())) or "–"
        how = d.kind if not self.problem else f"{d.kind} ({self.problem})"
        approved = ", ".join(self.approvers) or "–"
        return d.app, d.environment, d.release, d.commit[:7], digests, f"{self.commit.at:%Y-%m-%d %H:%M}", how, approved


def read_status(repository: str, keys: Sequence[bytes] = ()) -> list[Row]:
    """Read the environment branches of a repository (path or URL). ``keys`` are public PEMs; none: nothing is verified.

    Raises :class:`StatusError` or :class:`~ghapp.git.GitError`.
    """
    trusted = [_public_key(k) for k in keys] if keys else None
    url = str(Path(repository).resolve()) if Path(repository).exists() else repository
    with tempfile.TemporaryDirectory(prefix="ghapp-status-") as folder:
        git = Git(Path(folder) / "mirror.git", url, use_own_credentials=True)
        git.create()
        branches = f"refs/heads/{names.ENVIRONMENT_PREFIX}*"
        git.fetch(f"+{branches}:{branches}")
        rows = [
            row
            for head in git.refs(f"refs/heads/{names.ENVIRONMENT_PREFIX}").values()
            for row in _rows(git, head, trusted)
        ]
    return sorted(rows, key=lambda r: (r.deployed.app, r.deployed.environment))


def _rows(git: Git, head: str, trusted: Sequence[Ed25519PublicKey] | None) -> list[Row]:
    rows = []
    for path in git.files(head, names.DEPLOYED_FOLDER):
        content = git.read(head, path) or b""
        problem = ""
        try:
            record = deployment.read(content, trusted)
        except dsse.Untrusted as e:
            try:
                record, problem = deployment.read(content, None), str(e)
            except dsse.Untrusted:
                continue
        if not problem and git.object_id(head, record.app) != record.tree:
            problem = "changed by hand since"
        (commit, *_) = git.commits("--first-parent", head, "--", path, limit=1)
        rows.append(Row(record, commit, problem))
    return rows


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise StatusError(
            "the key to verify with is not an Ed25519 public key in PEM; `openssl pkey -pubout` writes one"
        )
    return key
