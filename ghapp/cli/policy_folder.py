"""Policies and recorded facts from the disk, for the commands that judge on a laptop. Asks nobody, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp import names
from ghapp.cli.output import stop

if TYPE_CHECKING:
    from policies.gates.facts import Promotion
    from policies.gates.record import Record
    from policies.policy import PolicySet

_READ = (".yml", ".yaml", ".ics")


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime:
    """``--now``: RFC 3339 or ``2026-12-24 12:00`` in UTC; the present without it."""
    from policies.window.clock import parse_moment

    if value is None:
        return datetime.now(UTC)
    try:
        found = parse_moment(value)
    except ValueError as e:
        raise click.BadParameter(str(e)) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def period(_: click.Context, __: click.Parameter, value: str) -> Any:
    """``--next 90d``: a time span."""
    from policies.quantity import parse_duration

    try:
        return parse_duration(value)
    except ValueError as e:
        raise click.BadParameter(str(e)) from None


def with_policies(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which policies are meant."""
    command = click.option(
        "--organisation",
        type=click.Path(path_type=Path),
        help="The organisation's policies: a folder, or a checkout of its .github repository.",
    )(command)
    return click.option(
        "--policies",
        "paths",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Policies: files, a folder, or a checkout. Default: .ghapp/policies here.",
    )(command)


def with_now(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--now", callback=moment, help="As of this moment, such as 2026-12-24T12:00Z.")(command)


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def policy_set(paths: Sequence[Path], organisation: Path | None) -> PolicySet:
    """The policies that the options name, joined as on the server. Ends the command where there is nothing."""
    from policies.kinds import read_folder
    from policies.organisation import merge
    from policies.policy import Origin, PolicySet

    own = PolicySet()
    for path in paths or ((Path(),) if organisation is None else ()):
        found = read_folder(texts(path), Origin.REPOSITORY)
        own = PolicySet((*own.policies, *found.policies), (*own.broken, *found.broken))
    theirs = read_folder(texts(organisation), Origin.ORGANISATION) if organisation else PolicySet()
    return merge(theirs, own)


def texts(path: Path) -> dict[str, str]:
    """Path → text of the files in a policy folder or a checkout's, or of one file and the calendars beside it."""
    if path.is_file():
        beside = path.parent.glob("*.ics")
        return {str(p): _text(p) for p in [path, *beside]}
    folder = path / names.POLICY_FOLDER
    if not folder.is_dir():
        folder = path
    if not folder.is_dir():
        stop(f"{path} does not exist; name a file or folder of policies")
    if folder == Path():
        stop(f"there is no {names.POLICY_FOLDER} here; name a file or folder with --policies")
    return {str(p): _text(p) for p in sorted(folder.rglob("*")) if p.suffix in _READ and p.is_file()}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        stop(f"{path} cannot be read: {getattr(e, 'strerror', None) or 'it is not UTF-8 text'}")


def promotion(path: Path) -> Promotion:
    """One promotion's facts, alone or as a record. Ends the command with a sentence where they cannot be read."""
    from policies.gates.record import BadFacts, read_promotion

    objects = [data for _, data in _objects(path, whole=True)]
    if not objects:
        stop(f"{path} is empty; write the facts as JSON")
    data = objects[0]
    try:
        return read_promotion(data["facts"] if isinstance(data, dict) and "facts" in data else data)
    except BadFacts as e:
        stop(f"{path}: {e}")


def records(path: Path) -> list[Record]:
    """Recorded promotions: a ``.jsonl`` file, one a line, or a folder of ``.json`` and ``.jsonl`` files."""
    from policies.gates.record import BadFacts, read_record

    if not path.exists():
        stop(f"{path} does not exist; name a file of recorded facts (one JSON object a line) or a folder of such")
    files = sorted(p for p in path.rglob("*.json*") if p.is_file()) if path.is_dir() else [path]
    found = []
    for file in files:
        for where, data in _objects(file):
            try:
                found.append(read_record(data))
            except BadFacts as e:
                stop(f"{where}: {e}")
    return found


def _objects(file: Path, *, whole: bool = False) -> Iterator[tuple[str, Any]]:
    text = _text(file)
    parts = [text] if whole or file.suffix == ".json" else text.splitlines()
    for number, part in enumerate(parts, 1):
        if part.strip():
            try:
                yield f"{file}:{number}", json.loads(part)
            except (ValueError, RecursionError) as e:
                stop(f"{file}:{number}: not JSON ({e})")
