"""What can be demanded of a promotion beside the built-in gates: green checks, answers over HTTP, Jobs, metrics.

Only what people write, in `.ghapp.yml` and in Promotion policies; what has come back is judged by the gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from policies.filters import BadExpression, check
from policies.quantity import Duration
from policies.strict import Block

RESPONSE_VARIABLES = frozenset({"status", "body", "json"})


def _response_condition(value: Any) -> str:
    if not isinstance(value, str):
        raise BadExpression("a condition is text — write a CEL expression in quotes")
    return check(value, RESPONSE_VARIABLES)


def _app(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not value:
        raise ValueError("must be an App's id or slug — write app: 15368 or app: github-actions")
    return value.lower() if isinstance(value, str) else value


def _statuses(value: Any) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not found or any(not isinstance(s, int) or isinstance(s, bool) or not 100 <= s <= 599 for s in found):
        raise ValueError("must be HTTP status numbers — write status: 200 or status: [200, 204]")
    return found


AppName = Annotated[
    int | str,
    BeforeValidator(_app),
    WithJsonSchema({"type": ["integer", "string"], "examples": [15368, "github-actions"]}),
]
Statuses = Annotated[
    tuple[int, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}),
]
ResponseCondition = Annotated[
    str,
    BeforeValidator(_response_condition),
    WithJsonSchema({"type": "string", "description": "CEL over status, body, json"}),
]


class CheckDemand(Block):
    """A check run by its name *and* its App, or a commit status by its context and creator."""

    name: str = Field(min_length=1, description="the check's name, or a status' context")
    app: AppName | None = Field(None, description="id or slug of the App that makes the check run")
    creator: str = Field("", description="for a commit status: login that sets it, `name` or `name[bot]`")
    on: Literal["both", "head", "source"] = Field(
        "both", description="the promotion's head, the source commit, or both"
    )
    allow: tuple[Literal["success", "neutral", "skipped"], ...] = Field(
        ("success",), description="conclusions that pass"
    )

    @model_validator(mode="after")
    def by_whom(self) -> CheckDemand:
        if (self.app is None) == (not self.creator):
            raise ValueError(
                "a name alone can be taken by anyone: say whose check it is — "
                "add app: <id or slug> (or creator: for a status)"
            )
        return self


class Http(Block):
    """A URL that has to answer as expected. Only hosts that the installation allows; never a private address."""

    url: str
    method: Literal["GET", "POST", "HEAD"] = "GET"
    status: Statuses = (200,)
    expect: ResponseCondition | None = Field(None, description="CEL over `status`, `body` and `json`")
    headers: dict[str, str] = Field({}, description="values may name a secret: `secret:NAME`")
    timeout: Duration = timedelta(seconds=10)
    every: Duration = Field(timedelta(minutes=1), description="how often to ask while it does not pass")
    within: Duration = Field(timedelta(hours=1), description="how long to keep asking before it fails")

    @model_validator(mode="after")
    def bounded(self) -> Http:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
            raise ValueError("`url` must be https:// with a host and without credentials — use `headers` with a secret")
        if not timedelta() < self.timeout <= timedelta(minutes=1):
            raise ValueError("`timeout` is at most 1m — write it like 10s")
        if self.every < timedelta(seconds=10):
            raise ValueError("`every` is at least 10s — write it like 1m")
        return self


class Job(Block):
    """A Kubernetes Job that has to succeed."""

    image: str = Field(min_length=1)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    timeout: Duration = Field(timedelta(minutes=10), description="it fails when it takes longer")
    retries: int = Field(0, ge=0, le=5)


class Metric(Block):
    """A Prometheus query whose values have to stay within bounds for a while."""

    query: str = Field(min_length=1)
    server: str = Field(description="the name or https:// URL of a Prometheus that the installation allows")
    above: float | None = Field(None, description="every value has to be greater")
    below: float | None = Field(None, description="every value has to be smaller")
    for_: Duration = Field(timedelta(minutes=5), alias="for", description="for how long")
    every: Duration = timedelta(minutes=1)

    @model_validator(mode="after")
    def some_bound(self) -> Metric:
        if self.above is None and self.below is None:
            raise ValueError("a metric needs `above` or `below` — write what its values have to stay within")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError("nothing is above `above` and below `below` — swap them")
        if not timedelta(seconds=1) <= self.every <= self.for_:
            raise ValueError("`every` is between 1s and `for` — write it like 1m")
        return self


class External(Block):
    """Any other App's check run on the promotion's head, as a gate of its own."""

    check: str = Field(min_length=1, description="the check run's name")
    app: AppName = Field(description="id or slug of the App that makes it")
    allow: tuple[Literal["success", "neutral", "skipped"], ...] = ("success",)


class Demand(Block):
    """One further gate: a name, and exactly one of checks, http, job, metric and external."""

    name: str = Field("", max_length=60, description="what it is called; needed for all but `checks`")
    checks: tuple[CheckDemand, ...] = ()
    http: Http | None = None
    job: Job | None = None
    metric: Metric | None = None
    external: External | None = None
    kinds: tuple[Literal["promotion", "rollback", "hotfix"], ...] = Field(
        ("promotion", "rollback", "hotfix"), description="which promotions it binds"
    )

    @model_validator(mode="after")
    def exactly_one(self) -> Demand:
        given = [k for k in ("checks", "http", "job", "metric", "external") if getattr(self, k)]
        if len(given) != 1:
            raise ValueError(
                "a gate is exactly one of checks, http, job, metric and external — write each in its own entry"
            )
        if not self.name and not self.checks:
            raise ValueError("this gate needs a name — add `name:`, it becomes the check's name")
        return self


class BadDemand(ValueError):
    """Entries under `checks:` or `gates:` that cannot be read; the message names the field and the fix."""


def read_demands(checks: Sequence[object], gates: Sequence[Mapping[str, object]], where: str) -> tuple[Demand, ...]:
    """What `.ghapp.yml` writes under an environment's `checks:` and `gates:`. Raises :class:`BadDemand`.

    ``where`` is how a message calls the place: ``.ghapp.yml, environment prod``.
    """
    found: list[Demand] = []
    try:
        if checks:
            found.append(Demand.model_validate({"checks": [_named(c) for c in checks]}))
        found += [Demand.model_validate(dict(g)) for g in gates]
    except ValidationError as e:
        error = e.errors(include_url=False)[0]
        field = ".".join(str(part) for part in error["loc"])
        raise BadDemand(f"{where}: {field or 'a gate'}: {error['msg'].removeprefix('Value error, ')}") from None
    return tuple(found)


def _named(check: object) -> object:
    return {"name": check} if isinstance(check, str) else check
