from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.sandbox.registry.server import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "registry") as running:
        yield running
