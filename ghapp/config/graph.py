"""The order of environments: names that exist, none twice, and no circle."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ghapp.config.model import App
from policies.yamltext import Document, Problem


def order_problems(app: App, document: Document) -> Iterator[Problem]:
    """Duplicate and unknown environments, and circles among them."""
    environments = app.deploy.environments
    names = [e.name for e in environments]
    for i, environment in enumerate(environments):
        where = ("deploy", "environments", i)
        if environment.name in names[:i]:
            yield document.problem((*where, "name"), f"the environment {environment.name!r} is declared twice")
        for upstream in environment.upstreams:
            if upstream not in names:
                fix = f"declare it, or name one of {', '.join(n for n in names if n != environment.name) or 'none'}"
                yield document.problem((*where, "after"), f"the environment {upstream!r} does not exist", fix)
    try:
        TopologicalSorter({e.name: e.upstreams for e in environments}).prepare()
    except CycleError as e:
        circle = " → ".join(reversed(e.args[1]))
        yield document.problem(
            ("deploy", "environments"), f"environments wait for each other: {circle}", "break the circle"
        )


def environments_in_order(app: App) -> list[str]:
    """Every environment after those it waits for; declaration order where the graph leaves it open."""
    return list(TopologicalSorter({e.name: e.upstreams for e in app.deploy.environments}).static_order())
