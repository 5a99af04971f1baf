"""The shape of ``.ghapp.yml``. Each class is one block of the file; each description its documentation.

Only shapes live here: whether a renderer, plugin or environment exists is asked of its registry by ``read``.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from policies.quantity import Cpu, Duration, Memory
from policies.strict import Block

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


def _name(value: str) -> str:
    if not re.match(_NAME, value):
        raise ValueError(
            "not a valid name — lower-case letters, digits and dashes, at most 63, as Kubernetes names are"
        )
    return value


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": _NAME})]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=255)]


class Filter(Block):
    """Which refs, files and people start a pipeline. Globs; a leading ``!`` excludes."""

    branches: tuple[str, ...] = Field((), description="branch globs; empty means every branch")
    tags: tuple[str, ...] = Field((), description="tag globs; empty means no tag")
    paths: tuple[str, ...] = Field((), description="path globs; skipped only if every changed file is excluded")
    labels: tuple[str, ...] = Field((), description="pull requests that carry all of these labels")
    authors: tuple[str, ...] = Field((), description="logins whose pushes or pull requests count")
    title: str = Field("", description="RE2 pattern that the pull request's title must match")
    when: str = Field("", description="CEL condition over `event`")


class PullRequestFilter(Filter):
    types: tuple[Literal["opened", "synchronize", "reopened", "ready_for_review", "labeled", "closed"], ...] = Field(
        ("opened", "synchronize", "reopened", "ready_for_review"), description="what must have happened"
    )
    drafts: bool = Field(True, description="also run on drafts")


class Schedule(Block):
    cron: str = Field(description="five-field cron expression")
    timezone: str = Field("UTC", description="IANA time zone")
    branch: str = Field("", description="the branch to run on; empty means the default branch")


class Input(Block):
    """A typed value, asked for at dispatch or given by ``with``."""

    type: Literal["string", "number", "bool", "date", "choice", "file"] = "string"
    required: bool = False
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    description: str = ""


class Dispatch(Block):
    """Start by an inbound call. Only the inputs named here are taken."""

    inputs: dict[Identifier, Input] = {}
    secret: str = Field("", description="name of the secret the caller must send in X-Ghapp-Secret")


class Triggers(Block):
    """What starts the pipeline; a key that is absent starts nothing."""

    push: Filter | None = None
    pull_request: PullRequestFilter | None = None
    merge_group: Filter | None = None
    schedule: tuple[Schedule, ...] = ()
    dispatch: Dispatch | None = None


class Resources(Block):
    """What a build may use. Anything absent is inherited: step, app, profile, global."""

    profile: str | None = Field(None, description="a BuildProfile by name")
    cpu: Cpu | None = None
    memory: Memory | None = None
    timeout: Duration | None = None
    disk: Memory | None = None
    architectures: tuple[Literal["amd64", "arm64"], ...] = ()
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()


class Concurrency(Block):
    cancel_superseded: bool = Field(True, description="cancel older runs of the same branch or pull request")
    limit: int = Field(0, ge=0, description="runs of this app at once; 0 means no limit")


class Artifact(Block):
    name: Name
    paths: tuple[str, ...] = Field(min_length=1)
    retention: Duration = timedelta(days=30)


class Cache(Block):
    """Folders that a later run finds again; forks neither read nor write them."""

    name: Name
    paths: tuple[str, ...] = Field(min_length=1, description="files and folders in the checkout")
    key: tuple[str, ...] = Field((), description="globs of the files whose content names the cache, like lock files")


class Step(Block):
    """One task of a stage: ``run`` a script, or ``uses`` a plugin."""

    name: str = Field("", max_length=100)
    run: str = Field("", description="a script; titles, branch names and comments reach it as environment variables")
    uses: str = Field("", description="a plugin, as name or name@version")
    image: str = Field("", description="container to run in (Kubernetes executor)")
    shell: Literal["sh", "bash", "python"] = "sh"
    with_: dict[str, Any] = Field({}, alias="with", description="the plugin's inputs")
    env: dict[Identifier, str | int | float | bool] = {}
    secrets: tuple[Identifier, ...] = Field((), description="secrets by name, given to this step alone")
    permissions: dict[str, Literal["read", "write"]] = Field({}, description="of the GitHub token this step sees")
    timeout: Duration | None = None
    retries: int = Field(0, ge=0, le=10)
    continue_on_error: bool = False
    always: bool = Field(False, description="run even if an earlier step failed")
    when: str = Field("", description="CEL: run only if true")
    pass_if: str = Field("", description="CEL over `outputs` and `exit_code`: passed only if true")
    fail_if: str = Field("", description="CEL over `outputs` and `exit_code`: failed if true")
    working_directory: str = "."
    artifacts: tuple[Artifact, ...] = ()
    resources: Resources | None = None
    id: Annotated[str, StringConstraints(pattern=r"^([a-zA-Z_][a-zA-Z0-9_]*)?$")] = Field(
        "", description="how later steps name it: steps.<id>.outputs.<key>"
    )

    @model_validator(mode="after")
    def one_of_run_or_uses(self) -> Step:
        if bool(self.run) == bool(self.uses):
            raise ValueError("a step has exactly one of `run` (a script) and `uses` (a plugin)")
        if self.with_ and not self.uses:
            raise ValueError("`with` gives inputs to a plugin; a script takes `env`")
        return self

    @property
    def title(self) -> str:
        return self.name or self.uses or next(iter(self.run.strip().splitlines()), "")[:60]


class Image(Block):
    """The image that the pipeline builds."""

    repository: str = Field(description="where it is pushed, without tag: ghcr.io/acme/guestbook")
    context: str = "."
    file: str = Field("", description="Containerfile or Dockerfile; found by itself if empty")
    builder: Literal["auto", "buildkit", "buildah", "docker", "layer"] = "auto"
    target: str = ""
    args: dict[str, str] = {}
    tags: tuple[str, ...] = Field(("{commit}",), description="tags to set; {commit}, {branch}, {tag}, {run}")
    platforms: tuple[str, ...] = ()
    base: str = Field("", description="`layer` builder: the image to put files on; empty means scratch")
    files: dict[str, str] = Field({}, description="`layer` builder: path in the image → path in the repository")
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    user: str = ""
    workdir: str = ""
    ports: tuple[int, ...] = ()


class Pipeline(Block):
    on: Triggers = Triggers(push=Filter(), pull_request=PullRequestFilter())
    resources: str | Resources | None = None
    concurrency: Concurrency = Concurrency()
    env: dict[Identifier, str | int | float | bool] = {}
    cache: tuple[Cache, ...] = ()
    before: tuple[Step, ...] = ()
    image: Image | None = None
    after: tuple[Step, ...] = ()
    release: Filter | None = Field(None, description="which pushes make a release; default: those that `on.push` names")


class Helm(Block):
    chart: str
    values: tuple[str, ...] = ()
    set: dict[str, str] = {}
    release: str = ""
    namespace: str = ""


class Render(Block):
    """How an environment's manifests are made: exactly one of these."""

    plain: str | None = Field(None, description="a folder of manifests")
    kustomize: str | None = Field(None, description="a folder with a kustomization")
    helm: Helm | None = Field(None, description="a chart in the repository")

    @model_validator(mode="after")
    def exactly_one(self) -> Render:
        if sum(x is not None for x in (self.plain, self.kustomize, self.helm)) != 1:
            raise ValueError("`render` takes exactly one of plain, kustomize and helm")
        return self


