"""Plugins: steps defined once. One file each; this is their registry."""

from __future__ import annotations

import difflib
import importlib
import re
from functools import cache

from pydantic import ValidationError

from jobs.plugins.interface import Inputs, Plugin

__all__ = ["PLUGINS", "UnknownPlugin", "find", "input_problems"]

# name → module with `plugin`; imported when a step uses it.
PLUGINS = {
    "branch-divergence": "jobs.plugins.branch_divergence",
    "checkov": "jobs.plugins.checkov",
    "clair": "jobs.plugins.clair",
    "copy-image": "jobs.plugins.copy_image",
    "coverage": "jobs.plugins.coverage",
    "database-migration": "jobs.plugins.database_migration",
    "email": "jobs.plugins.email",
    "github-release": "jobs.plugins.github_release",
    "gitleaks": "jobs.plugins.gitleaks",
    "hadolint": "jobs.plugins.hadolint",
    "jira": "jobs.plugins.jira",
    "junit": "jobs.plugins.junit",
    "k6": "jobs.plugins.k6",
    "sarif": "jobs.plugins.sarif",
    "semgrep": "jobs.plugins.semgrep",
    "sign": "jobs.plugins.sign",
    "sonarqube": "jobs.plugins.sonarqube",
    "syft": "jobs.plugins.syft",
    "trivy": "jobs.plugins.trivy",
    "webhook": "jobs.plugins.webhook",
}

_USES = re.compile(r"(?P<name>[a-z0-9-]+)(?:@v?(?P<version>[0-9]+(?:\.[0-9]+){0,2}))?\Z")


class UnknownPlugin(LookupError):
    """A ``uses:`` that names no plugin or a version that is not here; ``fix`` says what to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@cache
def load(name: str) -> Plugin:
    """The plugin registered under ``name``."""
    plugin: Plugin = importlib.import_module(PLUGINS[name]).plugin
    return plugin


def find(uses: str) -> Plugin:
    """The plugin that ``name`` or ``name@version`` means; ``trivy@1`` is any 1.x. Raises :class:`UnknownPlugin`."""
    match = _USES.match(uses)
    name = match["name"] if match else uses
    if not match or name not in PLUGINS:
        close = difflib.get_close_matches(name, PLUGINS, n=1)
        known = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(sorted(PLUGINS))}"
        raise UnknownPlugin(f"there is no plugin {uses!r}", known)
    plugin = load(name)
    wanted = match["version"]
    if wanted and plugin.version.split(".")[: wanted.count(".") + 1] != wanted.split("."):
        raise UnknownPlugin(
            f"{name} is here in version {plugin.version}, not {wanted}", f"write {name}@{plugin.version}"
        )
    return plugin


def input_problems(plugin: Plugin, given: dict[str, object]) -> list[tuple[tuple[str | int, ...], str, str]]:
    """What is wrong with a step's ``with``: path, message, fix. Values with ``${{ }}`` are judged when known."""
    try:
        plugin.inputs.model_validate(given)
    except ValidationError as e:
        problems = []
        for error in e.errors(include_url=False):
            path = error["loc"]
            if "${{" in str(error.get("input", "")) and error["type"] not in ("extra_forbidden", "missing"):
                continue
            if error["type"] == "extra_forbidden":
                inputs = ", ".join(plugin.inputs.model_fields) or "no inputs"
                problems.append((path, f"{plugin.name} has no input {path[-1]!r}", f"it takes {inputs}"))
            elif error["type"] == "missing":
                problems.append((path, f"{plugin.name} needs the input {path[-1]!r}", "add it under `with`"))
            else:
                problems.append((path, f"{path[-1]}: {error['msg'].removeprefix('Value error, ')}", ""))
        return problems
    return []


def describe(inputs: type[Inputs]) -> dict[str, str]:
    """Each input with its description, for documentation."""
    return {name: field.description or "" for name, field in inputs.model_fields.items()}
