"""One step from beginning to end: whether it runs, its environment and secrets, its attempts, how it is judged.

What strangers wrote — titles, branch names, messages — reaches a step as environment variables only.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ghapp.config.model import Pipeline, Step
from ghapp.settings import Settings
from ghapp.store import Store
from jobs import plugins
from jobs.executors import Executor, ExecutorError, Limits, Stop
from jobs.pipeline import conditions, resources
from jobs.pipeline.log import StepLog
from jobs.pipeline.matchers import Matcher
from jobs.pipeline.order import Order
from jobs.pipeline.redaction import Redactor
from jobs.pipeline.resources import USUAL, Profiles
from jobs.pipeline.result import Ended, Outcome, StepResult
from jobs.pipeline.script import run_script
from jobs.pipeline.secrets import MissingSecret, Secrets
from jobs.plugins.interface import PluginError


@dataclass(frozen=True)
class Site:
    """Where a run takes place and what it may use; the same for all of its steps.

    ``mint`` gives a token of the repository with the permissions it is asked for. ``files`` are the checkout's paths.
    """

    order: Order
    pipeline: Pipeline
    workspace: Path
    scratch: Path
    executor: Executor
    store: Store
    secrets: Secrets
    settings: Settings
    stop: Stop
    mint: Callable[[Mapping[str, str]], str]
    files: frozenset[str] = frozenset()
    data_dir: Path = Path()
    github: Any = None

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles.from_json(self.order.profiles) if self.order.profiles else USUAL

    def log_key(self, name: str) -> str:
        return f"runs/{self.order.run}/{name}.log"


@dataclass(frozen=True)
class Sofar:
    """What is known when a step begins: results of earlier ones by id and name, images, whether anything failed."""

    steps: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False

    def after(self, result: StepResult) -> Sofar:
        entry = {
            "outputs": dict(result.ended.outputs),
            "outcome": str(result.ended.outcome),
            "exit_code": result.ended.exit_code if result.ended.exit_code is not None else -1,
            "findings": len(result.ended.findings),
        }
        named = {name: entry for name in (result.id, result.title) if name}
        return Sofar({**self.steps, **named}, self.images, self.failed or result.blocks)

    def facts(self, order: Order) -> dict[str, Any]:
        """What a step's conditions and values may speak of."""
        return {
            "event": order.occasion.facts(),
            "steps": dict(self.steps),
            "images": dict(self.images),
            "image": next((f"{name}@{digest}" for name, digest in self.images.items()), ""),
            "commit": order.sha,
            "app": order.app,
            "run": order.run,
            "failed": self.failed,
        }


def carry_out(step: Step, name: str, site: Site, sofar: Sofar, changed: Callable[[StepLog], None]) -> StepResult:
    """Run one step. Never raises for what a step can do wrong; ``name`` is unique in the run (``before-0``)."""
    result = StepResult(step.title, step.id, Ended(Outcome.SKIPPED), tolerated=step.continue_on_error)
    if reason := _not_wanted(step, site, sofar):
        return replace(result, ended=reason)
    started = time.monotonic()
    try:
        given = _Given.gather(step, site, sofar)
    except (MissingSecret, conditions.BadCondition) as e:
        return replace(result, ended=Ended(Outcome.ERROR, str(e.args[0])))
    matcher = Matcher(site.executor.workspace_path(site.workspace), step.working_directory, site.files)
    log = StepLog(site.store, site.log_key(name), Redactor(given.hidden), matcher, lambda: changed(log))
    attempt = 0
    while True:
        attempt += 1
        ended = _attempt(step, f"{name}-{attempt}", given, site, sofar, log)
        if ended.outcome in (Outcome.SUCCESS, Outcome.CANCELLED) or attempt > step.retries:
            break
        log.line(f"attempt {attempt} of {step.retries + 1}: {ended.sentence}; trying again")
    log.close()
    return replace(
        result,
        ended=_clean(replace(ended, annotations=[*matcher.annotations, *ended.annotations]), given.hidden),
        seconds=time.monotonic() - started,
        attempts=attempt,
        plugin=step.uses.partition("@")[0],
        version=plugins.find(step.uses).version if step.uses else "",
        inputs=_redacted(given.inputs, Redactor(given.hidden)),
        tail=log.tail(40),
        log=log.key,
    )


def _not_wanted(step: Step, site: Site, sofar: Sofar) -> Ended | None:
    """Why a step does not run, if it does not."""
    if site.stop.is_set():
        return Ended(Outcome.CANCELLED, site.stop.reason)
    if sofar.failed and not step.always:
        return Ended(Outcome.SKIPPED, "an earlier step failed")
    if not step.when:
        return None
    try:
        if conditions.holds(step.when, sofar.facts(site.order)):
            return None
    except conditions.BadCondition as e:
        return Ended(Outcome.ERROR, f"when: {e}")
    return Ended(Outcome.SKIPPED, f"its condition is not met: {step.when}")


