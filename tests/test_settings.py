"""Settings: environment over file over defaults, secrets by file, and a sentence for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ghapp.cli.settings import reference, settings
from ghapp.settings import Settings, SettingsError, load, load_with_origins

_PRIVATE = {
    "encoding": serialization.Encoding.PEM,
    "format": serialization.PrivateFormat.PKCS8,
}


def pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(**_PRIVATE, encryption_algorithm=encryption).decode()


RSA = pem(rsa.generate_private_key(65537, 2048))
ED25519 = pem(ed25519.Ed25519PrivateKey.generate())


def problems(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as e:
        load(environ)
    return str(e.value)


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "ghapp.yml"
    file.write_text("port: 1234\nworkers: 7\n")
    found, origins = load_with_origins({"GHAPP_CONFIG": str(file), "GHAPP_WORKERS": "9"})
    assert (found.port, found.workers, found.web_workers) == (1234, 9, 2)
    assert (origins["port"], origins["workers"], origins["web_workers"]) == (f"{file}:1", "GHAPP_WORKERS", "default")


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    key, config = tmp_path / "key.pem", tmp_path / "ghapp.yml"
    key.write_text(RSA + "\n")
    (tmp_path / "hooks").write_text("new\nold\n")
    config.write_text(f"webhook_secrets_file: {tmp_path}/hooks\n")
    found = load({"GHAPP_PRIVATE_KEY_FILE": str(key), "GHAPP_CONFIG": str(config)})
    assert found.private_key is not None
    assert found.private_key.get_secret_value() == RSA.strip()
    assert [s.get_secret_value() for s in found.webhook_secrets] == ["new", "old"]


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k").write_text(RSA)
    said = problems({"GHAPP_PRIVATE_KEY": RSA, "GHAPP_PRIVATE_KEY_FILE": str(tmp_path / "k")})
    assert said == "GHAPP_PRIVATE_KEY_FILE: GHAPP_PRIVATE_KEY is set too; set only one of them"


@pytest.mark.parametrize(
    ("api", "graphql", "web"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", "https://github.com"),
        ("https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql", "https://ghe.example.com"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com"),
        ("http://127.0.0.1:8123/api/v3", "http://127.0.0.1:8123/api/graphql", "http://127.0.0.1:8123"),
    ],
)
def test_the_other_addresses_follow_from_the_api(api: str, graphql: str, web: str) -> None:
    found = load({"GHAPP_GITHUB_API_URL": api})
    assert (found.github_graphql_url, found.github_web_url) == (graphql, web)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"GHAPP_PRIVATE_KEY": ED25519}, "GHAPP_PRIVATE_KEY: is a key of the wrong kind (Ed25519); use the RSA"),
        ({"GHAPP_PRIVATE_KEY": "no key"}, "GHAPP_PRIVATE_KEY: is not a PEM key; use the RSA"),
        (
            {"GHAPP_PRIVATE_KEY": pem(rsa.generate_private_key(65537, 2048), b"secret")},
            "GHAPP_PRIVATE_KEY: is protected by a password",
        ),
        ({"GHAPP_SIGNING_KEY": RSA}, "GHAPP_SIGNING_KEY: is a key of the wrong kind (RSA); make one with  openssl"),
        ({"GHAPP_TRUSTED_KEYS": ED25519}, "GHAPP_TRUSTED_KEYS: is not a PEM key; give the public half"),
        ({"GHAPP_APP_ID": "zero"}, "GHAPP_APP_ID: input should be a valid integer"),
        (
            {"GHAPP_REDIS_URL": "localhost:6379"},
            "GHAPP_REDIS_URL: is not the address of a Redis; write it like redis://",
        ),
        ({"GHAPP_GITHUB_API_URL": "ghe.example.com"}, "GHAPP_GITHUB_API_URL: is not an http or https address"),
        (
            {"GHAPP_GITHUB_API_URL": "https://u:p@ghe.example.com"},
            "GHAPP_GITHUB_API_URL: carries a user name or password",
        ),
        ({"GHAPP_EXECUTOR": "cloud"}, "GHAPP_EXECUTOR: input should be 'local' or 'kubernetes'"),
        ({"GHAPP_AGENT_KEYS": "[{name: a}]"}, "GHAPP_AGENT_KEYS[0].key: field required"),
        ({"GHAPP_AGENT_KEYS": "[{"}, "GHAPP_AGENT_KEYS: is not YAML"),
        ({"GHAPP_CONFIG": "/nowhere/x.yml"}, "GHAPP_CONFIG: cannot read /nowhere/x.yml: No such file or directory"),
        ({"GHAPP_PRIVATE_KEY_FILE": "/nowhere"}, "GHAPP_PRIVATE_KEY_FILE: cannot read /nowhere: No such file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(environ: dict[str, str], sentence: str) -> None:
    assert sentence in problems(environ)


def test_every_problem_is_told_at_once_and_no_secret_is_repeated(tmp_path: Path) -> None:
    file = tmp_path / "ghapp.yml"
    file.write_text("porrt: 1\nport: -1\n")
    said = problems({"GHAPP_CONFIG": str(file), "GHAPP_APP_ID": "x", "GHAPP_SIGNING_KEY": "hunter2hunter2"})
    assert f"{file}:1: there is no setting 'porrt'; `ghapp settings` lists them all" in said
    assert f"{file}:2: input should be greater than or equal to 0" in said
    assert "GHAPP_APP_ID:" in said
    assert "hunter2" not in said


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHAPP_WEBHOOK_SECRETS", "hunter2\nhunter3")
    monkeypatch.setenv("GHAPP_REDIS_URL", "redis://:hunter4@localhost/0")
    monkeypatch.setenv("GHAPP_AGENT_KEYS", "[{name: a, key: hunter5, repositories: acme/web}]")
    for arguments in ([], ["--json"]):
        done = CliRunner().invoke(settings, arguments)
        assert done.exit_code == 0
        assert "hunter" not in done.output
    listed = {row["name"]: row for row in json.loads(done.output)["settings"]}
    assert listed["webhook_secrets"]["value"] == "(2 set)"
    assert listed["redis_url"]["value"] == "redis://localhost/0"
    assert listed["agent_keys"]["source"] == "GHAPP_AGENT_KEYS"
    assert "hunter" not in repr(load())


def test_every_setting_is_explained_here_and_in_the_documentation() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    assert reference() in page, "run  ghapp settings --markdown  and put its table into docs/settings.md"
