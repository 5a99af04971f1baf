"""The agent's own file, for many environments in one process; every key is also an option of the command line.

::

    server: https://ghapp.example
    environments:
      - {repo: https://github.com/acme/shop, branch: env/prod, namespace: shop}
      - {repo: https://github.com/acme/shop, branch: env/staging, namespace: shop-staging, heal: false}
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ghapp.agent.environment import Environment


class ConfigFileError(ValueError):
    """What is wrong with the file, with the place and the reason of each problem."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EnvironmentEntry(_Strict):
    """One environment. Durations are in seconds."""

    repo: str
    branch: str
    namespace: str
    verify: str = Field("release", pattern="^(release|commit|none)$")
    verify_keys: list[Path] = []
    apps: list[str] = []
    depends_on: dict[str, list[str]] = {}
    service_account: str = Field("", pattern="^[^/:]*$")
    wait: bool = True
    timeout: float = Field(300.0, gt=0)
    heal: bool = True
    suspend: bool = False
    allow_prune: bool = False
    prune_limit: int = Field(50, ge=0, le=100)
    interval: float = Field(60.0, ge=1)

    def environment(self) -> Environment:
        return Environment(
            repo=self.repo,
            branch=self.branch.removeprefix("refs/heads/"),
            namespace=self.namespace,
            verify=self.verify,
            keys=tuple(self.verify_keys),
            apps=tuple(self.apps),
            depends_on={app: tuple(others) for app, others in self.depends_on.items()},
            service_account=self.service_account,
            wait=self.wait,
            timeout=self.timeout,
            heal=self.heal,
            suspend=self.suspend,
            allow_prune=self.allow_prune,
            prune_percent=self.prune_limit,
            interval=self.interval,
        )


class ConfigFile(_Strict):
    """The whole file. ``server_token_file`` holds what the agent shows to the server."""

    server: str = ""
    server_token_file: Path = Path("/var/run/secrets/ghapp/token")
    environments: list[EnvironmentEntry] = Field(min_length=1)


def read(path: Path) -> ConfigFile:
    """Raises :class:`ConfigFileError`."""
    try:
        return ConfigFile.model_validate(yaml.safe_load(path.read_bytes()))
    except OSError as e:
        raise ConfigFileError(f"{path} cannot be read: {e.strerror}") from None
    except yaml.YAMLError as e:
        raise ConfigFileError(f"{path} is not YAML: {e}") from None
    except ValidationError as e:
        problems = (f"{'.'.join(map(str, p['loc'])) or 'the file'}: {p['msg']}" for p in e.errors())
        raise ConfigFileError(f"{path}: {'; '.join(problems)}") from None