class AnyOf(Block):
    any: tuple[Name, ...] = Field(min_length=1)


class Rollback(Block):
    automatic: Duration | None = Field(None, description="roll back if health fails within this time of the merge")
    approvals: int = Field(0, ge=0, description="approving reviews a rollback needs")


class Environment(Block):
    """A place to deploy to: the branch ``env/<name>``."""

    name: Name
    render: Render
    merge: Literal["auto", "manual"] = Field("auto", description="who merges once every gate passes: ghapp or a person")
    method: Literal["merge", "squash", "rebase"] = "merge"
    after: tuple[Name, ...] | AnyOf = Field((), description="environments that must run the release first")
    soak: Duration = Field(timedelta(), description="how long it must be healthy here before the next may follow")
    strategy: Literal["latest", "queue", "match", "manual"] = "latest"
    approvals: int = Field(
        0, ge=0, le=20, description="approving reviews by people with write permission who wrote none of the commits"
    )
    filter: str = Field("", description="CEL condition a release must meet: image, tag, labels, commit, evidence")
    namespace: str = Field("", description="Kubernetes namespace to render for")
    checks: tuple[str | dict[str, Any], ...] = Field(
        (), description="check runs that must be green, by name and app id"
    )
    gates: tuple[dict[str, Any], ...] = Field((), description="http, job, metric and external gates")
    rollback: Rollback = Rollback()
    allow_plain_secrets: bool = False
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    template: str = Field("", description="file with text put at the head of the pull request's body")

    @property
    def upstreams(self) -> tuple[str, ...]:
        return self.after.any if isinstance(self.after, AnyOf) else self.after


class Deploy(Block):
    environments: tuple[Environment, ...] = ()


class App(Block):
    """One deployable unit."""

    version: Literal[1] = 1
    app: Name
    pipeline: Pipeline = Pipeline()
    deploy: Deploy = Deploy()

    def environment(self, name: str) -> Environment | None:
        return next((e for e in self.deploy.environments if e.name == name), None)


class Monorepo(Block):
    """A root file that only names the apps' own files."""

    version: Literal[1] = 1
    apps: tuple[str, ...] = Field(min_length=1, description="globs of `.ghapp.yml` files, one an app")
