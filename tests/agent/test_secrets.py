"""Secrets: decrypted with the real sops, never applied while encrypted, never printed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ghapp.agent.kube.errors import redacted

VALUE = "correct-horse-battery"


@pytest.fixture
def age(tmp_path: Path) -> tuple[Path, str]:
    """An age key file and its recipient."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    file = tmp_path / "age.key"
    file.write_text(f"{identity}\n")
    return file, str(identity.to_public())


def sops() -> str:
    beside = Path(sys.executable).with_name("sops")
    found = str(beside) if beside.exists() else shutil.which("sops")
    if not found:
        pytest.skip("sops is not installed")
    return found


def encrypt(text: str, recipient: str, kind: str = "yaml") -> str:
    command = [sops(), "--encrypt", "--age", recipient, "--encrypted-regex", "^(data|stringData)$"]
    command += ["--input-type", kind, "--output-type", kind, "/dev/stdin"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {VALUE}}}\n"


@pytest.mark.conformance
def test_an_encrypted_secret_arrives_decrypted(place: Any, age: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file, recipient = age
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(file))
    as_json = json.dumps({**place.cm("c"), "kind": "Secret", "metadata": {"name": "j"}, "data": {"k": "dg=="}})
    files = {"shop/s.yaml": encrypt(SECRET, recipient), "shop/j.json": encrypt(as_json, recipient, "json")}
    outcome = place.sync(files)
    assert outcome.ok, outcome.errors()
    assert base64.b64decode(place.get("secrets", "s")["data"]["password"]).decode() == VALUE
    assert place.get("secrets", "j")["data"] == {"k": "dg=="}
    assert place.sync().ok
    assert place.gateway.writes == []


@pytest.mark.conformance
def test_a_wrong_key_holds_the_app_and_says_so(place: Any, age: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyrage

    other = pyrage.x25519.Identity.generate()
    file, _ = age
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(file))
    outcome = place.sync({"shop/s.yaml": encrypt(SECRET, str(other.to_public())), "fine/a.yaml": place.cm("fine")})
    assert not outcome.ok
    assert "shop/s.yaml cannot be decrypted: none of the agent's keys opens it" in outcome.failures[0].message
    assert place.get("secrets", "s") is None
    assert place.get("configmaps", "fine")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nonexistent/key")
    outcome = place.sync()
    assert "SOPS_AGE_KEY_FILE names /nonexistent/key" in outcome.failures[0].message


@pytest.mark.conformance
def test_a_secret_that_still_carries_sops_is_never_applied(place: Any) -> None:
    text = SECRET + "sops: {note: not even a mac}\n"
    outcome = place.sync({"shop/s.yaml": text})
    assert not outcome.ok
    assert "still carries `sops`" in outcome.failures[0].message
    assert place.get("secrets", "s") is None


@pytest.mark.conformance
@pytest.mark.parametrize(
    "fields",
    [
        {"stringData": {"password": VALUE}, "type": "kubernetes.io/tls"},
        {"stringData": {"password": 93817265}},
        {"data": {"password": 93817265}},
        {"data": {"password": VALUE + "!"}},
        {"stringData": {"password": [VALUE]}},
        {"stringData": VALUE},
        {"data": {"password": "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"}, "immutable": VALUE},
        {"data": {"password": "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"}, "nonsense": VALUE},
    ],
)
def test_a_value_is_never_in_a_message(place: Any, fields: dict[str, Any]) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}
    outcome = place.sync({"shop/s.yaml": secret})
    assert not outcome.ok
    said = json.dumps(outcome.as_json())
    assert "Secret" in said
    for form in (VALUE, "93817265", base64.b64encode(VALUE.encode()).decode()):
        assert form not in said


@pytest.mark.conformance
def test_a_plan_shows_that_values_differ_and_not_what_they_are(place: Any) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "one", "b": "two"}}
    assert place.sync({"shop/s.yaml": [secret, place.cm("c", {"k": "old"})]}).ok
    changed = {**secret, "stringData": {"a": VALUE, "b": "two"}}
    outcome = place.sync(
        {"shop/s.yaml": [changed, place.cm("c", {"k": "new"})], "new/n.yaml": place.cm("n")}, plan=True
    )
    assert outcome.ok, outcome.errors()
    assert outcome.plan is not None
    for line in ("-  a: '*** (before)'", "+  a: '*** (after)'", "   b: '***'", "-  k: old", "+  k: new"):
        assert line in outcome.plan.splitlines()
    for text in (VALUE, "one", base64.b64encode(VALUE.encode()).decode(), base64.b64encode(b"one").decode()):
        assert text not in outcome.plan
    assert place.get("configmaps", "n") is None
    assert place.get("configmaps", "c")["data"] == {"k": "old"}
    gone = place.sync({"shop/s.yaml": [secret]}, plan=True)
    assert "- ConfigMap" in (gone.plan or "")
    assert os.path.exists(place.kubeconfig)


@pytest.mark.parametrize(
    "message",
    [
        "failed to create typed patch object (x; /v1, Kind=Secret): .data.k: expected string, got &value{hunter2}",
        'Secret "s" is invalid: data[x]: Invalid value: "hunter2": no',
        "the value hunter2 is wrong",
    ],
)
def test_messages_about_secrets_are_rewritten(message: str) -> None:
    assert "hunter2" not in redacted(message, ["hunter2"])
    if "got" in message or "Invalid" in message:
        assert "hunter2" not in redacted(message, [])
