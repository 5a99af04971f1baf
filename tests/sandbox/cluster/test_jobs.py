"""Jobs run their commands on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ghapp.sandbox.cluster import volumes
from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, eventually, fresh, good, job, refused


def finished(api: Client, name: str) -> str:
    def look() -> str:
        found = api.get("jobs", name).get("status", {}).get("conditions") or []
        return next((c["type"] for c in found if c["type"] in ("Complete", "Failed")), "")

    return eventually(look, 20)


def pod_of(api: Client, name: str) -> dict[str, Any]:
    found = eventually(lambda: api.get("pods", labelSelector=f"job-name={name}")["items"])
    return dict(found[0])


def log(api: Client, pod: str, **query: Any) -> str:
    answer = api.call("GET", api.path("pods", pod, "log"), **query)
    assert answer.status_code == 200, answer.text
    return answer.text


def container(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["spec"]["template"]["spec"]["containers"][0]
    return found


def test_a_job_completes_and_its_log_stays(api: Client) -> None:
    api.create("jobs", job("j", "echo one; echo two >&2"))
    assert finished(api, "j") == "Complete"
    status = api.get("jobs", "j")["status"]
    assert status["succeeded"] == 1 and status["completionTime"]
    pod = pod_of(api, "j")
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert log(api, pod["metadata"]["name"]) == "one\ntwo\n"
    assert log(api, pod["metadata"]["name"], tailLines=1) == "two\n"


def test_a_job_that_fails_is_tried_as_often_as_it_says(api: Client) -> None:
    api.create("jobs", job("j", "exit 3", backoffLimit=1))
    assert finished(api, "j") == "Failed"
    conditions = api.get("jobs", "j")["status"]["conditions"]
    assert {c["reason"] for c in conditions} == {"BackoffLimitExceeded"}
    tries = api.get("pods", labelSelector="job-name=j")["items"]
    codes = [t["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for t in tries]
    assert codes == [3, 3]


def test_a_container_is_restarted_in_place_where_the_job_says_so(api: Client) -> None:
    body = job("j", "test -e /tmp/again && exit 0; touch /tmp/again; exit 1", backoffLimit=2)
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    api.create("jobs", body)
    assert finished(api, "j") == "Complete"
    assert pod_of(api, "j")["status"]["containerStatuses"][0]["restartCount"] == 1


def test_several_completions_need_several_pods(api: Client) -> None:
    api.create("jobs", job("j", "true", completions=3, parallelism=2))
    assert finished(api, "j") == "Complete"
    assert api.get("jobs", "j")["status"]["succeeded"] == 3


def test_variables_come_from_everywhere(api: Client) -> None:
    api.create("configmaps", config_map("conf", color="blue", size="9"))
    api.create("secrets", {"metadata": {"name": "key"}, "stringData": {"token": "s3cret"}})
    body = job("j", 'echo "$COLOR $X_size $TOKEN $POD_NAMESPACE $LABEL $BOTH $CPU $MAYBE"')
    container(body).update(
        env=[
            {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "color"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['job-name']"}}},
            {"name": "BOTH", "value": "$(COLOR)-$(NOBODY)-$$(COLOR)"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
            {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}},
        ],
        envFrom=[{"prefix": "X_", "configMapRef": {"name": "conf"}}],
        resources={"limits": {"cpu": "1500m"}},
    )
    api.create("jobs", body)
    assert finished(api, "j") == "Complete"
    expected = f"blue 9 s3cret {api.namespace} j blue-$(NOBODY)-$(COLOR) 1500 \n"
    assert log(api, pod_of(api, "j")["metadata"]["name"]) == expected


def test_volumes_are_shared_and_stand_where_they_are_mounted(api: Client) -> None:
    api.create("configmaps", config_map("conf", file="content\n"))
    body = job("j", "cat first /var/run/conf/renamed; pwd; ls /var/run/conf")
    pod = body["spec"]["template"]["spec"]
    pod["volumes"] = [
        {"name": "work", "emptyDir": {}},
        {"name": "conf", "configMap": {"name": "conf", "items": [{"key": "file", "path": "renamed"}]}},
    ]
    work = {"name": "work", "mountPath": "/workspace"}
    pod["initContainers"] = [
        {"name": "init", "image": "x", "command": ["sh", "-c", "echo made > /workspace/first"], "volumeMounts": [work]}
    ]
    container(body).update(
        workingDir="/workspace", volumeMounts=[work, {"name": "conf", "mountPath": "/var/run/conf", "readOnly": True}]
    )
    api.create("jobs", body)
    assert finished(api, "j") == "Complete"
    name = pod_of(api, "j")["metadata"]["name"]
    assert log(api, name, container="main") == "made\ncontent\n/workspace\nrenamed\n"


def test_a_claim_keeps_its_files_from_one_job_to_the_next(api: Client) -> None:
    for name, script in (("one", "echo kept > /data/file"), ("two", "cat /data/file")):
        body = job(name, script)
        body["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]
        container(body)["volumeMounts"] = [{"name": "d", "mountPath": "/data"}]
        api.create("jobs", body)
        assert finished(api, name) == "Complete"
    assert log(api, pod_of(api, "two")["metadata"]["name"]) == "kept\n"


def test_an_init_container_that_fails_fails_the_pod(api: Client) -> None:
    body = job("j", "echo never")
    init = {"name": "init", "image": "x", "command": ["sh", "-c", "echo broken; exit 1"]}
    body["spec"]["template"]["spec"]["initContainers"] = [init]
    api.create("jobs", body)
    assert finished(api, "j") == "Failed"
    name = pod_of(api, "j")["metadata"]["name"]
    assert (log(api, name, container="init"), log(api, name, container="main")) == ("broken\n", "")


def test_a_missing_secret_is_waited_for(api: Client) -> None:
    body = job("j", "echo $A")
    container(body)["env"] = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "late", "key": "a"}}}]
    api.create("jobs", body)

    def waiting() -> dict[str, Any]:
        statuses = pod_of(api, "j").get("status", {}).get("containerStatuses") or [{}]
        return dict(statuses[0].get("state", {}).get("waiting", {}))

    said = eventually(lambda: waiting() if waiting().get("reason") == "CreateContainerConfigError" else None)
    assert said["message"] == 'secret "late" not found'
    api.create("secrets", {"metadata": {"name": "late"}, "stringData": {"a": "here"}})
    assert finished(api, "j") == "Complete"


def test_a_job_is_stopped_at_its_deadline(api: Client, tmp_path: Path) -> None:
    api.create("jobs", job("j", "sleep 600", activeDeadlineSeconds=1))
    assert finished(api, "j") == "Failed"
    assert {c["reason"] for c in api.get("jobs", "j")["status"]["conditions"]} == {"DeadlineExceeded"}
    eventually(lambda: not api.get("pods", labelSelector="job-name=j")["items"])


def running(marker: str) -> bool:
    """Whether a process with this text in its command line runs on the machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker in (entry / "cmdline").read_bytes().decode(errors="replace"):
                    return True
            except OSError:
                continue
    return False


