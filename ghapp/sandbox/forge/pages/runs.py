"""One check run: its report, its annotations, and the buttons that the app put on it."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response

from ghapp.sandbox.forge.pages import checks, finding
from ghapp.sandbox.forge.pages.deeds import Refused, act_on_run

views = Blueprint("runs", __name__)


@views.get("/<owner>/<repo>/runs/<int:run_id>")
def check_run(owner: str, repo: str, run_id: int) -> str:
    return _page(owner, repo, run_id)


def _page(owner: str, repo: str, run_id: int, refusal: str = "") -> str:
    repository = finding.repository(owner, repo)
    run = finding.check_run(repository, run_id)
    return render_template(
        "run.html",
        repository=repository,
        run=run,
        look=checks.run_look(run),
        others=checks.lines(repository, run.head_sha),
        pulls=[p for p in repository.pulls if p.head_sha == run.head_sha],
        refusal=refusal,
    )


@views.post("/<owner>/<repo>/runs/<int:run_id>")
def act(owner: str, repo: str, run_id: int) -> Response | tuple[str, int]:
    """``do`` is ``rerun`` or ``action:IDENTIFIER``; then back to where the button was."""
    repository = finding.repository(owner, repo)
    run = finding.check_run(repository, run_id)
    try:
        act_on_run(finding.forge(), run, g.me, request.form.get("do", ""))
    except Refused as refusal:
        return _page(owner, repo, run_id, str(refusal)), 422
    return redirect(f"/{repository.full_name}/runs/{run.id}", 303)
