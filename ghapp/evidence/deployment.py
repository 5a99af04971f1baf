"""What an environment branch says is deployed: ``.ghapp/<app>.json``, signed over the very tree of the app's folder.

The signature binds app, environment, release and tree, so that a record moved to another branch, or beside other
manifests, is worth nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ghapp import names
from ghapp.evidence import dsse
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Release
from ghapp.evidence.statement import canonical


@dataclass(frozen=True, slots=True)
class Deployment:
    """One app's release in one environment. ``tree`` is the git tree of ``<app>/``; ``at`` is the release's own time.

    ``kind`` is ``promotion``, ``rollback`` or ``hotfix``; ``images`` maps a repository to its digest.
    """

    app: str
    environment: str
    release: str
    commit: str
    tree: str
    at: datetime
    kind: str = "promotion"
    images: Mapping[str, str] = field(default_factory=dict)


def deployment_of(release: Release, environment: str, tree: str, kind: str) -> Deployment:
    """The record of carrying ``release`` into ``environment``; the same arguments give the same record."""
    return Deployment(release.app, environment, release.name, release.commit, tree, release.at, kind, release.images)


def write(deployment: Deployment, release: Release, signer: Signer) -> bytes:
    """The file's bytes; the same arguments give the same bytes."""
    statement = {
        "_type": names.STATEMENT_TYPE,
        "subject": [{"name": f"{deployment.app}/", "digest": {"gitTree": deployment.tree}}],
        "predicateType": names.PREDICATE_DEPLOYMENT,
        "predicate": {
            "app": deployment.app,
            "environment": deployment.environment,
            "release": deployment.release,
            "source_commit": deployment.commit,
            "kind": deployment.kind,
            "images": dict(deployment.images),
            "at": deployment.at.astimezone(UTC).isoformat(timespec="seconds"),
        },
    }
    record = {
        "app": deployment.app,
        "environment": deployment.environment,
        "release": deployment.release,
        "envelope": dsse.sign(signer.key, names.PAYLOAD_TYPE, canonical(statement)),
        "release_envelope": dsse.sign(signer.key, names.PAYLOAD_TYPE, release.statement().payload()),
    }
    return json.dumps(record, indent=1, sort_keys=True).encode() + b"\n"


def read(content: bytes, keys: Iterable[Ed25519PublicKey] | None) -> Deployment:
    """The record in a file, if one of ``keys`` signed it; with ``None`` no signature is asked for (a mere display).

    Raises :class:`~ghapp.evidence.dsse.Untrusted` with a sentence.
    """
    try:
        envelope = json.loads(content)["envelope"]
        payload = base64.b64decode(envelope["payload"]) if keys is None else None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise dsse.Untrusted("the record of what is deployed is not one of ghapp's") from None
    if payload is None:
        payload = dsse.verify(envelope, keys or (), payload_type=names.PAYLOAD_TYPE)
    try:
        statement: Any = json.loads(payload)
        if statement["predicateType"] != names.PREDICATE_DEPLOYMENT:
            raise dsse.Untrusted(f"the signed statement is a {statement['predicateType']}, not a deployment")
        (subject,), predicate = statement["subject"], statement["predicate"]
        return Deployment(
            app=str(predicate["app"]),
            environment=str(predicate["environment"]),
            release=str(predicate["release"]),
            commit=str(predicate["source_commit"]),
            tree=str(subject["digest"]["gitTree"]),
            at=datetime.fromisoformat(predicate["at"]),
            kind=str(predicate.get("kind", "promotion")),
            images={str(k): str(v) for k, v in predicate.get("images", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        if isinstance(e, dsse.Untrusted):
            raise
        raise dsse.Untrusted("the signed statement of what is deployed lacks a part") from None
