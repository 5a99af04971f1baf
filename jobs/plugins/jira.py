"""``jira``: the issue that a change belongs to is there, in the right state, and is told of the change."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.http import call
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed

_KEY = re.compile(r"(?<![A-Za-z0-9])([A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6})(?![A-Za-z0-9])")


class JiraInputs(Inputs):
    url: str = Field(description="Jira's address, like https://acme.atlassian.net")
    token: str = Field(description="name of the step's secret: an API token, or email:token for Jira Cloud")
    projects: tuple[str, ...] = Field((), description="projects whose issues count; all if empty")
    states: tuple[str, ...] = Field((), description="states that the issue may be in; any if empty")
    comment: str = Field("", description="add this comment to each issue")
    transition: str = Field("", description="move each issue by this transition")
    required: bool = Field(True, description="fail if no issue is named in title, branch or inputs")
    issues: tuple[str, ...] = Field((), description="issues by key, besides those that title and branch name")


class Jira:
    name = "jira"
    version = "1.0.0"
    description = "Issues named by the pull request's title or branch: checked, commented, moved."
    inputs = JiraInputs

    def run(self, inputs: JiraInputs, at: Place) -> Ended:
        keys = [key for key in _keys(inputs, at) if not inputs.projects or key.partition("-")[0] in inputs.projects]
        outputs = {"issues": " ".join(keys)}
        if not keys:
            sentence = "neither the title nor the branch names an issue" + (
                f" of {', '.join(inputs.projects)}" if inputs.projects else ""
            )
            return failed(sentence, outputs=outputs, exit_code=1) if inputs.required else passed(outputs=outputs)
        wrong = []
        for key in keys:
            state = _state(inputs, at, key)
            if state is None:
                wrong.append(f"{key} does not exist")
            elif inputs.states and state not in inputs.states:
                wrong.append(f"{key} is {state!r}, not {' or '.join(inputs.states)}")
            else:
                _tell(inputs, at, key)
        return failed("; ".join(wrong), outputs=outputs, exit_code=1) if wrong else passed(outputs=outputs)


def _keys(inputs: JiraInputs, at: Place) -> list[str]:
    pull = at.event.get("pull_request") or {}
    texts = (str(pull.get("title", "")), str(at.event.get("branch", "")), *inputs.issues)
    return list(dict.fromkeys(key for text in texts for key in _KEY.findall(text)))[:20]


def _state(inputs: JiraInputs, at: Place, key: str) -> str | None:
    answer = call(at, "GET", _url(inputs, key, "?fields=status"), headers=_headers(inputs, at))
    if answer.status == 404:
        return None
    if not answer.ok:
        raise PluginError(f"Jira answered {answer.status}: is the token right, and may it read {key}?")
    fields: Any = answer.json().get("fields") or {}
    return str((fields.get("status") or {}).get("name", ""))


def _tell(inputs: JiraInputs, at: Place, key: str) -> None:
    headers = _headers(inputs, at)
    if inputs.comment:
        answer = call(at, "POST", _url(inputs, key, "/comment"), body={"body": inputs.comment}, headers=headers)
        if not answer.ok:
            raise PluginError(f"Jira did not take the comment on {key} ({answer.status})")
    if inputs.transition:
        found = call(at, "GET", _url(inputs, key, "/transitions"), headers=headers).json().get("transitions") or []
        wanted = [t["id"] for t in found if t.get("name") == inputs.transition]
        if not wanted:
            names = ", ".join(str(t.get("name")) for t in found) or "none"
            raise PluginError(f"{key} has no transition {inputs.transition!r} now; it has {names}")
        body = {"transition": {"id": wanted[0]}}
        if not call(at, "POST", _url(inputs, key, "/transitions"), body=body, headers=headers).ok:
            raise PluginError(f"Jira did not move {key}")


def _url(inputs: JiraInputs, key: str, rest: str) -> str:
    return f"{inputs.url.rstrip('/')}/rest/api/2/issue/{quote(key)}{rest}"


def _headers(inputs: JiraInputs, at: Place) -> dict[str, str]:
    token = at.secret(inputs.token)
    if ":" in token:
        return {"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"}


plugin = Jira()
