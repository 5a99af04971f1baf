"""`ghapp policy test`: the cases beside the policies, judged as the server judges."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def test(paths: tuple[Path, ...], as_json: bool) -> None:
    """Run every case of the *.test.yml files in PATHS (default: .ghapp/policies here).

    Exit status 0: all as expected; 1: some are not, or a file is broken.
    """
    from ghapp.cli.output import print_json, stop
    from ghapp.cli.policy_folder import texts
    from policies.cases import Outcome, is_test_file, run
    from policies.yamltext import Problem, Problems

    outcomes: list[Outcome] = []
    broken: list[Problem] = []
    for path in paths or (Path(),):
        files = texts(path if path.is_dir() else path.parent)
        for name in [n for n in files if is_test_file(n) and (path.is_dir() or Path(n) == path)]:
            try:
                outcomes += run(name, files)
            except Problems as e:
                broken += e.problems
    if not outcomes and not broken:
        stop("there are no test cases; write some beside the policies, in a file that ends in .test.yml")
    failed = [o for o in outcomes if o.problem]
    if as_json:
        rows = [
            {"file": o.file, "line": o.line, "name": o.name, "ok": not o.problem, "problem": o.problem}
            for o in outcomes
        ]
        print_json({"ok": not (failed or broken), "cases": rows, "problems": [str(p) for p in broken]})
    else:
        for problem in broken:
            click.echo(str(problem))
        for outcome in outcomes:
            mark = click.style("✗", fg="red") if outcome.problem else click.style("✓", fg="green")
            click.echo(
                f"{mark} {outcome.name}"
                + (f"\n    {outcome.file}:{outcome.line}: {outcome.problem}" if outcome.problem else "")
            )
        click.echo(f"{len(outcomes) - len(failed)} of {len(outcomes)} as expected")
    raise SystemExit(1 if failed or broken else 0)
