"""What Argo CD and Flux are given: valid by their own definitions, and saying what it should."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from ghapp.agent.manifests import ENGINES
from ghapp.agent.manifests.interface import Request
from ghapp.cli.agent import agent

REQUEST = Request(
    "https://github.com/acme/shop",
    "env/prod",
    "shop",
    apps=("web", "db"),
    depends_on={"web": ("db",)},
    service_account="deployer",
    sops_secret="age",
)


@cache
def schema_of(api_version: str, kind: str) -> Any:
    """The published schema of a kind."""
    folder = next((p / "../shared/crds" for p in Path(__file__).parents if (p / "../shared/crds").is_dir()), None)
    if folder is None:
        pytest.skip("the published definitions are not beside this repository")
    for file in folder.glob("*.yaml"):
        text = file.read_text()
        if f"\n    kind: {kind}\n" not in text:
            continue  # the largest takes seconds to parse
        spec = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["spec"]
        for version in spec["versions"]:
            if f"{spec['group']}/{version['name']}" == api_version:
                return _closed(version["schema"]["openAPIV3Schema"])
    raise AssertionError(f"no definition of {kind} in {api_version} is published")


def _closed(schema: Any) -> Any:
    """A structural schema as JSON Schema: what it does not name would be pruned, so it is refused."""
    if isinstance(schema, list):
        return [_closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    result = {k: _closed(v) for k, v in schema.items() if k != "description"}
    if isinstance(result.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kept = schema.get("type") == "object" and "additionalProperties" not in schema
        if kept and set(schema["properties"]) != {"metadata"} and "kind" not in schema["properties"]:
            result["additionalProperties"] = False
    return result


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("request_", [REQUEST, Request("https://git.example.test/a/b.git", "env/eu-prod", "x")])
def test_what_is_written_passes_the_published_definitions(engine: str, request_: Request) -> None:
    checked = 0
    for resource in ENGINES[engine](request_):
        if resource["kind"] == "ConfigMap":
            continue
        schema = schema_of(resource["apiVersion"], resource["kind"])
        jsonschema.validate(resource, schema)
        checked += 1
    assert checked


def test_a_field_that_the_definitions_do_not_know_would_be_noticed() -> None:
    resource = ENGINES["flux"](REQUEST)[1]
    resource["spec"]["prunes"] = True
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(resource, schema_of(resource["apiVersion"], resource["kind"]))


def of_kind(engine: str, kind: str, request: Request = REQUEST) -> list[dict[str, Any]]:
    return [r for r in ENGINES[engine](request) if r["kind"] == kind]


def test_an_application_follows_the_branch_and_prunes_safely() -> None:
    web, db = of_kind("argocd", "Application")
    assert [web["metadata"]["name"], db["metadata"]["name"]] == ["prod-web", "prod-db"]
    spec = web["spec"]
    assert spec["source"]["targetRevision"] == "refs/heads/env/prod"
    assert spec["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]
    assert spec["syncPolicy"]["retry"]["refresh"] is True
    assert "ServerSideDiff=true" in web["metadata"]["annotations"]["argocd.argoproj.io/compare-options"]


def test_without_apps_a_set_covers_all_of_them() -> None:
    (found,) = of_kind("argocd", "ApplicationSet", Request("https://x/y/z", "env/prod", "shop"))
    (generator,) = found["spec"]["generators"]
    assert generator["git"]["revision"] == "refs/heads/env/prod"
    assert {"path": ".*", "exclude": True} in generator["git"]["directories"]


def test_argo_reports_commit_status_and_deployment() -> None:
    (config,) = of_kind("argocd", "ConfigMap")
    for what, state in (("progressing", "pending"), ("healthy", "success"), ("failed", "failure")):
        template = yaml.safe_load(config["data"][f"template.ghapp-{what}"])["github"]
        assert template["status"]["state"] == state
        assert template["status"]["label"].startswith("argocd / {{index .app.metadata.labels")
        assert template["deployment"]["requiredContexts"] == []
        (trigger,) = yaml.safe_load(config["data"][f"trigger.ghapp-{what}"])
        assert trigger["send"] == [f"ghapp-{what}"]
        (application, *_) = of_kind("argocd", "Application")
        assert f"notifications.argoproj.io/subscribe.ghapp-{what}.github" in application["metadata"]["annotations"]


def test_flux_prunes_waits_decrypts_and_reports() -> None:
    (source,) = of_kind("flux", "GitRepository")
    assert source["spec"]["ref"] == {"branch": "env/prod"}
    web, _db = of_kind("flux", "Kustomization")
    spec = web["spec"]
    assert (spec["prune"], spec["wait"], spec["serviceAccountName"]) == (True, True, "deployer")
    assert spec["dependsOn"] == [{"name": "prod-db"}]
    assert spec["decryption"] == {"provider": "sops", "secretRef": {"name": "age"}}
    assert {p["spec"]["type"] for p in of_kind("flux", "Provider")} == {"github", "githubdispatch"}
    for alert in of_kind("flux", "Alert"):
        assert alert["spec"]["eventMetadata"]["environment"] == "prod"
        providers = {p["metadata"]["name"] for p in of_kind("flux", "Provider")}
        assert alert["spec"]["providerRef"]["name"] in providers


def test_the_command_prints_yaml_or_json() -> None:
    arguments = ["manifests", "--engine", "flux", "--repo", "https://x/y/z", "--branch", "env/prod", "--namespace", "s"]
    as_yaml = CliRunner().invoke(agent, arguments)
    as_json = CliRunner().invoke(agent, [*arguments, "--json"])
    assert list(yaml.safe_load_all(as_yaml.output)) == json.loads(as_json.output)