@dataclass(frozen=True)
class _Given:
    """What a step is handed: its environment, its inputs, the values that must never be shown."""

    env: Mapping[str, str]
    inputs: dict[str, Any]
    hidden: tuple[str, ...]

    @classmethod
    def gather(cls, step: Step, site: Site, sofar: Sofar) -> _Given:
        """Raises ``MissingSecret`` and ``BadCondition``."""
        facts = sofar.facts(site.order)
        if step.secrets and not site.order.trusted:
            raise MissingSecret("secrets are not given to pull requests from forks")
        secrets = {name: site.secrets.read(name) for name in step.secrets}
        hidden = list(secrets.values())
        env = {**_texts(site.pipeline.env, facts), **_texts(step.env, facts), **secrets, **environment(site, sofar)}
        if step.permissions:
            token = site.mint(step.permissions)
            hidden.append(token)
            env |= {"GHAPP_TOKEN": token, "GITHUB_TOKEN": token}
        return cls(env, conditions.fill(step.with_, facts), tuple(hidden))


def _texts(values: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: conditions.as_text(conditions.fill(value, facts)) for name, value in values.items()}


def environment(site: Site, sofar: Sofar) -> dict[str, str]:
    """The facts that every step finds in its environment. Texts of strangers are values here, never code."""
    order, occasion = site.order, site.order.occasion
    pull = occasion.pull
    facts = {
        "CI": "true",
        "GHAPP": "true",
        "GHAPP_APP": order.app,
        "GHAPP_RUN": order.run,
        "GHAPP_COMMIT": order.sha,
        "GHAPP_REPOSITORY": order.full_name,
        "GHAPP_EVENT": occasion.kind,
        "GHAPP_REF": occasion.ref,
        "GHAPP_BRANCH": occasion.branch,
        "GHAPP_TAG": occasion.tag,
        "GHAPP_ACTOR": occasion.author,
        "GHAPP_API_URL": site.settings.github_api_url,
        "GHAPP_WORKSPACE": site.executor.workspace_path(site.workspace),
        "GHAPP_IMAGE": next((f"{name}@{digest}" for name, digest in sofar.images.items()), ""),
        "GHAPP_PR_NUMBER": str(pull.number) if pull else "",
        "GHAPP_PR_TITLE": pull.title if pull else "",
        "GHAPP_PR_AUTHOR": pull.author if pull else "",
        "GHAPP_PR_BRANCH": pull.head if pull else "",
        "GHAPP_BASE": pull.base if pull else "",
        **{f"GHAPP_INPUT_{name.upper()}": conditions.as_text(v) for name, v in occasion.inputs.items()},
    }
    return {name: value.replace("\0", "") for name, value in facts.items() if value}


def _attempt(step: Step, name: str, given: _Given, site: Site, sofar: Sofar, log: StepLog) -> Ended:
    scratch = site.scratch / name
    limit = resources.limits(site.profiles.resolve(site.pipeline.resources, step.resources), step.timeout)
    try:
        scratch.mkdir(parents=True)
        ended = _run(step, given, site, sofar, log, scratch, limit)
    except (PluginError, ExecutorError, conditions.BadCondition) as e:
        if site.stop.is_set():
            return Ended(Outcome.CANCELLED, site.stop.reason)
        log.line(f"error: {e}")
        return Ended(Outcome.ERROR, str(e))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _judged(step, ended, sofar, site)


def _run(step: Step, given: _Given, site: Site, sofar: Sofar, log: StepLog, scratch: Path, limit: Limits) -> Ended:
    if step.run:
        return run_script(step, given.env, site, scratch, limit, log)
    from jobs.pipeline.uses import run_plugin

    return run_plugin(step, given.env, given.inputs, site, sofar, scratch, limit, log)


def _judged(step: Step, ended: Ended, sofar: Sofar, site: Site) -> Ended:
    """``fail_if`` and ``pass_if`` have the last word over a step that ended by itself."""
    if ended.outcome not in (Outcome.SUCCESS, Outcome.FAILURE) or not (step.pass_if or step.fail_if):
        return ended
    facts = {
        **sofar.facts(site.order),
        "outputs": dict(ended.outputs),
        "exit_code": ended.exit_code if ended.exit_code is not None else -1,
        "findings": [f.as_json() for f in ended.findings],
    }
    try:
        if step.fail_if and conditions.holds(step.fail_if, facts):
            return replace(ended, outcome=Outcome.FAILURE, sentence=f"fail_if is true: {step.fail_if}")
        if step.pass_if:
            if conditions.holds(step.pass_if, facts):
                return replace(ended, outcome=Outcome.SUCCESS, sentence="")
            return replace(ended, outcome=Outcome.FAILURE, sentence=f"pass_if is not true: {step.pass_if}")
    except conditions.BadCondition as e:
        return replace(ended, outcome=Outcome.ERROR, sentence=str(e))
    return ended


def _clean(ended: Ended, hidden: tuple[str, ...]) -> Ended:
    """No secret in anything that a step hands on."""
    if not hidden:
        return ended
    redactor = Redactor(hidden)
    return replace(
        ended,
        sentence=redactor.text(ended.sentence),
        outputs={key: redactor.text(value) for key, value in ended.outputs.items()},
        annotations=[
            replace(a, message=redactor.text(a.message), title=redactor.text(a.title)) for a in ended.annotations
        ],
        findings=[replace(f, title=redactor.text(f.title), context=redactor.text(f.context)) for f in ended.findings],
        facts=_redacted(dict(ended.facts), redactor),
        files={name: redactor.data(data) for name, data in ended.files.items()},
    )


def _redacted(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(inner, redactor) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner, redactor) for inner in value]
    return redactor.text(value) if isinstance(value, str) else value
