"""Commands that need nothing but files and git: what they print, for people and for machines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ghapp.__main__ import COMMANDS
from ghapp.evidence import deployment as records
from jobs.promotion.propose import propose
from tests.jobs.promotion.conftest import Place, place

__all__ = ["place"]  # a fixture


def ghapp(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ghapp", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.fixture
def repository(place: Place) -> Place:
    """The app ``web`` deployed to ``dev``."""
    place.release(place.view().heads["main"])
    view = place.view()
    declared = view.environment("web", "dev")
    assert declared
    place.merge("dev", propose(view, declared, view.releases("web")[-1], "promotion", None).head)
    return place


def test_status_says_what_runs_where(repository: Place) -> None:
    done = ghapp("status", str(repository.remote.directory), "--json")
    (row,) = json.loads(done.stdout)["deployed"]
    release = repository.view().releases("web")[-1]
    assert (row["app"], row["environment"], row["release"], row["problem"]) == ("web", "dev", release.name, "")
    table = ghapp("status", str(repository.remote.directory)).stdout
    assert "ENVIRONMENT" in table and release.name in table


def test_status_tells_what_was_changed_by_hand(repository: Place) -> None:
    head = repository.view().heads["env/dev"]
    git = repository.mirror
    files = {"web/deployment-web.yaml": b"a: 1\n"}
    author = repository.view().git.commits(head, limit=1)[0].author
    repository.merge("dev", git.write(parent=head, message="hand\n", author=author, at=repository.clock, files=files))
    (row,) = json.loads(ghapp("status", str(repository.remote.directory), "--json").stdout)["deployed"]
    assert row["problem"] == "changed by hand since"


def test_status_without_environments_and_without_a_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "empty")], check=True)
    assert "nothing is deployed" in ghapp("status", str(tmp_path / "empty")).stdout
    done = ghapp("status", str(tmp_path / "nowhere"))
    assert done.returncode == 1 and done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_a_record_signed_by_a_stranger_is_told(repository: Place, tmp_path: Path) -> None:
    key = tmp_path / "other.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "k")], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout", "-out", str(key)], check=True)
    done = ghapp("status", str(repository.remote.directory), "--verify-key", str(key), "--json")
    (row,) = json.loads(done.stdout)["deployed"]
    assert "none of the trusted keys has signed this" in row["problem"]
    assert records.read  # what reads it for the server, too


def test_validate_names_file_line_and_fix(tmp_path: Path) -> None:
    (tmp_path / ".ghapp.yml").write_text("version: 1\napp: web\npipelin: {}\n")
    (tmp_path / ".ghapp/policies").mkdir(parents=True)
    (tmp_path / ".ghapp/policies/w.yml").write_text("kind: Window\ntype: blackout\ntimezone: Nowhere/Here\n")
    done = ghapp("validate", cwd=tmp_path)
    assert done.returncode == 1
    assert ".ghapp.yml:3: `pipelin`: unknown key — did you mean `pipeline`?" in done.stdout
    assert ".ghapp/policies/w.yml:3:" in done.stdout
    found = json.loads(ghapp("validate", "--json", cwd=tmp_path).stdout)
    assert not found["ok"] and {p["line"] for p in found["problems"]} >= {3}


def test_validate_of_what_is_right(tmp_path: Path) -> None:
    (tmp_path / ".ghapp.yml").write_text("version: 1\napp: web\n")
    done = ghapp("validate", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 file: nothing is wrong\n")


def test_validate_knows_plugins(tmp_path: Path) -> None:
    (tmp_path / ".ghapp.yml").write_text("version: 1\napp: web\npipeline:\n  before:\n    - {uses: gitleak}\n")
    done = ghapp("validate", cwd=tmp_path)
    assert done.returncode == 1
    assert ".ghapp.yml:5:" in done.stdout and "gitleaks" in done.stdout


def test_validate_without_files_says_what_to_do(tmp_path: Path) -> None:
    done = ghapp("validate", cwd=tmp_path)
    assert done.returncode == 1 and "there is no .ghapp.yml" in done.stderr


@pytest.mark.parametrize(
    "kind", ["app", "Approval", "Window", "RequiredPlugins", "Vulnerability", "Promotion", "BuildProfile"]
)
def test_schemas_are_json_schemas(kind: str) -> None:
    import jsonschema

    schema = json.loads(ghapp("schema", kind).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_takes_the_example_and_refuses_a_mistake() -> None:
    import jsonschema
    import yaml

    schema = jsonschema.Draft202012Validator(json.loads(ghapp("schema").stdout))
    example = yaml.load((Path(__file__).parents[2] / "examples/guestbook/.ghapp.yml").read_text(), yaml.BaseLoader)
    example["version"] = 1
    example["deploy"]["environments"][2]["approvals"] = 1
    schema.validate(example)
    assert not schema.is_valid({**example, "deplyo": {}})


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str) -> None:
    done = ghapp(command, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: ")
