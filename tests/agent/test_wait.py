"""Waiting for health: named timeouts, fast failures, and an end to it when a newer commit is there."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.conformance


@pytest.fixture
def widget(place: Any, widgets: Any) -> Any:
    """A function: set the Ready condition (or any status) of the widget ``name``; and the files that hold widgets."""
    version = widgets["api_version"]

    class Widgets:
        files = staticmethod(
            lambda *names: {
                "crd/crd.yaml": widgets["definition"],
                "shop/a.yaml": [
                    {"apiVersion": version, "kind": "Widget", "metadata": {"name": n}, "spec": {}} for n in names
                ],
            }
        )

        @staticmethod
        def status(name: str, **status: Any) -> None:
            place.api.merge(place.path("widgets", name, version) + "/status", {"status": status})

        @classmethod
        def ready(cls, name: str, value: str, message: str = "") -> None:
            cls.status(name, conditions=[{"type": "Ready", "status": value, "message": message}])

        get = staticmethod(lambda name: place.get("widgets", name, version))

    assert place.sync(Widgets.files("one", "two")).ok
    return Widgets


def test_waiting_ends_when_everything_is_well(place: Any, widget: Any) -> None:
    widget.ready("one", "False", "warming up")
    lists = 0

    def recover(method: str, path: str) -> None:
        nonlocal lists
        lists += path.partition("?")[0].endswith("/widgets")
        if lists == 3:
            lists += 1
            place.gateway.on_request = None
            widget_ready()

    import threading

    def widget_ready() -> None:
        threading.Thread(target=lambda: widget.ready("one", "True")).start()

    place.gateway.on_request = recover
    outcome = place.sync(wait=True, timeout=20)
    assert outcome.ok, outcome.errors()
    assert lists >= 3


def test_a_timeout_names_what_was_not_well_and_why(place: Any, widget: Any) -> None:
    widget.ready("two", "False", "no disk")
    outcome = place.sync(wait=True, timeout=0.3)
    assert not outcome.ok
    (failure,) = outcome.failures
    assert failure.object == f"Widget {place.namespace}/two"
    assert failure.message == "not healthy after 0.3 s: no disk"
    assert outcome.applied_sha == outcome.sha, "it is applied all the same"


def test_a_failure_ends_the_waiting_at_once(place: Any, widget: Any) -> None:
    widget.status("one", conditions=[{"type": "Stalled", "status": "True", "message": "bad spec"}])
    outcome = place.sync(wait=True, timeout=300)
    (failure,) = outcome.failures
    assert failure.message == "failed: bad spec"


def test_without_waiting_nothing_is_waited_for(place: Any, widget: Any) -> None:
    widget.ready("one", "False")
    assert place.sync(wait=False).ok


def test_a_newer_commit_ends_the_waiting_and_is_applied(place: Any, widget: Any) -> None:
    widget.ready("one", "False", "never")
    pushed: list[str] = []

    def push(method: str, path: str) -> None:
        if path.partition("?")[0].endswith("/widgets") and not pushed:
            files = {**widget.files("two"), "shop/b.yaml": [place.cm("newer"), place.cm("c")]}
            pushed.append(place.repository.commit(files))

    place.gateway.on_request = push
    outcome = place.sync({**widget.files("one", "two"), "shop/c.yaml": place.cm("c")}, wait=True, timeout=60)
    assert outcome.ok, outcome.errors()
    assert outcome.sha == outcome.applied_sha == pushed[0]
    assert place.get("configmaps", "newer")
    assert widget.get("one") is None


def test_one_apps_waiting_does_not_hold_another(place: Any, widget: Any) -> None:
    widget.ready("one", "False", "never")
    files = {**widget.files("one", "two"), "other/o.yaml": place.cm("o")}
    outcome = place.sync(files, wait=True, timeout=0.5)
    assert {a.app: a.state for a in outcome.apps} == {"crd": "success", "other": "success", "shop": "failure"}
