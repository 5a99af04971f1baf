"""Users, bots, organisations, teams and apps."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.registry import Fields, kind_by
from ghapp.sandbox.forge.graphql.selection import ordered, pulls_where, repositories_where
from ghapp.sandbox.forge.model import App, Organization, PullRequest, Repository, Team, User

ACTORS = Fields("User", "Bot", "Mannequin", "Organization")
PEOPLE = Fields("User", "Bot", "Mannequin")
OWNERS = Fields("User", "Organization")
USER = Fields("User")
BOT = Fields("Bot")
ORGANIZATION = Fields("Organization", record=Organization)
MEMBER = Fields("OrganizationMemberEdge")
TEAM = Fields("Team", record=Team)
TEAM_MEMBER = Fields("TeamMemberEdge")
TEAM_REPOSITORY = Fields("TeamRepositoryEdge")
APP = Fields("App", record=App)

kind_by(User, lambda user: user.type)

ACTORS.same("createdAt")
ACTORS.renamed(id="node_id", databaseId="id", updatedAt="created_at")
USER.same("name", "login")
USER.renamed(isSiteAdmin="site_admin")
USER.constant(bio=None, company=None, websiteUrl=None)
Fields("Mannequin", "Organization").same("login")
ORGANIZATION.same("name", "description")
ORGANIZATION.constant(email=None)


@ACTORS("avatarUrl")
@TEAM("avatarUrl")
def avatar_url(account: Any, ctx: Context, size: int | None = None) -> str:
    return ctx.avatar_url(account) + (f"?s={size}" if size else "")


@ACTORS("resourcePath")
def resource_path(account: User | Organization, ctx: Context) -> str:
    return ctx.account_path(account)


@ACTORS("url")
def url(account: User | Organization, ctx: Context) -> str:
    return ctx.url(ctx.account_path(account))


@BOT("login")
def bot_login(bot: User, _ctx: Context) -> str:
    """An app's bot goes by its slug here; REST, and a commit's ``user``, add ``[bot]``."""
    return bot.login.removesuffix("[bot]")


@USER("email")
def email(user: User, _ctx: Context) -> str:
    return user.email or ""


@USER("isViewer")
def is_viewer(user: User, ctx: Context) -> bool:
    return user is ctx.me


@USER("organization")
def user_organization(user: User, ctx: Context, login: str) -> Organization | None:
    found = ctx.state.organization(login)
    return found if found and user.id in found.members else None


@USER.connection("organizations")
def organizations(user: User, ctx: Context, order_by: Any = None) -> list[Organization]:
    accounts = list(ctx.state.accounts.values())
    return ordered([a for a in accounts if isinstance(a, Organization) and user.id in a.members], order_by)


@USER.connection("pullRequests")
def user_pulls(user: User, ctx: Context, **wanted: Any) -> list[PullRequest]:
    pulls = [p for r in ctx.visible_repositories() for p in r.pulls if p.user is user]
    return pulls_where(pulls, **wanted)


@OWNERS.connection("repositories")
def repositories(owner: User | Organization, ctx: Context, **wanted: Any) -> list[Repository]:
    return repositories_where([r for r in ctx.visible_repositories() if r.owner is owner], **wanted)


@OWNERS("repository")
def repository(owner: User | Organization, ctx: Context, name: str, follow_renames: bool = True) -> Repository:
    return ctx.find_repository(owner.login, name, follow_renames)


# Organisations and teams ----------------------------------------------------------------------------------------------


@ORGANIZATION.connection("membersWithRole")
def members_with_role(organization: Organization, ctx: Context) -> list[User]:
    ctx.need_members(organization)
    found = (ctx.state.user_by_id(uid) for uid in list(organization.members))
    return sorted((user for user in found if user), key=lambda user: user.login.lower())


@MEMBER("role")
def member_role(edge: Any, _ctx: Context) -> str:
    role: str = edge.owner.members.get(edge.node.id, "member")
    return role.upper()


@ORGANIZATION("viewerIsAMember")
def viewer_is_a_member(organization: Organization, ctx: Context) -> bool:
    return ctx.me.id in organization.members


@ORGANIZATION("viewerCanAdminister")
def viewer_can_administer(organization: Organization, ctx: Context) -> bool:
    return organization.members.get(ctx.me.id) == "admin"


@ORGANIZATION("team")
def team(organization: Organization, ctx: Context, slug: str) -> Team | None:
    ctx.need_members(organization)
    return organization.teams.get(slug.lower())


@ORGANIZATION.connection("teams")
def teams(
    organization: Organization,
    ctx: Context,
    query: str | None = None,
    privacy: str | None = None,
    role: str | None = None,
    user_logins: list[str] | None = None,
    root_teams_only: bool = False,
    order_by: Any = None,
) -> list[Team]:
    ctx.need_members(organization)
    found = [
        team
        for team in list(organization.teams.values())
        if (not query or query.lower() in team.name.lower() or query.lower() in team.slug)
        and (not privacy or team_privacy(team, ctx) == privacy)
        and (not role or team.members.get(ctx.me.id, "").upper() in (role, "MAINTAINER"))
        and (not user_logins or _has_any(ctx, team, user_logins))
        and not (root_teams_only and team.parent)
    ]
    return ordered(sorted(found, key=lambda team: team.slug), order_by)


def _has_any(ctx: Context, team: Team, logins: list[str]) -> bool:
    return bool({login.lower() for login in logins} & {user.login.lower() for user in ctx.state.team_members(team)})


TEAM.same("createdAt", "slug", "name", "description", "organization")
TEAM.renamed(id="node_id", databaseId="id", updatedAt="created_at", parentTeam="parent")


@TEAM("combinedSlug")
def combined_slug(team: Team, _ctx: Context) -> str:
    return f"{team.organization.login}/{team.slug}"


@TEAM("privacy")
def team_privacy(team: Team, _ctx: Context) -> str:
    return {"closed": "VISIBLE", "secret": "SECRET"}[team.privacy]


@TEAM("resourcePath")
def team_path(team: Team, _ctx: Context) -> str:
    return f"/orgs/{team.organization.login}/teams/{team.slug}"


@TEAM("url")
def team_url(team: Team, ctx: Context) -> str:
    return ctx.url(team_path(team, ctx))


@TEAM("viewerCanAdminister")
def viewer_can_administer_team(team: Team, ctx: Context) -> bool:
    viewer = ctx.me.id
    return team.members.get(viewer) == "maintainer" or team.organization.members.get(viewer) == "admin"


@TEAM.connection("ancestors")
def ancestors(team: Team, _ctx: Context) -> list[Team]:
    return list(reversed(team.ancestors))


@TEAM.connection("childTeams")
def child_teams(
    team: Team,
    ctx: Context,
    immediate_only: bool = True,
    user_logins: list[str] | None = None,
    order_by: Any = None,
) -> list[Team]:
    below = [
        other
        for other in list(team.organization.teams.values())
        if (other.parent is team or (not immediate_only and team in other.ancestors))
        and (not user_logins or _has_any(ctx, other, user_logins))
    ]
    return ordered(sorted(below, key=lambda other: other.slug), order_by)


@TEAM.connection("members")
def team_members(
    team: Team,
    ctx: Context,
    membership: str = "ALL",
    role: str | None = None,
    query: str | None = None,
    order_by: Any = None,
) -> list[User]:
    found = [
        user
        for user in ctx.state.team_members(team)
        if membership == "ALL" or (membership == "IMMEDIATE") == (user.id in team.members)
        if not role or team.members.get(user.id, "member").upper() == role
        if not query or query.lower() in f"{user.login} {user.name or ''}".lower()
    ]
    return ordered(found, order_by)


@TEAM_MEMBER("role")
def team_member_role(edge: Any, _ctx: Context) -> str:
    role: str = edge.owner.members.get(edge.node.id, "member")
    return role.upper()


@TEAM.connection("repositories")
def team_repositories(team: Team, ctx: Context, query: str | None = None, order_by: Any = None) -> list[Repository]:
    seen = ctx.visible_repositories()
    granted = {rid for t in (team, *team.ancestors) for rid in list(t.repositories)}
    return ordered([r for r in seen if r.id in granted and (not query or query.lower() in r.name.lower())], order_by)


@TEAM_REPOSITORY("permission")
def team_repository_permission(edge: Any, ctx: Context) -> str:
    return next(p.upper() for team, p in ctx.state.teams_with_access(edge.node) if team is edge.owner)


# Apps -----------------------------------------------------------------------------------------------------------------

APP.same("createdAt", "updatedAt", "clientId", "description", "name", "slug")
APP.renamed(id="node_id", databaseId="id")


@APP("logoUrl")
def logo_url(app: App, ctx: Context, size: int | None = None) -> str:
    return avatar_url(app.bot, ctx, size)


@APP("url")
def app_url(app: App, ctx: Context) -> str:
    return ctx.url(f"/apps/{app.slug}")
