"""`ghapp policy facts`: the facts of a pull request as GitHub tells them, to judge it here, now or later."""

from __future__ import annotations

import re
from pathlib import Path

import click


@click.command()
@click.argument("pull_request")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, not to the screen."
)
@click.option("--policy", "policy_file", type=click.Path(path_type=Path, dir_okay=False), help="Save its policy here.")
def facts(pull_request: str, output: Path | None, policy_file: Path | None) -> None:
    """Write the facts of PULL_REQUEST (owner/repository#7) for `ghapp policy evaluate`.

    Signs in as the App, by the same settings as the server.
    """
    from ghapp.approvals.gather import NoSuchPullRequest, gather
    from ghapp.approvals.installed import elsewhere
    from ghapp.cli.output import print_json, stop
    from ghapp.github.app import GitHubApp
    from ghapp.github.errors import GitHubError
    from ghapp.settings import SettingsError, load

    match = re.fullmatch(r"([^/\s#]+/[^/\s#]+)#(\d+)", pull_request)
    if match is None:
        stop(f"{pull_request!r} is not a pull request; write owner/repository#7", status=2)
    try:
        app = GitHubApp(load())
        gathered = gather(app.for_repository(match[1]), int(match[2]), elsewhere=elsewhere(app), everything=True)
    except (NoSuchPullRequest, SettingsError, GitHubError) as e:
        stop(str(e))
    if policy_file is not None:
        if gathered.policy is None:
            stop("there is no .policy.yml on the base branch; the shared one, if any, is among the facts")
        policy_file.write_text(gathered.policy, encoding="utf-8")
    if output is None:
        print_json(gathered.data)
        return
    import json

    output.write_text(json.dumps(gathered.data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"wrote {output}")
