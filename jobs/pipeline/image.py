"""The image stage: choose a builder, build, name the result by its digest; set tags once the evidence is written."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ghapp.config.model import Image
from ghapp.registry import BadReference, Reference, Registry, RegistryAway, RegistryError, parse
from ghapp.registry.credentials import BadAuthFile
from ghapp.registry.open import registries as open_registries
from jobs import builders
from jobs.builders.interface import Build, Builder, BuildError, Built, HostTool
from jobs.executors import ExecutorError, Stop, Task
from jobs.executors.local import Local
from jobs.pipeline import conditions, resources
from jobs.pipeline.files import Outside, inside
from jobs.pipeline.log import StepLog
from jobs.pipeline.order import Order
from jobs.pipeline.redaction import Redactor
from jobs.pipeline.result import Ended, Outcome, StepResult

if TYPE_CHECKING:
    from ghapp.settings import Settings
    from jobs.pipeline.step import Site, Sofar

_FILES = ("Containerfile", "Dockerfile")
_PATIENCE = 300.0  # seconds that a build waits for a registry that does not answer
_TRIED_EVERY = 2.0  # seconds


class _NotForStrangers(Exception):
    """The image cannot be built without running a stranger's code outside of a sandbox."""


def build_image(image: Image, site: Site, sofar: Sofar, changed: Callable[[StepLog], None]) -> StepResult:
    """Build the app's image. Never raises for what a build can do wrong."""
    started = time.monotonic()
    log = StepLog(site.store, site.log_key("image-0"), Redactor(()), None, lambda: changed(log))
    scratch = site.scratch / "image"
    builder = ""
    try:
        scratch.mkdir(parents=True)
        with open_registries(site.settings) as registries:
            build = _prepare(image, site, sofar, scratch, registries, log)
            wanted = image.builder if image.builder != "auto" else site.settings.builder
            chosen = builders.choose(wanted, build)
            builder = chosen.name
            if not site.order.trusted and builder != "layer":
                # Its commands would run outside of the sandbox that keeps strangers' code in.
                raise _NotForStrangers(f"not built: the builder {builder} runs no code of pull requests from forks")
            log.line(f"building {build.target.repository} with the builder {builder}")
            built = _patiently(chosen, build, site.stop)
            log.line(f"{build.target.repository}@{built.digest}" + ("" if build.push else " (not pushed)"))
        facts = {"builder": builder, "bases": dict(built.bases), "image": {build.target.repository: built.digest}}
        ended = Ended(Outcome.SUCCESS, exit_code=0, outputs={"digest": built.digest}, facts=facts)
    except (BuildError, RegistryError, BadReference, BadAuthFile, Outside) as e:
        cancelled = site.stop.is_set()
        log.line(f"error: {e}")
        ended = Ended(Outcome.CANCELLED if cancelled else Outcome.FAILURE, site.stop.reason if cancelled else str(e))
    except conditions.BadCondition as e:
        ended = Ended(Outcome.ERROR, str(e))
    except _NotForStrangers as e:
        log.line(str(e))
        ended = Ended(Outcome.SKIPPED, str(e))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    log.close()
    return StepResult(
        "build image", "image", ended, time.monotonic() - started, plugin=builder, tail=log.tail(40), log=log.key
    )


def _patiently(builder: Builder, build: Build, stop: Stop) -> Built:
    """Build, again and again while the registry is away. Raises what ``builder`` raises, in the end that too."""
    give_up, said = time.monotonic() + _PATIENCE, False
    while True:
        try:
            return builder.build(build)
        except RegistryAway as e:
            if stop.is_set() or time.monotonic() > give_up:
                raise
            if not said:
                build.say(f"{e}; it is tried again for {_PATIENCE / 60:.0f} minutes, the build goes on when it is back")
            said = True
            time.sleep(_TRIED_EVERY)


def set_tags(image: Image, digest: str, order: Order, settings: Settings) -> tuple[str, ...]:
    """Give a pushed image its tags; returns them. Raises :class:`~ghapp.registry.RegistryError` (``TagTaken``)."""
    target = parse(image.repository)
    wanted = tags(image, order)
    with open_registries(settings) as registries:
        registry = registries(target.host)
        found = registry.manifest(Reference(target.host, target.path, digest=digest))
        if found is None:
            raise RegistryError(f"{target.repository}@{digest} is no longer in the registry")
        for tag in wanted:
            registry.put_manifest(target.path, found.data, found.media_type, tag)
    return wanted


def tags(image: Image, order: Order) -> tuple[str, ...]:
    """The tags of an image; one that speaks of a branch or tag that there is not is left out."""
    values = {
        "commit": order.sha,
        "short": order.sha[:7],
        "branch": order.occasion.branch,
        "tag": order.occasion.tag,
        "run": order.run,
    }
    found = []
    for pattern in image.tags:
        if all(value for name, value in values.items() if f"{{{name}}}" in pattern):
            text = pattern
            for name, value in values.items():
                text = text.replace(f"{{{name}}}", value)
            found.append("".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)[:128])
    return tuple(dict.fromkeys(found))


def _prepare(
    image: Image,
    site: Site,
    sofar: Sofar,
    scratch: Path,
    registries: Callable[[str], Registry],
    log: StepLog,
) -> Build:
    target = parse(image.repository)
    base = site.order.config.rpartition("/")[0]
    context = str(Path(base, image.context))
    inside(site.workspace, context)
    file = _containerfile(site.workspace, context, str(Path(base, image.file)) if image.file else "")
    facts = sofar.facts(site.order)
    arguments = {name: conditions.as_text(conditions.fill(value, facts)) for name, value in image.args.items()}
    return Build(
        image=image,
        target=target,
        workspace=site.workspace,
        context=context,
        containerfile="" if image.files else file,
        scratch=scratch,
        push=site.order.trusted,
        registry=registries,
        say=log.line,
        tool=_host_tool(site, scratch, log),
        auth_file=site.settings.registry_auth_file if site.order.trusted else None,
        plain_http=target.host in site.settings.plain_http_registries,
        args=arguments,
    )


def _containerfile(workspace: Path, context: str, named: str) -> str:
    if named:
        if not inside(workspace, named).is_file():
            raise BuildError(f"{named} is not in the checkout")
        return named
    found = (str(Path(context, name)) for name in _FILES if inside(workspace, str(Path(context, name))).is_file())
    return next(found, "")


def _host_tool(site: Site, scratch: Path, log: StepLog) -> HostTool:
    limit = resources.limits(site.profiles.resolve(site.pipeline.resources))

    def tool(*argv: str, env: Mapping[str, str] | None = None) -> int:
        task = Task(argv, site.workspace, scratch, env=dict(env or {}), limits=limit, sandbox=False)
        try:
            done = Local().run(task, log.write, site.stop)
        except ExecutorError as e:
            raise BuildError(str(e)) from None
        if done.stopped:
            raise BuildError(done.stopped)
        return done.status

    return tool