def test_deleting_a_job_kills_everything_that_it_started(api: Client) -> None:
    marker = f"marker-{api.namespace}"
    api.create("jobs", job("j", f"(sleep 600; : {marker}) & sleep 600; : {marker}"))
    eventually(lambda: running(marker))
    api.delete("jobs", "j", {"propagationPolicy": "Background"})
    eventually(lambda: not running(marker))


def test_stopping_the_cluster_kills_its_jobs() -> None:
    with Cluster() as cluster:
        api = fresh(cluster)
        marker = f"marker-{api.namespace}"
        api.create("jobs", job("j", f"sleep 600; : {marker}"))
        eventually(lambda: running(marker))
    eventually(lambda: not running(marker))


def test_a_finished_job_goes_when_its_time_is_over(api: Client) -> None:
    api.create("jobs", job("j", "true", ttlSecondsAfterFinished=0))
    eventually(lambda: api.find("jobs", "j") is None, 20)
    eventually(lambda: not api.get("pods", labelSelector="job-name=j")["items"])


def test_a_suspended_job_waits(api: Client) -> None:
    api.create("jobs", job("j", "true", suspend=True))
    eventually(lambda: api.get("jobs", "j").get("status", {}).get("conditions"))
    assert api.get("pods", labelSelector="job-name=j")["items"] == []
    api.patch("jobs", "j", {"spec": {"suspend": False}})
    assert finished(api, "j") == "Complete"


def test_a_log_is_followed_to_its_end(api: Client) -> None:
    api.create("jobs", job("j", "echo first; sleep 0.3; echo last"))
    name = pod_of(api, "j")["metadata"]["name"]
    eventually(lambda: log(api, name))
    began = time.monotonic()
    with api.session.get(api.path("pods", name, "log"), params={"follow": "true"}, stream=True, timeout=20) as answer:
        lines = [line.decode() for line in answer.iter_lines()]
    assert lines == ["first", "last"]
    assert time.monotonic() - began < 15


def test_logs_of_containers_that_are_not_there(api: Client) -> None:
    pod = {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}
    api.create("pods", {"metadata": {"name": "p"}, "spec": pod})
    assert "must be specified" in refused(api.call("GET", api.path("pods", "p", "log")), 400)
    assert "is not valid" in refused(api.call("GET", api.path("pods", "p", "log"), container="c"), 400)
    assert log(api, "p", container="a") == ""


@pytest.mark.parametrize("restart", ["Never", "OnFailure"])
def test_a_pod_with_a_command_of_its_own_runs_too(api: Client, restart: str) -> None:
    spec = {"restartPolicy": restart, "containers": [{"name": "a", "image": "x", "command": ["echo", "hello"]}]}
    api.create("pods", {"metadata": {"name": "p"}, "spec": spec})
    eventually(lambda: good(api.call("GET", api.path("pods", "p")))["status"].get("phase") == "Succeeded")
    assert log(api, "p") == "hello\n"


def test_without_bubblewrap_paths_of_volumes_are_put_in_place_of_their_mounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(volumes, "can_wrap", lambda: False)
    with Cluster(data_dir=tmp_path) as cluster:
        api = fresh(cluster)
        body = job("j", "echo kept > /data/file; cat $WHERE; pwd")
        body["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "emptyDir": {}}]
        container(body).update(
            workingDir="/data",
            env=[{"name": "WHERE", "value": "/data/file"}],
            volumeMounts=[{"name": "d", "mountPath": "/data"}],
        )
        api.create("jobs", body)
        assert finished(api, "j") == "Complete"
        first, second = log(api, pod_of(api, "j")["metadata"]["name"]).splitlines()
        assert (first, Path(second).name) == ("kept", "d")
