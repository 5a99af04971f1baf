"""Tasks as Kubernetes Jobs: one Job a task, restricted, with requests, limits and a deadline, its log followed.

Checkout and scratch folder lie on a volume that workers and Jobs share. Environment and secrets are in a Secret that
belongs to the Job and goes with it; the Job is deleted as soon as its end is known, else by its own time to live.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ghapp.settings import Settings
from jobs.executors import bubblewrap, kubernetes_job, watch
from jobs.executors.handover import hand_over
from jobs.executors.interface import WORKSPACE, Ended, Executor, ExecutorError, Stop, Task
from policies.quantity import format_memory

_LOOK = 0.5
_START_WITHIN = 900.0  # seconds that a Pod may wait for a node and its image
_HOPELESS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerError", "RunContainerError")


class Kubernetes:
    """The executor for clusters. Code of strangers runs under the namespace's pod security and network policy."""

    name = "kubernetes"
    isolated = True

    def __init__(self, settings: Settings) -> None:
        from kubernetes import client, config
        from kubernetes.config import ConfigException

        self._settings, self._namespace = settings, settings.kubernetes_namespace
        configuration = client.Configuration()
        try:
            if settings.kubeconfig:
                load: Any = config.load_kube_config
                load(str(settings.kubeconfig), client_configuration=configuration)
            else:
                load = config.load_incluster_config
                load(client_configuration=configuration)
        except ConfigException as e:
            raise ExecutorError(f"the kubernetes executor finds no cluster: {e}; see GHAPP_KUBECONFIG") from None
        api = client.ApiClient(configuration)
        self._batch: Any = client.BatchV1Api(api)
        self._core: Any = client.CoreV1Api(api)

    def scratch_path(self, task_scratch: Path) -> str:
        del task_scratch
        return bubblewrap.SCRATCH

    def workspace_path(self, workspace: Path) -> str:
        del workspace
        return WORKSPACE

    def run(self, task: Task, output: Callable[[bytes], None], stop: Stop) -> Ended:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        for folder in ("home", "tmp"):
            (task.scratch / folder).mkdir(parents=True, exist_ok=True)
        user = kubernetes_job.user()
        if os.geteuid() == 0:
            hand_over(task.workspace, user)
            hand_over(task.scratch, user)
        name = f"ghapp-{uuid.uuid4().hex[:16]}"
        started = time.monotonic()
        try:
            body = kubernetes_job.job(name, task, self._settings)
            uid = self._batch.create_namespaced_job(self._namespace, body).metadata.uid
            try:
                self._core.create_namespaced_secret(self._namespace, kubernetes_job.secret(name, uid, task))
                return self._follow(name, task, output, stop, started)
            finally:
                self._delete(name)
        except ApiException as e:
            raise ExecutorError(f"the cluster refuses: {e.status} {e.reason} {_message(e)}".strip()) from None
        except HTTPError as e:
            raise ExecutorError(f"the cluster cannot be reached: {e}") from None

    # --- while it runs ------------------------------------------------------------------------------
    def _follow(self, name: str, task: Task, output: Callable[[bytes], None], stop: Stop, started: float) -> Ended:
        seen = 0
        for pod in self._looks(name, task, stop, started):
            if isinstance(pod, Ended):
                return pod
            status = _container(pod)
            if status is None or status.state.waiting is not None:
                self._refuse_hopeless(pod, status, started)
                continue
            seen += self._pass_on(pod.metadata.name, seen, output, stop, task, started)
            if status.state.terminated is not None:
                return self._ended(pod, task, started)
        raise ExecutorError("the Job has vanished from the cluster: somebody deleted it")

    def _looks(self, name: str, task: Task, stop: Stop, started: float) -> Iterator[Any]:
        """The task's Pod again and again, or how the task ended without one."""
        while True:
            if stop.is_set():
                yield Ended(-9, time.monotonic() - started, stop.reason)
            if time.monotonic() - started > task.limits.timeout + _START_WITHIN:
                yield self._timed_out(task, started)
            if reason := watch.too_much_disk(task):
                yield Ended(-9, time.monotonic() - started, reason)
            job = self._batch.read_namespaced_job_status(name, self._namespace)
            pods = self._core.list_namespaced_pod(self._namespace, label_selector=f"job-name={name}").items
            failed = [c for c in job.status.conditions or () if c.type == "Failed" and c.status == "True"]
            if failed and failed[0].reason == "DeadlineExceeded":
                yield self._timed_out(task, started)
            elif pods:
                yield pods[-1]
            elif failed:
                raise ExecutorError(f"the Job failed before its Pod was there: {failed[0].message}")
            time.sleep(_LOOK)

    def _pass_on(
        self, pod: str, seen: int, output: Callable[[bytes], None], stop: Stop, task: Task, started: float
    ) -> int:
        """Follow the Pod's log from where it was left until it ends or something else has to be looked at."""
        from urllib3.exceptions import HTTPError

        answer = self._core.read_namespaced_pod_log(
            pod, self._namespace, follow=True, _preload_content=False, _request_timeout=(10, 2)
        )
        skip, passed = seen, 0
        try:
            for chunk in answer.stream(65536, decode_content=False):
                rest = chunk[skip:]
                skip = max(0, skip - len(chunk))
                if rest:
                    output(rest)
                    passed += len(rest)
                if stop.is_set() or time.monotonic() - started > task.limits.timeout:
                    break
        except HTTPError:
            pass  # nothing was printed for a while, or the connection broke: the next look goes on from here
        finally:
            answer.close()
        return passed

    def _ended(self, pod: Any, task: Task, started: float) -> Ended:
        terminated = _container(pod).state.terminated
        reason = ""
        if terminated.reason == "OOMKilled":
            reason = f"killed: it used more than its {format_memory(task.limits.memory)} of memory"
        elif pod.status.reason == "Evicted":
            reason = f"killed: {pod.status.message or 'the node needed its room'}"
        return Ended(terminated.exit_code, time.monotonic() - started, reason)

    def _timed_out(self, task: Task, started: float) -> Ended:
        sentence = f"killed after its time limit of {task.limits.timeout:g} s"
        return Ended(-9, time.monotonic() - started, sentence, timed_out=True)

    def _refuse_hopeless(self, pod: Any, status: Any, started: float) -> None:
        """Raises where waiting any longer makes no sense."""
        waiting = status.state.waiting if status is not None else None
        if waiting is not None and waiting.reason in _HOPELESS:
            raise ExecutorError(f"the step's container cannot start: {waiting.reason} {waiting.message or ''}".strip())
        if time.monotonic() - started > _START_WITHIN:
            why = next((c.message for c in pod.status.conditions or () if c.status == "False" and c.message), "")
            raise ExecutorError(
                f"no node took the step within {_START_WITHIN / 60:g} minutes: {why or 'no reason given'}"
            )

    def _delete(self, name: str) -> None:
        """End the Job and its Pods at once."""
        from kubernetes.client import ApiException

        try:
            self._core.delete_collection_namespaced_pod(
                self._namespace, label_selector=f"job-name={name}", grace_period_seconds=0
            )
            self._batch.delete_namespaced_job(name, self._namespace, propagation_policy="Background")
        except ApiException as e:
            if e.status != 404:
                raise


def _container(pod: Any) -> Any:
    statuses = pod.status.container_statuses or ()
    return statuses[0] if statuses else None


def _message(e: Any) -> str:
    return str(e.body or "")[:300]


def make(settings: Settings) -> Executor:
    return Kubernetes(settings)
