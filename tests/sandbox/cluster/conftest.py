"""A cluster for all tests of a process, and a namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import QUICK, Client, fresh


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with Cluster(pace=QUICK) as running:
        yield running


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster that a test may spoil."""
    with Cluster(pace=QUICK) as running:
        yield running


@pytest.fixture
def api(shared_cluster: Cluster) -> Client:
    return fresh(shared_cluster)
