"""The pure parts by tables: YAML as kubectl reads it, normalising, order, plan, comparison, the brake, the schedule."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from ghapp.agent import compare, fields, guard, names, order, plan, schedule
from ghapp.agent.environment import Environment
from ghapp.agent.gate import Gate, gate
from ghapp.agent.kube.body import encode
from ghapp.agent.kube.kinds import Kind
from ghapp.agent.normalise import Refused, flatten, normalise
from ghapp.agent.objects import Desired, Key, Live, Record
from ghapp.agent.yamlfile import Unreadable, load

CM = Kind("", "v1", "ConfigMap", "configmaps", True)
SECRET = Kind("", "v1", "Secret", "secrets", True)
CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


# --- YAML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0644", 420), ("0o644", 420), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("099", 99), ("-5", -5), ("+5", 5),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("yes", True), ("off", False), ("y", "y"), ("n", "n"),
        ("~", None), ("null", None), ("", None), ("'0644'", "0644"), ("!!str 5", "5"), ("! 5", "5"),
        ("2020-01-01", "2020-01-01"), ("12:30", "12:30"), ("1.2.3", "1.2.3"), (".inf", ".inf"), ("0x", "0x"),
        ("99999999999999999999", 1e20), ("|\n  a\n  b\n", "a\nb\n"), ("!!float 5", 5.0), ("!!bool yes", True),
    ],
)  # fmt: skip
def test_scalars_mean_what_they_mean_to_kubectl(text: str, value: Any) -> None:
    (document,) = load(f"a: {text}\n".encode(), "x.yaml")
    assert document == {"a": value}
    assert type(document["a"]) is type(value)


def test_several_documents_merges_and_anchors() -> None:
    text = b"---\na: &m {x: 1, y: 2}\nb: {<<: *m, y: 3}\n---\n---\nc: [1]\n...\n"
    assert load(text, "x.yaml") == [{"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}, {"c": [1]}]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("a: 1\nb: 2\na: 3", "x.yaml", "x.yaml:3: the key 'a' is written twice"),
        ('{"a": 1, "a": 2}', "x.json", "the key 'a' is written twice"),
        ('{"a": NaN}', "x.json", "NaN is not JSON"),
        ("{", "x.json", "x.json"),
        ("[" * 100_000, "x.json", "nested too deeply"),
        ("- " * 100_000, "x.yaml", "levels deep"),
        ("? [a]\n: 1", "x.yaml", "not a plain string"),
        ("a: !!python/object:os.system x", "x.yaml", "not one that Kubernetes understands"),
        ("a: *b", "x.yaml", "alias"),
    ],
)
def test_text_that_is_refused(text: str, name: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said.replace("(", r"\(")):
        load(text.encode(), name)


# --- normalising ------------------------------------------------------------------------------------


def normal(document: dict[str, Any], kind: Kind = CM) -> tuple[Desired, dict[str, Any]]:
    found = normalise(document, kind, "shop", "shop/a.yaml", "space")
    return found, orjson.loads(found.body)


def test_what_a_server_writes_is_dropped_and_nothing_given_is_changed() -> None:
    meta = {
        "name": "c", "uid": "u", "resourceVersion": "7", "managedFields": [{}], "generation": 3, "selfLink": "/x",
        "creationTimestamp": None, "annotations": {}, "labels": None,
    }  # fmt: skip
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}, "status": {"x": 1}}
    before = orjson.dumps(given)
    one, sent = normal(given)
    assert sent == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "space", "labels": {names.LABEL_APP: "shop"}},
        "data": {"a": "1"},
    }
    assert orjson.dumps(given) == before
    assert one.key == Key("", "ConfigMap", "space", "c")


def test_string_data_is_folded_and_wins() -> None:
    given = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "x", "b": "ü"}}
    _, sent = normal({**given, "data": {"a": "b2xk", "c": None}}, SECRET)
    assert "stringData" not in sent
    assert sent["data"] == {"a": base64.b64encode(b"x").decode(), "b": base64.b64encode("ü".encode()).decode(), "c": ""}


@pytest.mark.parametrize(("bundle", "kept"), [("Cg==", False), ("", False), ("!", False)])
def test_an_authority_that_is_no_certificate_is_stripped(bundle: str, kept: bool) -> None:
    webhook = {"clientConfig": {"caBundle": bundle, "url": "https://x"}, "conversionReviewVersions": ["v1"]}
    spec = {"conversion": {"strategy": "Webhook", "webhook": webhook}}
    _, sent = normal(
        {"apiVersion": "v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": spec}, CRD
    )
    assert ("caBundle" in sent["spec"]["conversion"]["webhook"]["clientConfig"]) is kept


def test_lists_are_flattened() -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert list(
        flatten({"apiVersion": "v1", "kind": "List", "items": [item, {"kind": "ConfigMapList", "items": [item]}]}, "f")
    )
    with pytest.raises(Refused):
        list(flatten({"kind": "List", "items": [{"kind": "ConfigMap"}]}, "f"))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("🚀", "🚀".encode()),
        ("\x7f", rb"\u007f"),
        ("\u0085", rb"\u0085"),
        ("\u2028", rb"\u2028"),
        ("\ufeff", rb"\ufeff"),
    ],
)
def test_bodies_are_safe_to_be_read_as_yaml(text: str, sent: bytes) -> None:
    body = encode({"k": text})
    assert sent in body
    assert orjson.loads(body) == {"k": text}


# --- order and plan ---------------------------------------------------------------------------------


def desired(kind: str, name: str = "x", **more: Any) -> Desired:
    return Desired(Key("", kind, "n", name), Kind("", "v1", kind, kind.lower(), True), "shop", b"{}", "d1", **more)


def test_steps_follow_waves_and_then_kinds() -> None:
    kinds = (
        "Deployment",
        "Namespace",
        "RoleBinding",
        "Role",
        "ValidatingWebhookConfiguration",
        "ServiceAccount",
        "Widget",
    )
    objects = [*map(desired, kinds), desired("ConfigMap", "late", wave=1), desired("ConfigMap", "early", wave=-1)]
    steps = [[o.key.kind for o in step.objects] for step in order.steps(objects)]
    assert steps == [
        ["ConfigMap"], ["Namespace"], ["ServiceAccount"], ["Role"], ["RoleBinding"], ["Deployment", "Widget"],
        ["ValidatingWebhookConfiguration"], ["ConfigMap"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("depends", "loop"),
    [({}, []), ({"a": ("b",), "b": ("c",)}, []), ({"a": ("b",), "b": ("a",)}, ["a", "b"]), ({"a": ("a",)}, ["a"])],
)
def test_circles_are_found(depends: dict[str, tuple[str, ...]], loop: list[str]) -> None:
    assert order.circle(depends) == loop


OURS = [{"manager": "ghapp", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}}]
THEIRS = [{"manager": "ghapp", "operation": "Apply", "fieldsV1": {"f:data": {}}}]


def live(version: str = "5", managed: Any = None, *, terminating: bool = False, app: str = "shop") -> Live:
    key, kind = Key("", "ConfigMap", "n", "x"), CM
    return Live(key, kind, "u", version, app, terminating, OURS if managed is None else managed, {})


def record(digest: str = "d1", version: str = "5") -> Record:
    return Record(Key("", "ConfigMap", "n", "x"), "v1", "shop", digest, version, fields.fingerprint(OURS))


@pytest.mark.parametrize(
    ("one", "remembered", "there", "action"),
    [
        (desired("ConfigMap"), None, None, plan.Action.APPLY),
        (desired("ConfigMap"), record(), None, plan.Action.APPLY),
        (desired("Job", expires=True), record(), None, plan.Action.NOTHING),
        (desired("Job", expires=True), None, None, plan.Action.APPLY),
        (desired("ConfigMap"), record(), live(terminating=True), plan.Action.APPLY),
        (desired("ConfigMap", once=True), None, live(), plan.Action.NOTHING),
        (desired("ConfigMap"), record("d0"), live(), plan.Action.APPLY),
        (desired("ConfigMap"), record(), live(), plan.Action.NOTHING),
        (desired("ConfigMap"), record(), live("6"), plan.Action.NOTHING),
        (desired("ConfigMap"), record(), live("6", THEIRS), plan.Action.COMPARE),
        (desired("ConfigMap"), record(), live("5", app="other"), plan.Action.COMPARE),
        (desired("ConfigMap"), record(version=""), live(), plan.Action.COMPARE),
        (desired("ConfigMap"), None, live(), plan.Action.COMPARE),
    ],
)
def test_the_plan(one: Desired, remembered: Record | None, there: Live | None, action: plan.Action) -> None:
    assert plan.decide(one, remembered, there) is action


# --- comparison -------------------------------------------------------------------------------------

OWNED = {
    "f:spec": {
        "f:replicas": {},
        "f:resources": {"f:limits": {"f:cpu": {}}},
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
        "f:args": {},
    }
}
WANTED = {"spec": {"replicas": 1, "resources": {"limits": {"cpu": "1000m"}}, "ports": [{"port": 80}], "args": ["a"]}}
STORED = {
    "spec": {
        "replicas": 1,
        "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP"}],
        "args": ["a"],
        "other": True,
    }
}


def differ(wanted: Any = None, stored: Any = None, owned: Any = None, ignore: tuple[str, ...] = ()) -> list[str]:
    managed = [{"manager": "ghapp", "operation": "Apply", "fieldsV1": owned or OWNED}]
    return [compare.shown(p) for p in compare.differences(wanted or WANTED, stored or STORED, managed, ignore)]


def test_defaults_and_additions_of_others_are_no_difference() -> None:
    assert differ() == []


def test_values_that_differ_are_named() -> None:
    assert differ(stored={"spec": {**STORED["spec"], "replicas": 2}}) == [".spec.replicas"]
    assert differ(stored={"spec": {**STORED["spec"], "args": ["a", "b"]}}) == [".spec.args"]
    assert differ(stored={"spec": {**STORED["spec"], "ports": []}}) == [".spec.ports[0]"]
    assert differ(stored={"spec": {**STORED["spec"], "replicas": 2}}, ignore=("/spec/replicas",)) == []


def test_what_we_own_and_no_longer_want_is_a_difference() -> None:
    wanted = {"spec": {k: v for k, v in WANTED["spec"].items() if k != "replicas"}}
    assert differ(wanted=wanted) == [".spec.replicas"]


def test_what_we_want_and_do_not_own_is_a_difference() -> None:
    owned = {"f:spec": {k: v for k, v in OWNED["f:spec"].items() if k != "f:args"}}
    assert differ(owned=owned) == [".spec.args"]


@pytest.mark.parametrize(
    ("a", "b", "path", "equal"),
    [
        ("1000m", "1", ("limits",), True), ("1024Mi", "1Gi", ("requests",), True), (2, "2", ("limits",), True),
        ("1.10", "1.1", ("data", "limits"), False), ("1.10", "1.1", ("env", "value"), False),
        ("1k", "1000", ("hard",), True),
        (None, {"x": 1}, (), True), ({}, None, (), True), (False, None, (), True), (True, None, (), False),
        (1, True, (), False), ("1", 1, ("data",), False), (1, 1.0, (), True), ([1], [1, 2], (), False),
    ],
)  # fmt: skip
def test_ways_of_writing(a: Any, b: Any, path: tuple[str, ...], equal: bool) -> None:
    assert compare.same(a, b, path) is equal


def test_kubectls_fields_become_ours_but_for_those_to_keep() -> None:
    edit = {
        "manager": "kubectl-edit",
        "operation": "Update",
        "fieldsV1": {"f:data": {"f:b": {}, "f:c": {}}, "f:status": {}},
    }
    status = {"manager": "kubectl", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    own, *rest = fields.adopted([edit, *OURS, status], "v1", ["/data/c"])
    assert own["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}
    assert [(e["manager"], e["fieldsV1"]) for e in rest] == [
        ("kubectl-edit", {"f:data": {"f:c": {}}}),
        ("kubectl", {"f:status": {}}),
    ]


# --- the brake, the gate, the schedule --------------------------------------------------------------


@pytest.mark.parametrize(
    ("had", "gone", "percent", "stops"),
    [(1, 1, 50, False), (2, 1, 50, False), (4, 2, 50, False), (4, 3, 50, True), (2, 2, 50, True), (3, 2, 100, False)],
)
def test_too_much_at_once(had: int, gone: int, percent: int, stops: bool) -> None:
    assert guard.too_much(had, gone, percent) is stops


def test_an_app_of_many_has_a_brake_of_its_own() -> None:
    stale = {"one": [record()] * 3}
    members = {"one": 4, "rest": 1000}
    assert guard.guard(members, stale, frozenset(members), 1001, 50).apps == {"one"}
    assert guard.guard(members, stale, frozenset(["rest"]), 1001, 50).apps == frozenset()


@pytest.mark.parametrize(
    ("suspend", "delete", "annotated", "result"),
    [
        (False, False, False, Gate.OPEN),
        (True, False, False, Gate.SUSPENDED),
        (False, False, True, Gate.SUSPENDED),
        (False, True, False, Gate.FINALISE),
        (True, True, False, Gate.SUSPENDED),
    ],
)
def test_the_gate(suspend: bool, delete: bool, annotated: bool, result: Gate) -> None:
    environment = Environment("r", "env/x", "n", suspend=suspend, delete=delete)
    assert gate(environment, annotated=annotated) is result


def test_the_schedule() -> None:
    assert [schedule.spread(100, chance) for chance in (0, 0.5, 1)] == [95, 100, 105]
    assert [schedule.retry(n, 60) for n in (1, 2, 3, 4, 5)] == [5, 10, 20, 40, 60]


def test_healing_grows_patient_and_forgets() -> None:
    patience = schedule.Patience()
    moment, waits = 1000.0, []
    for _ in range(7):
        patience.healed("x", moment)
        waits.append(patience.due("x", moment) - moment)
        moment = patience.due("x", moment)
    assert waits == [2, 6, 18, 54, 162, 300, 300]
    patience.healed("x", moment + 1000)
    assert patience.due("x", 0) == moment + 1002
    assert patience.due("never seen", moment) <= moment
