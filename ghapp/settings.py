"""Every setting of the server, the workers and the command line: what it is called, what it means, where it came from.

The environment (``GHAPP_*``) wins over the YAML file that ``GHAPP_CONFIG`` names, and that over the defaults. A secret
may also be given as a file (``GHAPP_PRIVATE_KEY_FILE``). Nothing here talks to a network; no message repeats a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from policies import yamltext

PREFIX = "GHAPP_"
CONFIG_VARIABLE = "GHAPP_CONFIG"


class SettingsError(ValueError):
    """Settings that cannot be used: each problem names the variable, what is wrong with it and what to do."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


# --- forms of values ------------------------------------------------------------------------------
def _url(value: Any) -> Any:
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not an http or https address; write it like https://github.example.com/api/v3")
        if parts.username or parts.password:
            raise ValueError("carries a user name or password; remove it, ghapp signs in as the App")
        return value.rstrip("/")
    return value


def _words(value: Any) -> Any:
    """``a, b`` and ``a b`` are two values."""
    return [word for word in re.split(r"[\s,]+", value) if word] if isinstance(value, str) else value


def _lines(value: Any) -> Any:
    """One secret a line."""
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


def _pem_blocks(value: Any) -> Any:
    """Several PEM keys, one after the other."""
    if isinstance(value, str):
        return re.findall(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----\n?", value, re.DOTALL) or [value]
    return value


def _yaml(value: Any) -> Any:
    """A list or mapping written as YAML or JSON text."""
    if isinstance(value, str):
        try:
            return yamltext.load(value, name="value").data
        except yamltext.Problems as e:
            raise ValueError(f"is not YAML: {e.problems[0].message}") from None
    return value


def _nothing(value: Any) -> Any:
    return None if value == "" else value


Url = Annotated[str, BeforeValidator(_url)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
SecretLines = Annotated[tuple[SecretStr, ...], BeforeValidator(_lines)]
PemBlocks = Annotated[tuple[str, ...], BeforeValidator(_pem_blocks)]
MaybePath = Annotated[Path | None, BeforeValidator(_nothing)]


class AgentKey(BaseModel):
    """One agent that may ask this server for a token: its name, pre-shared key, and the repositories it may read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: SecretStr
    repositories: Words = Field(min_length=1)


class ClusterIssuer(BaseModel):
    """One cluster whose projected service-account tokens are believed, and what such an agent may read.

    ``issuer``, ``audience`` (this server's public address when empty) and ``subject``
    (``system:serviceaccount:<namespace>:<name>``) are compared with the token's claims. The keys come from ``jwks``, a
    file (JWKS) that needs no network, or from the issuer's OpenID discovery.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    issuer: str
    audience: str = ""
    subject: str
    jwks: MaybePath = None
    repositories: Words = Field(min_length=1)


class Settings(BaseModel):
    """All settings. Field order is the order in which they are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # GitHub
    github_api_url: Url = Field("https://api.github.com", description="REST API of GitHub or GitHub Enterprise Server.")
    github_graphql_url: Url = Field("", description="GraphQL API; derived from the REST API's address when empty.")
    github_web_url: Url = Field("", description="Web pages and git; derived from the REST API's address when empty.")
    github_ca_bundle: MaybePath = Field(
        None, description="CA certificates (PEM) that GitHub's certificate is checked by."
    )
    github_writes_per_minute: int = Field(
        80, description="Writes a minute and installation, as GitHub asks for; 0 for a server without limits.", ge=0
    )
    app_id: int | None = Field(None, description="The GitHub App's id.", gt=0)
    app_slug: str = Field("", description="The GitHub App's name in addresses; asked of GitHub when empty.")
    private_key: SecretStr | None = Field(None, description="The GitHub App's private key: RSA, PEM.")
    webhook_secrets: SecretLines = Field(
        (), description="Secrets that deliveries may be signed with, one a line; two during a rotation."
    )

    # What must be reachable, and where things are kept
    redis_url: str = Field("redis://localhost:6379/0", description="Redis: redis://, rediss:// or unix://.", repr=False)
    data_dir: Path = Field(
        Path("~/.local/share/ghapp"), description="Mirrors of repositories and caches; may be lost at any time."
    )
    store: str = Field(
        "", description="Logs and artifacts: a directory or s3://bucket/prefix; <data_dir>/store when empty."
    )
    store_retention: int = Field(90, description="Days that logs and artifacts are kept.", ge=1, le=3650)

    # Evidence
    signing_key: SecretStr | None = Field(None, description="Key that evidence is signed with: Ed25519, PEM (PKCS 8).")
    trusted_keys: PemBlocks = Field(
        (), description="Public keys (PEM) whose evidence is believed besides our own, e.g. the key before a rotation."
    )

    # The server
    public_url: Url = Field("", description="Where people reach this server; links in checks start with it.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, description="Port to listen on; 0 picks a free one.", ge=0, le=65535)
    web_workers: int = Field(2, description="Processes of the server.", ge=1, le=64)
    max_body: int = Field(25_000_000, description="Largest delivery accepted, in bytes.", ge=1_000, le=100_000_000)

    # Workers
    workers: int = Field(4, description="Reconciles at once in one `ghapp worker`.", ge=1, le=256)
    pipeline_workers: int = Field(2, description="Pipelines at once in one `ghapp worker`.", ge=0, le=256)
    sweep_interval: int = Field(600, description="Seconds between two sweeps over everything.", ge=10, le=86_400)
    executor: Literal["local", "kubernetes"] = Field("local", description="Where steps run.")
    builder: Literal["auto", "buildkit", "buildah", "docker", "layer"] = Field(
        "auto", description="What builds images where an app does not say."
    )
    kubeconfig: MaybePath = Field(None, description="Cluster of the kubernetes executor; the pod's own when empty.")
    kubernetes_namespace: str = Field("ghapp-builds", description="Namespace of the kubernetes executor's Jobs.")
    kubernetes_image: str = Field(
        "docker.io/library/debian:stable-slim", description="Image of the kubernetes executor's steps that name none."
    )
    kubernetes_work_claim: str = Field(
        "",
        description="PersistentVolumeClaim with <data_dir>/work that workers and Jobs share; a folder of the node "
        "when empty.",
    )
    kubernetes_service_account: str = Field("default", description="Service account of the kubernetes executor's Jobs.")
    secrets_dir: MaybePath = Field(
        None, description="Secrets of steps: <owner>/<repository>/<NAME> below this directory."
    )
    registry_auth_file: MaybePath = Field(None, description="Credentials for registries, as in ~/.docker/config.json.")
    plain_http_registries: Words = Field((), description="Registry hosts spoken to without TLS.")
    gate_hosts: Words = Field((), description="Hosts that http and metric gates may call; none when empty.")

    # Agents that ask this server for tokens
    agent_keys: Annotated[tuple[AgentKey, ...], BeforeValidator(_yaml)] = Field(
        (), description="Agents with a pre-shared key: a list of {name, key, repositories}, as YAML."
    )
    agent_clusters: Annotated[tuple[ClusterIssuer, ...], BeforeValidator(_yaml)] = Field(
        (),
        description="Clusters whose service accounts may ask: a list of {name, issuer, audience, subject, jwks, "
        "repositories}, as YAML.",
    )

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, else json."
    )

    @model_validator(mode="after")
    def _derive(self) -> Self:
        graphql, web = _beside(self.github_api_url)
        # The model is frozen for everybody else; here it is still being made.
        put = object.__setattr__
        put(self, "github_graphql_url", self.github_graphql_url or graphql)
        put(self, "github_web_url", self.github_web_url or web)
        put(self, "data_dir", self.data_dir.expanduser())
        put(self, "store", self.store or str(self.data_dir / "store"))
        if not re.match(r"(rediss?|unix)://", self.redis_url):
            raise ValueError("redis_url: is not the address of a Redis; write it like redis://localhost:6379/0")
        return self

    @property
    def mirrors(self) -> Path:
        """Where bare mirrors of repositories are kept, ``<repository id>.git`` each."""
        return self.data_dir / "mirrors"


def _beside(api_url: str) -> tuple[str, str]:
    """The GraphQL and web addresses that belong to a REST address: github.com, Enterprise Cloud with data residency
    (``api.<name>.ghe.com``), and Enterprise Server (``<host>/api/v3``)."""
    parts = urlsplit(api_url)
    if parts.path == "/api/v3":
        web = f"{parts.scheme}://{parts.netloc}"
        return f"{web}/api/graphql", web
    host = parts.netloc.removeprefix("api.")
    return f"{api_url}/graphql", f"{parts.scheme}://{host}"


# --- loading ---------------------------------------------------------------------------------------
def is_secret(name: str) -> bool:
    """Whether a setting's value must never be shown."""
    return _mentions_secret(Settings.model_fields[name].annotation)


def may_be_file(name: str) -> bool:
    """Whether a setting may be given as a file, by a variable that ends in ``_FILE``."""
    return is_secret(name) or name == "redis_url"  # which may carry a password


def without_password(url: str) -> str:
    """An address as it may be shown and logged."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _mentions_secret(annotation: Any) -> bool:
    if annotation is SecretStr or annotation is AgentKey:
        return True
    return get_origin(annotation) is not None and any(_mentions_secret(a) for a in get_args(annotation))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises :class:`SettingsError` with every problem at once."""
    return load_with_origins(environ)[0]


def load_with_origins(environ: Mapping[str, str] | None = None) -> tuple[Settings, dict[str, str]]:
    """The settings, and for each where its value came from: a variable, a file, or ``default``."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values: dict[str, Any] = {}
    origins: dict[str, str] = dict.fromkeys(Settings.model_fields, "default")
    for source in (_from_yaml(environ, problems), _from_environment(environ, problems)):
        for name, (value, origin) in source.items():
            values[name], origins[name] = value, origin
    try:
        settings = Settings.model_validate(values)
    except ValidationError as e:
        problems += [_sentence(error, origins) for error in e.errors(include_url=False, include_input=False)]
        raise SettingsError(problems) from None
    problems += _wrong_keys(settings, origins)
    if problems:
        raise SettingsError(problems)
    return settings, origins


_Source = dict[str, tuple[Any, str]]


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> _Source:
    found: _Source = {}
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    for variable, value in environ.items():
        if variable in known:
            found[known[variable]] = (value, variable)
        elif (name := known.get(variable.removesuffix("_FILE"))) and may_be_file(name):
            if variable.removesuffix("_FILE") in environ:
                problems.append(f"{variable}: {variable.removesuffix('_FILE')} is set too; set only one of them")
            elif (text := _read(variable, value, problems)) is not None:
                found[name] = (text.strip(), f"{variable} ({value})")
    return found


def _from_yaml(environ: Mapping[str, str], problems: list[str]) -> _Source:
    path = environ.get(CONFIG_VARIABLE)
    if not path or (text := _read(CONFIG_VARIABLE, path, problems)) is None:
        return {}
    try:
        document = yamltext.load(text, name=path)
    except yamltext.Problems as e:
        problems += map(str, e.problems)
        return {}
    if not isinstance(document.data, dict):
        problems.append(f"{path}:1: is not a mapping; write one setting a line, like  app_id: 12345")
        return {}
    found: _Source = {}
    for key, value in document.data.items():
        where = f"{path}:{document.line((key,))}"
        name = key.removesuffix("_file")
        if key in Settings.model_fields:
            found[key] = (value, where)
        elif name in Settings.model_fields and may_be_file(name):
            if (secret := _read(where, str(value), problems)) is not None:
                found[name] = (secret.strip(), f"{where} ({value})")
        else:
            problems.append(f"{where}: there is no setting {key!r}; `ghapp settings` lists them all")
    return found


def _read(where: str, path: str, problems: list[str]) -> str | None:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        problems.append(f"{where}: cannot read {path}: {reason}")
        return None


def _sentence(error: Any, origins: Mapping[str, str]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        name, _, message = message.partition(": ")
        return f"{_variable(name, origins)}: {message}"
    name, *path = error["loc"]
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{_variable(name, origins)}{inner}: {message[:1].lower()}{message[1:]}"


def _variable(name: str, origins: Mapping[str, str]) -> str:
    origin = origins.get(name, "default")
    return f"{PREFIX}{name.upper()}" if origin == "default" else origin


# --- keys ------------------------------------------------------------------------------------------
def _wrong_keys(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    """A sentence for each key of the wrong kind; the keys themselves are never repeated."""
    if not (settings.private_key or settings.signing_key or settings.trusted_keys):
        return []  # cryptography is slow to import and most commands have no key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    problems = []

    def check(name: str, pem: str, parse: Any, kind: type, fix: str) -> None:
        try:
            key = parse(pem.encode())
        except Exception as e:  # cryptography raises many kinds; each means the same to a reader
            encrypted = "password" in str(e).lower()
            problem = "is protected by a password, which ghapp has none for" if encrypted else "is not a PEM key"
            problems.append(f"{_variable(name, origins)}: {problem}; {fix}")
            return
        if not isinstance(key, kind):
            found = type(key).__name__.lstrip("_").removesuffix("PrivateKey").removesuffix("PublicKey")
            problems.append(f"{_variable(name, origins)}: is a key of the wrong kind ({found}); {fix}")

    def private(pem: bytes) -> Any:
        return load_pem_private_key(pem, password=None)

    if settings.private_key:
        fix = "use the RSA private key (.pem) that the App's settings page on GitHub generates"
        check("private_key", settings.private_key.get_secret_value(), private, RSAPrivateKey, fix)
    if settings.signing_key:
        fix = "make one with  openssl genpkey -algorithm ed25519"
        check("signing_key", settings.signing_key.get_secret_value(), private, Ed25519PrivateKey, fix)
    for pem in settings.trusted_keys:
        fix = "give the public half, as  openssl pkey -in signing.pem -pubout  prints it"
        check("trusted_keys", pem, load_pem_public_key, Ed25519PublicKey, fix)
    return problems
