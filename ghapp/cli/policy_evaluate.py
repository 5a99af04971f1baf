"""`ghapp policy evaluate`: one pull request from its facts, or a batch of them, judged on this machine.

Reads files and prints; asks nobody. What cannot be read becomes an `error` like on the server, never a pass.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime:
    from datetime import UTC

    from ghapp.approvals.factsfile import parse_time

    if value is None:
        return datetime.now(UTC)
    moment = parse_time(value)
    if moment is None:
        raise click.BadParameter(f"{value!r} is not a time; write one such as 2026-01-31T12:00:00Z")
    return moment


@click.command()
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), help="The policy; without it, the shared one."
)
@click.option("--facts", "facts_file", type=click.Path(path_type=Path, allow_dash=True), help="The facts file, or -.")
@click.option("--batch", type=click.Path(path_type=Path, allow_dash=True), help="Cases, one JSON object a line, or -.")
@click.option("--now", callback=_moment, help="Judge as of this moment, such as 2026-01-31T12:00:00Z.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON. A batch always does.")
@click.option("--check", is_flag=True, help="Exit with 1 unless the state is success or none.")
def evaluate(
    policy_file: Path | None, facts_file: Path | None, batch: Path | None, now: datetime, as_json: bool, check: bool
) -> None:
    """Judge a pull request by a policy, from a facts file (`ghapp policy facts` writes one).

    With --batch, judge one `{"id", "policy", "facts"}` a line and print one `{"id", "state", "sentence"}` a line, in
    order; `policy` is the file's text, or null where there is none.
    """
    from ghapp.cli.output import print_json, stop

    if batch is not None:
        if policy_file or facts_file:
            stop("--batch brings policies and facts with it; leave out --policy and --facts", status=2)
        with _open(batch) as lines:
            failed = _batch(lines, now)
        raise SystemExit(1 if check and failed else 0)
    if facts_file is None:
        stop("say what to judge: --facts FILE, or --batch FILE", status=2)
    from policies.approval import explain

    with _open(facts_file) as stream:
        facts = stream.read()
    policy: bytes | None = None
    if policy_file is not None:
        with _open(policy_file) as stream:
            policy = stream.read()
    judgement = _judge_texts(policy, facts, now)
    if as_json:
        print_json(judgement.to_json())
    else:
        click.echo(explain.text(judgement))
    raise SystemExit(1 if check and judgement.state not in ("success", "none") else 0)


def _open(path: Path) -> IO[bytes]:
    from ghapp.cli.output import stop

    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as e:
        stop(f"{path}: {e.strerror}", status=2)


def _judge_texts(policy: bytes | None, facts: bytes, now: datetime) -> Any:
    from ghapp.approvals import factsfile
    from policies.approval.judge import Judgement, State, judge

    try:
        text = policy.decode() if policy is not None else None
    except UnicodeDecodeError:
        return Judgement(State.ERROR, "the policy is not UTF-8 text; save it as UTF-8")
    try:
        return judge(text, factsfile.parse(_json(facts)), now)
    except (factsfile.BadFacts, ValueError, RecursionError) as e:
        return Judgement(State.ERROR, f"the facts cannot be read: {e}")


def _batch(lines: IO[bytes], now: datetime) -> int:
    """How many lines were neither success nor none."""
    import orjson

    failed = 0
    write = sys.stdout.buffer.write
    for answer in _answers(lines, now):
        failed += answer["state"] not in ("success", "none")
        # What was no valid text in the file (half a surrogate pair) is none here either.
        answer["sentence"] = answer["sentence"].encode("utf-8", "replace").decode()
        write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
    return failed


def _answers(lines: IO[bytes], now: datetime) -> Iterator[dict[str, Any]]:
    from ghapp.approvals import factsfile
    from policies.approval.judge import judge

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name: Any = None
        try:
            case = _json(line)
            if not isinstance(case, dict):
                raise factsfile.BadFacts("not a JSON object")
            name = case.get("id")
            policy = case.get("policy")
            if policy is not None and not isinstance(policy, str):
                raise factsfile.BadFacts("`policy` is neither text nor null")
            judgement = judge(policy, factsfile.parse(case.get("facts")), now)
            yield {"id": name, "state": judgement.state.value, "sentence": judgement.sentence}
        except Exception as e:  # whatever is wrong with one line, the others are judged
            yield {"id": name, "state": "error", "sentence": f"line {number} cannot be judged: {e}"}


def _json(text: bytes) -> Any:
    """JSON, also with half a surrogate pair in a string, which is valid JSON though no valid text."""
    import json

    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        value = json.loads(text)  # says where it is wrong
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
