"""Plugins are tried where steps are: in the same ground."""

from tests.jobs.pipeline.conftest import ground

__all__ = ["ground"]
