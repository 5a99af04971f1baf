"""`ghapp policy validate`: every problem of policy files, with file, line and fix; ten thousand of them in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from policies.yamltext import Problem


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def validate(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check policies and their test files. Without PATHS: .ghapp/policies here.

    Exit status 0: nothing is wrong; 1: something is.
    """
    from ghapp.cli.output import print_json
    from ghapp.cli.policy_folder import texts
    from policies.kinds import POLICY_BOT_FILE, is_policy_file, problems_in, read_folder
    from policies.policy import Origin

    problems: list[Problem] = []
    checked = 0
    for path in paths or (Path(),):
        files = texts(path)
        shared = {name: files.pop(name) for name in list(files) if Path(name).name == POLICY_BOT_FILE}
        problems += [p for name, text in shared.items() for p in problems_in(text, name=name)]
        problems += [p for broken in read_folder(files, Origin.REPOSITORY).broken for p in broken.problems]
        problems += _test_problems(files)
        checked += len(shared) + sum(is_policy_file(name) for name in files)
    if as_json:
        rows = [{"file": p.file, "line": p.line, "message": p.message, "fix": p.fix} for p in problems]
        print_json({"ok": not problems, "files": checked, "problems": rows})
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            click.echo(f"{checked} file{'s' if checked != 1 else ''}: nothing is wrong")
    raise SystemExit(1 if problems else 0)


def _test_problems(files: dict[str, str]) -> list[Problem]:
    """What is wrong with the shape of test files; what they find is `policy test`'s."""
    from policies.cases import is_test_file, problems_in

    return [p for name, text in files.items() if is_test_file(name) for p in problems_in(text, name)]
