"""Nothing is applied that was not signed for this app, this environment and this very folder."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ghapp import names
from ghapp.evidence import dsse
from ghapp.evidence.statement import canonical

pytestmark = pytest.mark.conformance


class Signing:
    """A place whose branch is signed as ghapp's server signs it."""

    def __init__(self, place: Any, folder: Path) -> None:
        self.place = place
        self.key = Ed25519PrivateKey.generate()
        self.trusted = self.public(self.key, folder / "release.pem")
        place.environment = replace(place.environment, verify="release", keys=(self.trusted,))

    @staticmethod
    def public(key: Ed25519PrivateKey, file: Path) -> Path:
        file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return file

    def commit(
        self, files: dict[str, Any], *, sign: bool = True, key: Ed25519PrivateKey | None = None, **said: str
    ) -> None:
        self.place.repository.commit(files)
        if not sign:
            return
        apps = {name.partition("/")[0] for name in files}
        records = {f".ghapp/{app}.json": self.record(app, key or self.key, **said) for app in apps}
        self.place.repository.commit({**files, **records})

    def record(self, folder: str, key: Ed25519PrivateKey, **said: str) -> str:
        tree = self.place.repository.git("rev-parse", f"env/prod:{folder}")
        predicate = {
            "app": folder,
            "environment": "prod",
            "release": "v1",
            "source_commit": "c" * 40,
            "images": {},
            "at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            **{k: v for k, v in said.items() if k != "tree"},
        }
        statement = {
            "_type": names.STATEMENT_TYPE,
            "subject": [{"name": f"{folder}/", "digest": {"gitTree": said.get("tree", tree)}}],
            "predicateType": names.PREDICATE_DEPLOYMENT,
            "predicate": predicate,
        }
        return json.dumps({**predicate, "envelope": dsse.sign(key, names.PAYLOAD_TYPE, canonical(statement))})


@pytest.fixture
def signing(place: Any, tmp_path: Path) -> Signing:
    return Signing(place, tmp_path)


def test_a_signed_branch_is_applied_and_its_release_reported(place: Any, signing: Signing) -> None:
    signing.commit({"shop/a.yaml": place.cm("a")})
    outcome = place.sync()
    assert outcome.ok, outcome.errors()
    (app,) = outcome.apps
    assert (app.release, app.source_commit) == ("v1", "c" * 40)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"app": "other"}, "one of other, not of shop"),
        ({"environment": "staging"}, "for staging, not for prod"),
        ({"tree": "0" * 40}, "not those that were signed"),
    ],
)
def test_a_genuine_signature_for_something_else_is_worth_nothing(
    place: Any, signing: Signing, said: dict[str, str], message: str
) -> None:
    signing.commit({"shop/a.yaml": place.cm("a")}, **said)
    outcome = place.sync()
    assert message in outcome.failures[0].message
    assert place.get("configmaps", "a") is None


def test_files_changed_after_signing_keep_the_last_good_state(place: Any, signing: Signing) -> None:
    signing.commit({"shop/a.yaml": place.cm("a"), "shop/b.yaml": place.cm("b")})
    assert place.sync().ok
    repository = place.repository
    (repository.path / "shop" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil}\n")
    repository.git("commit", "-qam", "tampered")
    outcome = place.sync()
    assert not outcome.ok
    assert "not those that were signed" in outcome.failures[0].message
    assert place.get("configmaps", "evil") is None
    assert place.get("configmaps", "a")
    assert place.gateway.writes == []


def test_another_key_and_no_signature_are_refused(place: Any, signing: Signing, tmp_path: Path) -> None:
    signing.commit({"shop/a.yaml": place.cm("a")}, key=Ed25519PrivateKey.generate())
    assert "none of the trusted keys has signed this" in place.sync().failures[0].message
    signing.commit({"shop/a.yaml": place.cm("a")}, sign=False)
    assert "is not signed: .ghapp/shop.json is not on the branch" in place.sync().failures[0].message
    assert "no key is trusted" in place.sync(keys=()).errors()[0].message
    (tmp_path / "not.pem").write_text("nonsense")
    assert "not a public key" in place.sync(keys=(tmp_path / "not.pem",)).errors()[0].message
    assert "cannot be read" in place.sync(keys=(tmp_path / "missing.pem",)).errors()[0].message
    assert place.get("configmaps", "a") is None


def test_keys_can_be_rotated_and_a_revoked_one_is_noticed(place: Any, signing: Signing, tmp_path: Path) -> None:
    signing.commit({"shop/a.yaml": place.cm("a")})
    new = Signing.public(Ed25519PrivateKey.generate(), tmp_path / "new.pem")
    assert place.sync(keys=(new, signing.trusted)).ok
    assert not place.sync(keys=(new,)).ok, "the same commit under other keys is looked at again"


def test_a_commit_must_be_signed_where_that_is_demanded(place: Any, tmp_path: Path) -> None:
    key = tmp_path / "id"
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    signers = tmp_path / "signers"
    signers.write_text(f"t@example.test {key.with_suffix('.pub').read_text()}")
    place.repository.commit({"shop/a.yaml": place.cm("a")})
    outcome = place.sync(verify="commit", keys=(signers,))
    assert "has no signature that is trusted here" in outcome.errors()[0].message
    assert place.get("configmaps", "a") is None
    sign = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}", "commit", "-q", "--amend", "--no-edit", "-S"]
    place.repository.git(*sign)
    outcome = place.sync(verify="commit", keys=(signers,))
    assert outcome.ok, outcome.errors()
