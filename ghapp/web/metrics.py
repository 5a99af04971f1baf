"""``/metrics`` for Prometheus: what the queue holds and what was done, for all processes, as Redis knows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from ghapp.web.app import connections

if TYPE_CHECKING:
    from prometheus_client.core import Metric

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    from jobs.metrics import Measured, measure

    class Collector:
        def collect(self) -> Iterator[Metric]:
            return _families(measure(connections().redis))

    def _families(measured: Measured) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, help_text, label, values in measured.gauges:
            gauge = GaugeMetricFamily(f"ghapp_{name}", help_text, labels=[label] if label else [])
            for key, value in values.items():
                gauge.add_metric([key] if label else [], value)
            yield gauge
        for name, help_text, labels, counts in measured.counters:
            counter = CounterMetricFamily(f"ghapp_{name}", help_text, labels=labels)
            for keys, value in counts.items():
                counter.add_metric(list(keys), value)
            yield counter

    registry = CollectorRegistry()
    registry.register(Collector())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
