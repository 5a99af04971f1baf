"""The change in the cluster, as a reviewer reads it."""

from __future__ import annotations

from typing import Any

from ghapp.render.diff import Change, diff, images
from ghapp.render.manifests import Manifest


def deployment(image: str, replicas: int = 1, **extra: Any) -> Manifest:
    containers = [{"name": "web", "image": image}, *extra.pop("more", [])]
    return Manifest(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", **extra},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
        }
    )


def config(name: str) -> Manifest:
    return Manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def test_added_changed_removed() -> None:
    result = diff([deployment("a:1"), config("old")], [deployment("a:2", 3), config("new")])
    assert [str(m) for m in result.added] == ["ConfigMap/new"]
    assert [str(m) for m in result.removed] == ["ConfigMap/old"]
    assert result.changed["Deployment/web"] == (
        Change("spec.replicas", 1, 3),
        Change("spec.template.spec.containers[web].image", "a:1", "a:2"),
    )
    assert result.summary() == "1 added, 1 changed, 1 removed"


def test_an_inserted_container_is_one_change() -> None:
    sidecar = {"name": "a-sidecar", "image": "s"}
    (change,) = diff([deployment("a")], [deployment("a", more=[sidecar])]).changed["Deployment/web"]
    assert change == Change("spec.template.spec.containers[a-sidecar]", None, sidecar)


def test_keys_with_dots_stay_readable() -> None:
    labelled = deployment("a", labels={"app.kubernetes.io/name": "x"})
    (change,) = diff([deployment("a", labels={})], [labelled]).changed["Deployment/web"]
    assert change.path == 'metadata.labels["app.kubernetes.io/name"]'


def test_values_of_secrets_are_never_shown() -> None:
    def secret(value: str) -> Manifest:
        return Manifest({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": value}})

    changes = diff([secret("hunter2")], [secret("hunter3")]).changed["Secret/s"]
    assert changes == (Change("stringData.p", "(hidden)", "(hidden)"),)


def test_nothing_differs() -> None:
    assert diff([deployment("a")], [deployment("a")]).empty


def test_images_by_name() -> None:
    assert images([deployment("reg:5000/a/web:1@sha256:0")]) == {"reg:5000/a/web": "reg:5000/a/web:1@sha256:0"}
