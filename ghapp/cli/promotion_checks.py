"""What ghapp has last said of a promotion on GitHub: its gates' check runs, read back as verdicts. Judges nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghapp import names
from ghapp.cli.output import stop

if TYPE_CHECKING:
    from ghapp.github.checks import CheckRun
    from policies.verdict import Verdict


def verdicts(pull_request: str) -> dict[str, Verdict]:
    """Gate → verdict of ``owner/repository#number``. Ends the command with a sentence where there are none."""
    from ghapp.github import checks
    from ghapp.github.app import GitHubApp
    from ghapp.github.errors import GitHubError
    from ghapp.settings import SettingsError, load

    match = re.fullmatch(r"([^/\s#]+/[^/\s#]+)#(\d+)", pull_request)
    if match is None:
        stop(f"{pull_request!r} is not a pull request; write owner/repository#7", status=2)
    try:
        client = GitHubApp(load()).for_repository(match[1])
        head = client.get(f"pulls/{match[2]}")["head"]["sha"]
        runs = checks.ours(client, head)
    except (GitHubError, SettingsError) as e:
        stop(str(e))
    prefix = names.gate_check("")
    found = {name.removeprefix(prefix): _verdict(run) for name, run in runs.items() if name.startswith(prefix)}
    if not found:
        stop(f"{pull_request} has no gates: it is no promotion, or ghapp has not looked at its head {head[:7]} yet")
    return found


def _verdict(run: CheckRun) -> Verdict:
    from policies.verdict import State, Verdict

    states = {"success": State.PASS, "failure": State.FAIL, "action_required": State.ERROR}
    return Verdict(states.get(run.conclusion or "", State.PENDING), run.summary or run.title, run.text)
