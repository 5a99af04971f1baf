"""The front page, pages of people, organisations, teams and apps, and their pictures."""

from __future__ import annotations

from html import escape

from flask import Blueprint, abort, redirect, render_template
from werkzeug.wrappers import Response

from ghapp.sandbox.forge.model import Organization, Team, User
from ghapp.sandbox.forge.pages.finding import forge

views = Blueprint("accounts", __name__)

_COLOURS = ("#3559e0", "#1a7f5a", "#b3541e", "#8a3ffc", "#b02a5b", "#0b7285", "#5c6b1a", "#a61e4d")


@views.get("/")
def index() -> str:
    state = forge()
    found = list(state.repositories.values())
    found.sort(key=lambda repository: repository.pushed_at, reverse=True)
    return render_template("index.html", repositories=found, apps=list(state.apps.values()))


@views.get("/<login>")
def account(login: str) -> str:
    state = forge()
    found = state.account(login) or abort(404, f"Nobody is called {login} here.")
    people = []
    if isinstance(found, Organization):
        rated = ((state.user_by_id(uid), role) for uid, role in sorted(found.members.items()))
        people = [(user, role) for user, role in rated if user]
    return render_template("account.html", account=found, repositories=state.repositories_of(found), people=people)


@views.get("/orgs/<login>/teams/<slug>")
def team(login: str, slug: str) -> str:
    state = forge()
    found = state.team(login, slug) or abort(404, f"{login} has no team {slug}.")
    shared = [r for r in list(state.repositories.values()) if found in [t for t, _ in state.teams_with_access(r)]]
    return render_template("team.html", team=found, people=state.team_members(found), repositories=shared)


@views.get("/apps/<slug>")
def app(slug: str) -> str:
    """An app: what it may do, where it is installed, and what was delivered to it lately."""
    state = forge()
    found = state.app(slug) or abort(404, f"There is no app {slug}.")
    installed = [i for i in list(state.installations.values()) if i.app is found]
    delivered = [d for d in list(state.deliveries) if d.app is found][-50:]
    return render_template("app.html", app=found, installations=installed, deliveries=delivered[::-1])


@views.get("/settings/installations/<int:number>")
def installation(number: int) -> Response:
    found = forge().installations.get(number) or abort(404, f"There is no installation {number}.")
    return redirect(f"/apps/{found.app.slug}")


@views.get("/avatars/<kind>/<int:number>")
def avatar(kind: str, number: int) -> Response:
    """Two letters on a colour; a square for what is no person."""
    state = forge()
    found: User | Organization | Team | None = state.account_by_id(number) if kind == "u" else None
    name = (found.name or found.login) if isinstance(found, User | Organization) else "?"
    letters = "".join(word[0] for word in name.removesuffix("[bot]").replace("-", " ").split()[:2]).upper() or "?"
    corner = 50 if isinstance(found, User) and found.type == "User" else 20
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" rx="{corner}" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        f'<text x="50" y="52" fill="#fff" font-family="sans-serif" font-size="42" font-weight="600" '
        f'text-anchor="middle" dominant-baseline="central">{escape(letters)}</text></svg>'
    )
    return Response(picture, content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})
