"""A place to run steps in, without GitHub: a checkout, a store, secrets, the real sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ghapp.config.model import Pipeline, Step
from ghapp.settings import Settings, load
from ghapp.store.directory import DirectoryStore
from jobs.executors import Stop
from jobs.executors.local import Local
from jobs.pipeline.log import StepLog
from jobs.pipeline.order import Order
from jobs.pipeline.result import StepResult
from jobs.pipeline.secrets import Secrets
from jobs.pipeline.step import Site, Sofar, carry_out
from jobs.pipeline.triggers import Occasion, Pull

PULL = Pull(7, "a title", "mallory", "feature", "main")


@dataclass
class Ground:
    """Where a test's steps run. ``minted`` are the permissions of the tokens that steps were given."""

    root: Path
    occasion: Occasion = field(default_factory=lambda: Occasion("push", branch="main", author="ada"))
    trusted: bool = True
    stop: Stop = field(default_factory=Stop)
    images: dict[str, str] = field(default_factory=dict)
    minted: list[Mapping[str, str]] = field(default_factory=list)
    pipeline: Pipeline = field(default_factory=Pipeline)
    settings: Settings = field(default_factory=lambda: load({}))

    def __post_init__(self) -> None:
        self.workspace.mkdir(exist_ok=True)
        self.store = DirectoryStore(self.root / "store")
        self.sofar = Sofar(images=self.images)
        self.results: list[StepResult] = []

    @property
    def workspace(self) -> Path:
        return self.root / "checkout"

    def files(self, **contents: str) -> None:
        for name, text in contents.items():
            path = self.workspace / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def secret(self, name: str, value: str) -> None:
        folder = self.root / "secrets" / "acme" / "web"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(value)

    def _mint(self, permissions: Mapping[str, str]) -> str:
        self.minted.append(permissions)
        return "ghs_minted-token-value"

    def site(self) -> Site:
        order = Order(1, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, self.occasion, trusted=self.trusted)
        files = frozenset(
            str(p.relative_to(self.workspace)) for p in self.workspace.rglob("*") if p.is_file() and not p.is_symlink()
        )
        return Site(
            order=order,
            pipeline=self.pipeline,
            workspace=self.workspace,
            scratch=self.root / "scratch",
            executor=Local(),
            store=self.store,
            secrets=Secrets(self.root / "secrets", "acme/web"),
            settings=self.settings,
            stop=self.stop,
            mint=self._mint,
            files=files,
            data_dir=self.root / "data",
        )

    def run(self, script: str = "", **fields: Any) -> StepResult:
        """Carry out one step, after those before it."""
        step = Step.model_validate({**({"run": script} if script else {}), **fields})

        def changed(log: StepLog) -> None:
            del log

        result = carry_out(step, f"before-{len(self.results)}", self.site(), self.sofar, changed)
        self.results.append(result)
        self.sofar = self.sofar.after(result)
        return result

    def log(self, result: StepResult) -> str:
        return (self.store.read(result.log) or b"").decode()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)
