"""The job that carries out one run. It takes its order as it is and re-reads nothing but the commit and its check runs.

A run ends its own check runs, whatever happens; where it dies, the commit's reconcile starts it again.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghapp import names
from ghapp.config import AppFile, parse_app
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.git import Git
from ghapp.github import checks
from ghapp.github.client import RepositoryClient
from ghapp.links import run_url
from ghapp.store import store
from jobs import subjects
from jobs.executors import Stop, executor
from jobs.mirrors import mirror
from jobs.pipeline import retention
from jobs.pipeline.order import Order
from jobs.pipeline.publish import Publisher
from jobs.pipeline.report import Page
from jobs.pipeline.result import Outcome
from jobs.pipeline.run import Run, close_open
from jobs.pipeline.secrets import Secrets
from jobs.pipeline.slots import Slots
from jobs.pipeline.step import Site

if TYPE_CHECKING:
    from jobs.reconcile import Context

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks at whether the run shall stop
_READ_ONLY = {"contents": "read", "metadata": "read"}


def execute(context: Context, order: Mapping[str, Any]) -> None:
    """Carry out the run that ``order`` (:class:`Order` as JSON) describes."""
    what = Order.from_json(dict(order))
    client = context.github.for_repository(what.repository)
    publisher = Publisher(client, what.sha, checks.ours(client, what.sha))
    stages = tuple(s for s in what.stages if publisher.belongs(names.stage_check(what.app, s), what.run))
    if not stages:
        return  # another run has taken its place, or it is done
    page = Page(run_url(context.settings, what.run))
    todo = replace(what, stages=stages)
    # What an earlier attempt or a worker that died has left behind stands in the notes; a first attempt has none.
    first = what.attempt == 1 and all(publisher.untouched(names.stage_check(what.app, s)) for s in stages)
    stop = Stop()
    try:
        with (
            _slot(context, what),
            _watched(context, what.run, stop),
            _site(context, client, todo, stop, fresh=first) as (site, git),
        ):
            run = Run(
                site=site,
                git=git,
                publisher=publisher,
                signer=signer(context.settings) if what.trusted else None,
                page=page,
                known=[]
                if first or not what.trusted
                else notes.read_note(git, what.sha, signer(context.settings).trusted),
            )
            run.perform()
    except Exception as e:
        open_stages = [s for s in stages if publisher.belongs(names.stage_check(what.app, s), what.run)]
        close_open(publisher, what, open_stages, page, Outcome.ERROR, f"the run could not be carried out: {e}")
        raise
    kept, work = store(context.settings.store), context.settings.data_dir / "work"
    retention.look_after(context.queue.redis, kept, work, context.settings.store_retention, context.now)
    if run.release:
        log.info("%s made release %s of %s", what.run, run.release.name, what.app)
        for environment in what.environments:
            subject = subjects.environment(what.repository, what.app, environment)
            context.queue.enqueue(subject, reason=f"release {run.release.name}")


@contextmanager
def _slot(context: Context, order: Order) -> Iterator[None]:
    """Give the run's place back at its end, and tell the one that waits for it."""
    try:
        yield
    finally:
        if (next_one := Slots(context.queue, order.repository, order.app).leave(order.run)) is not None:
            context.queue.enqueue(subjects.commit(order.repository, next_one), reason="a slot is free")


@contextmanager
def _site(
    context: Context, client: RepositoryClient, order: Order, stop: Stop, *, fresh: bool
) -> Iterator[tuple[Site, Git]]:
    """A clean checkout of the commit in a folder that is gone afterwards."""
    settings = context.settings
    git = mirror(settings.mirrors, client)
    _fetch(git, (order.sha, order.config_at), with_notes=not fresh)
    app = _app(git, order)
    work = settings.data_dir / "work"
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{order.app}-", dir=work))
    try:
        git.checkout(order.sha, folder / "checkout")
        allowed = None if order.trusted else _READ_ONLY

        def mint(permissions: Mapping[str, str]) -> str:
            wanted = {**permissions, "metadata": "read"} if allowed is None else allowed
            return context.github.for_repository(order.repository, wanted).token()

        site = Site(
            order=order,
            pipeline=app.app.pipeline,
            workspace=folder / "checkout",
            scratch=folder / "scratch",
            executor=executor(settings),
            store=store(settings.store),
            secrets=Secrets(settings.secrets_dir, client.full_name),
            settings=settings,
            stop=stop,
            mint=mint,
            files=frozenset(git.files(order.sha)),
            data_dir=settings.data_dir,
            github=client,
        )
        yield site, git
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(git: Git, shas: Sequence[str], *, with_notes: bool) -> None:
    """Bring the commits here, unless they are, and the notes if they are needed."""
    with git.lock():
        refspecs = [sha for sha in dict.fromkeys(shas) if git.resolve(sha) is None]
        refspecs += [notes.FETCH] if with_notes else []
        if refspecs:
            git.fetch(*refspecs, prune=False)


def _app(git: Git, order: Order) -> AppFile:
    content = git.read(order.config_at, order.config)
    if content is None:
        raise LookupError(f"{order.config} is not in {order.config_at[:12]}")
    return parse_app(content, path=order.config)


@contextmanager
def _watched(context: Context, run: str, stop: Stop) -> Iterator[None]:
    """Hear within about a second when somebody wants the run to stop."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK):
            try:
                reason = context.queue.cancelled(run)
            except Exception:  # Redis may be away for a while; the run goes on
                log.debug("could not ask whether %s shall stop", run, exc_info=True)
                continue
            if reason is not None:
                stop.set(reason)
                return

    thread = threading.Thread(target=look, name=f"watch {run}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
