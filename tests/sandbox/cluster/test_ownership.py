"""Server-side apply: who owns what after each step, and what becomes of the object.

The scenarios are those by which the API's structured merge is specified: one applier, several, updaters between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ghapp.sandbox.cluster import fields, ownership
from ghapp.sandbox.cluster.models import model
from ghapp.sandbox.cluster.ownership import Conflict, Manager, Owners
from ghapp.sandbox.cluster.types import Object, Type

VERSION = "v1"
ENV = 'k:{"name":"A"}'


@dataclass
class Live:
    """An object as it goes through applies and updates."""

    type: Type = field(default_factory=lambda: model("V1ConfigMap"))
    object: Object = field(default_factory=dict)
    owners: Owners = field(default_factory=dict)
    clock: int = 0

    def apply(self, manager: str, config: Object, *, force: bool = False) -> Live:
        self.clock += 1
        self.object, self.owners = ownership.apply(
            self.object,
            config,
            self.type,
            self.owners,
            manager=manager,
            version=VERSION,
            time=str(self.clock),
            force=force,
        )
        self.object = {k: v for k, v in self.object.items() if v is not None}
        return self

    def update(self, manager: str, new: Object, subresource: str = "") -> Live:
        self.clock += 1
        self.owners = ownership.update(
            self.object, new, self.type, self.owners,
            manager=manager, version=VERSION, time=str(self.clock), subresource=subresource,
        )  # fmt: skip
        self.object = new
        return self

    def owned(self, name: str) -> list[str]:
        return [fields.dotted(p) for m, o in self.owners.items() if m.name == name for p in fields.paths(o.fields)]


def data(**values: str) -> Object:
    return {"data": values}


def test_an_applier_owns_what_it_sets() -> None:
    live = Live().apply("one", data(a="1", b="2"))
    assert live.object == data(a="1", b="2")
    assert live.owned("one") == [".data.a", ".data.b"]


def test_a_field_that_its_only_applier_drops_goes() -> None:
    live = Live().apply("one", data(a="1", b="2")).apply("one", data(a="1"))
    assert live.object == data(a="1")
    assert live.owned("one") == [".data.a"]


def test_a_field_that_two_appliers_set_alike_stays_until_both_drop_it() -> None:
    live = Live().apply("one", data(a="1", b="2")).apply("two", data(b="2"))
    live.apply("one", data(a="1"))
    assert live.object == data(a="1", b="2")
    assert live.owned("two") == [".data.b"]
    live.apply("two", {})
    assert live.object == data(a="1")
    assert live.owned("two") == []


def test_another_value_for_somebodys_field_is_a_conflict() -> None:
    live = Live().apply("one", data(a="1", b="2"))
    with pytest.raises(Conflict) as refused:
        live.apply("two", data(a="9"))
    assert str(refused.value) == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert refused.value.causes == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    ]
    with pytest.raises(Conflict) as refused:
        live.apply("two", data(a="9", b="9"))
    assert str(refused.value) == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'


def test_a_conflict_with_an_update_says_when_and_through_what() -> None:
    live = Live(type=model("V1Deployment")).update("kubectl", {"spec": {"replicas": 1}})
    live.update("scaler", {"spec": {"replicas": 2}}, subresource="scale")
    with pytest.raises(Conflict) as refused:
        live.apply("one", {"spec": {"replicas": 3}})
    assert 'conflict with "scaler" with subresource "scale" using v1 at 2: .spec.replicas' in str(refused.value)


def test_force_takes_the_field_over() -> None:
    live = Live().apply("one", data(a="1", b="2")).apply("two", data(a="9"), force=True)
    assert live.object == data(a="9", b="2")
    assert (live.owned("one"), live.owned("two")) == ([".data.b"], [".data.a"])


def test_the_same_value_is_shared_without_force() -> None:
    live = Live().apply("one", data(a="1")).apply("two", data(a="1"))
    assert (live.owned("one"), live.owned("two")) == ([".data.a"], [".data.a"])


def test_an_update_takes_over_what_it_changes_and_only_that() -> None:
    live = Live().apply("one", data(a="1", b="2")).update("editor", data(a="9", b="2"))
    assert (live.owned("one"), live.owned("editor")) == ([".data.b"], [".data.a"])


def test_what_an_update_added_survives_an_applier_that_never_had_it() -> None:
    live = Live().apply("one", data(a="1")).update("editor", data(a="1", b="2")).apply("one", data(a="1"))
    assert live.object == data(a="1", b="2")


def test_what_an_update_changed_back_is_not_the_appliers_any_more() -> None:
    live = Live().apply("one", data(a="1", b="2")).update("editor", data(a="9", b="2"))
    live.apply("one", data(b="2"))
    assert live.object == data(a="9", b="2"), "the applier lost the field before it dropped it"


def test_a_field_that_an_update_removed_belongs_to_nobody() -> None:
    live = Live().apply("one", data(a="1", b="2")).update("editor", data(a="1"))
    assert live.owned("one") == [".data.a"]
    assert live.owned("editor") == []


def test_a_field_that_an_updater_also_owns_stays_when_its_applier_drops_it() -> None:
    live = Live().update("editor", data(a="1")).apply("one", data(a="1")).apply("one", {})
    assert live.object == data(a="1")


def test_fields_from_before_management_are_kept_by_a_first_apply() -> None:
    live = Live(object={"metadata": {"uid": "1"}, "data": {"a": "1", "b": "2"}})
    live.apply("one", data(a="1"))
    assert live.object["data"] == {"a": "1", "b": "2"}
    assert live.owned("before-first-apply") == [".data", ".data.a", ".data.b"]


def test_an_apply_that_changes_nothing_changes_no_time() -> None:
    live = Live().apply("one", data(a="1"))
    before = ownership.encode(live.owners)
    live.apply("one", data(a="1"))
    assert ownership.encode(live.owners) == before


def test_an_empty_map_is_owned_once_more_after_another_manager_filled_it() -> None:
    config = {"metadata": {"annotations": {}}}
    live = Live().apply("one", config)
    live.object = {"metadata": {}}  # the server does not store empty maps
    live.update("editor", {"metadata": {"annotations": {"a": "b"}}})
    assert live.owned("one") == []
    live.apply("one", config)
    assert live.object == {"metadata": {"annotations": {"a": "b"}}}
    again = ownership.encode(live.owners)
    live.apply("one", config)
    assert ownership.encode(live.owners) == again


def test_names_and_what_the_server_sets_belong_to_nobody() -> None:
    meta = {"name": "x", "namespace": "y", "labels": {"a": "b"}}
    live = Live().apply("one", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    assert live.owned("one") == [".metadata.labels.a"]


# Lists of a real kind.


def deployment(*containers: Object, **spec: Any) -> Object:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}, **spec}}


def containers(live: Live) -> list[Object]:
    found: list[Object] = live.object["spec"]["template"]["spec"]["containers"]
    return found


def test_a_container_that_its_applier_drops_goes_and_a_foreign_one_stays() -> None:
    live = Live(type=model("V1Deployment")).apply(
        "one", deployment({"name": "a", "image": "1"}, {"name": "b", "image": "1"})
    )
    live.update("injector", deployment(*containers(live), {"name": "sidecar", "image": "s"}))
    live.apply("one", deployment({"name": "a", "image": "1"}))
    assert [c["name"] for c in containers(live)] == ["a", "sidecar"]


def test_an_item_that_others_added_to_keeps_their_fields_and_its_key() -> None:
    live = Live(type=model("V1Deployment")).apply("one", deployment({"name": "a", "image": "1"}))
    live.apply("two", deployment({"name": "a", "env": [{"name": "A", "value": "1"}]}))
    live.apply("one", deployment())
    assert containers(live) == [{"name": "a", "env": [{"name": "A", "value": "1"}]}]


def test_an_environment_variable_goes_without_touching_its_neighbours() -> None:
    both = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    live = Live(type=model("V1Deployment")).apply("one", deployment({"name": "a", "env": both}))
    live.apply("one", deployment({"name": "a", "env": both[1:]}))
    assert containers(live)[0]["env"] == both[1:]


def test_an_atomic_list_is_one_field() -> None:
    live = Live(type=model("V1Deployment")).apply("one", deployment({"name": "a", "args": ["x", "y"]}))
    with pytest.raises(Conflict, match=r"\.args$"):
        live.apply("two", deployment({"name": "a", "args": ["x", "y", "z"]}))


def test_ports_that_differ_in_protocol_alone_are_two() -> None:
    tcp, udp = {"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}
    live = Live(type=model("V1Deployment")).apply("one", deployment({"name": "a", "ports": [tcp, udp]}))
    live.apply("one", deployment({"name": "a", "ports": [udp]}))
    assert containers(live)[0]["ports"] == [udp]


def test_a_set_loses_only_the_item_that_was_dropped() -> None:
    live = Live().apply("one", {"metadata": {"finalizers": ["a/1", "a/2"]}})
    live.apply("two", {"metadata": {"finalizers": ["a/2", "a/3"]}})
    live.apply("one", {"metadata": {"finalizers": ["a/1"]}})
    assert sorted(live.object["metadata"]["finalizers"]) == ["a/1", "a/2", "a/3"]
    live.apply("two", {"metadata": {"finalizers": ["a/3"]}})
    assert sorted(live.object["metadata"]["finalizers"]) == ["a/1", "a/3"]


# managedFields as they are written.


def test_entries_round_trip_with_appliers_first_and_then_by_time() -> None:
    live = Live().update("late", data(a="1")).update("later", data(a="1", b="2"), subresource="status")
    live.apply("one", data(c="3"))
    entries = ownership.encode(live.owners)
    assert [(e["manager"], e["operation"], e.get("subresource")) for e in entries] == [
        ("one", "Apply", None),
        ("late", "Update", None),
        ("later", "Update", "status"),
    ]
    assert ownership.decode(entries) == live.owners


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"operation": "Replace", "apiVersion": "v1", "fieldsType": "FieldsV1"}, "operation must be"),
        ({"operation": "Apply", "fieldsType": "FieldsV1"}, "apiVersion must not be empty"),
        ({"operation": "Apply", "apiVersion": "v1"}, "missing fieldsType"),
    ],
)
def test_entries_that_are_none_are_refused(entry: Object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ownership.decode([entry])


def test_the_oldest_updaters_are_folded_into_one() -> None:
    live = Live()
    for i in range(ownership.MAX_UPDATERS + 3):
        live.update(f"editor-{i:02}", {"data": {**live.object.get("data", {}), f"k{i:02}": "v"}})
    names = [m.name for m in live.owners]
    assert len(names) == ownership.MAX_UPDATERS
    assert ".data.k00" in live.owned("ancient-changes")
    assert Manager("editor-12", "Update", VERSION) in live.owners
