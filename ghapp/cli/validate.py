"""``ghapp validate``: every problem of a ``.ghapp.yml`` or policy file, with file, line and fix."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def validate(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check files that people write. Without PATHS: .ghapp.yml and .ghapp/policies here.

    Exit status 0: nothing is wrong; 1: something is.
    """
    from ghapp.cli.output import print_json, stop
    from ghapp.config.check import check_file, files_below
    from jobs.pipeline.problems import problems as pipeline_problems

    files = [f for path in paths or (Path(),) for f in files_below(path)]
    if not files:
        stop("there is no .ghapp.yml and no .ghapp/policies here; name a file, or write one (`ghapp schema` shows how)")
    problems = [p for f in files for p in check_file(f, lambda app: pipeline_problems(app, None))]
    if as_json:
        rows = [{"file": p.file, "line": p.line, "message": p.message, "fix": p.fix} for p in problems]
        print_json({"ok": not problems, "files": [str(f) for f in files], "problems": rows})
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            click.echo(f"{len(files)} file{'s' if len(files) != 1 else ''}: nothing is wrong")
    raise SystemExit(1 if problems else 0)
