"""The calls that fill a forge: people, organisations, teams, repositories, apps, protection.

What is made here is made without asking anyone's permission, and everything that GitHub would announce is announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ghapp.sandbox.forge.model import (
    Account,
    App,
    BranchProtection,
    Event,
    Installation,
    Organization,
    Permission,
    Repository,
    RequiredCheck,
    RequiredReviews,
    Restrictions,
    State,
    Team,
    User,
    UserToken,
    WorkflowRun,
    ids,
)
from ghapp.sandbox.forge.operations import accounts, apps, mergequeue, repositories, statuses
from ghapp.sandbox.forge.operations.repositories import StoreFactory


class Seeding:
    """Accounts and repositories are given to the calls as records or by name (``acme``, ``acme/app``)."""

    def __init__(self, state: State, store: StoreFactory) -> None:
        self.state = state
        self._store = store
        self._shared: list[tuple[Team, Permission]] = []

    # Finding ----------------------------------------------------------------------------------------------------------

    def account(self, who: Account | str) -> Account:
        """A user or organisation; ``KeyError`` when there is none of that name."""
        found = self.state.account(who) if isinstance(who, str) else who
        if found is None:
            raise KeyError(f"the forge has no account {who}")
        return found

    def user(self, who: User | str) -> User:
        found = self.account(who)
        if not isinstance(found, User):
            raise KeyError(f"{found.login} is an organisation")
        return found

    def organization(self, which: Organization | str) -> Organization:
        found = self.account(which)
        if not isinstance(found, Organization):
            raise KeyError(f"{found.login} is a person")
        return found

    def repository(self, which: Repository | str) -> Repository:
        """A repository by ``owner/name``; ``KeyError`` when there is none."""
        if isinstance(which, Repository):
            return which
        found = self.state.repository(*which.split("/", 1))
        if found is None:
            raise KeyError(f"the forge has no repository {which}")
        return found

    def app(self, which: App | str) -> App:
        found = self.state.app(which) if isinstance(which, str) else which
        if found is None:
            raise KeyError(f"the forge has no app {which}")
        return found

    # Filling ----------------------------------------------------------------------------------------------------------

    def create_user(
        self, login: str, name: str | None = None, email: str | None = None, site_admin: bool = False
    ) -> User:
        with self.state.lock:
            return accounts.create_user(self.state, login, name=name, email=email, site_admin=site_admin)

    def create_org(self, login: str, admin: User | str | None = None, name: str | None = None) -> Organization:
        """An organisation, owned by ``admin`` if given, whose members have no permission but through teams."""
        with self.state.lock:
            owner = self.user(admin) if admin is not None else None
            organization = accounts.create_organization(self.state, login, owner, name)
            organization.default_repository_permission = "none"
            return organization

    def add_member(
        self, org: Organization | str, user: User | str, role: Literal["admin", "member"] = "member"
    ) -> None:
        with self.state.lock:
            accounts.set_membership(self.state, self.organization(org), self.user(user), role)

    def create_team(
        self,
        org: Organization | str,
        name: str,
        members: Iterable[User | str] = (),
        permission: str | None = None,
        parent: str | None = None,
    ) -> Team:
        """A team. With ``permission`` it has that in every repository of the organisation, also in later ones."""
        with self.state.lock:
            organization = self.organization(org)
            above = self.state.team(organization.login, parent) if parent else None
            people = [self.user(member) for member in members]
            team = accounts.create_team(self.state, organization, name, members=people, parent=above)
            if permission is not None:
                granted = accounts.permission(permission)
                self._shared.append((team, granted))
                for repository in self.state.repositories_of(organization):
                    accounts.share_with_team(self.state, team, repository, granted)
            return team

    def share_new(self, event: Event) -> None:
        """Give a repository that is new to the teams that have a permission in every one. A listener."""
        if event.name != "repository" or event.action != "created" or event.repository is None:
            return
        for team, granted in self._shared:
            if team.organization is event.repository.owner:
                accounts.share_with_team(self.state, team, event.repository, granted)

    def share(self, repository: Repository | str, org: Organization | str, team: str, permission: str) -> None:
        """Give one team a permission in one repository."""
        with self.state.lock:
            found = self.state.team(self.organization(org).login, team)
            if found is None:
                raise KeyError(f"there is no team {team}")
            granted = accounts.permission(permission)
            accounts.share_with_team(self.state, found, self.repository(repository), granted)

    def create_repository(
        self, owner: Account | str, name: str, default_branch: str = "main", private: bool = False
    ) -> Repository:
        """An empty repository."""
        with self.state.lock:
            return repositories.create(
                self.state, self._store, self.account(owner), name, default_branch=default_branch, private=private
            )

    def add_collaborator(self, repository: Repository | str, user: User | str, permission: str = "write") -> None:
        with self.state.lock:
            granted = accounts.permission(permission)
            accounts.add_collaborator(self.state, self.repository(repository), self.user(user), granted)

    def user_token(self, login: User | str) -> str:
        """A personal access token of a user; each call makes a new one."""
        with self.state.lock:
            value = ids.token("ghp")
            self.state.user_tokens[value] = UserToken(value, self.user(login))
            return value

    def create_app(
        self,
        slug: str,
        permissions: Mapping[str, str],
        events: Iterable[str] = (),
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        owner: Account | str | None = None,
        name: str | None = None,
    ) -> App:
        """Register an app; ``private_key`` is its RSA key as PEM. ``webhook_url`` may be set or changed later."""
        with self.state.lock:
            holder = self.account(owner) if owner is not None else self.state.web_flow
            return apps.create(
                self.state,
                slug,
                holder,
                permissions=dict(permissions),
                events=events,
                webhook_url=webhook_url,
                webhook_secret=webhook_secret,
                name=name,
            )

    def install(
        self,
        app: App | str,
        owner: Account | str,
        repositories: Sequence[Repository | str] | Literal["all"] | None = None,
    ) -> Installation:
        """Install an app on all of an account's repositories, or on those named."""
        with self.state.lock:
            account = self.account(owner)
            chosen = None
            if repositories is not None and repositories != "all":
                chosen = [self.repository(_qualified(account, r)) for r in repositories]
            return apps.install(self.state, self.app(app), account, chosen)

    def installation(self, app: App | str, owner: Account | str) -> Installation:
        """Where an app is installed; ``KeyError`` when it is not."""
        found = self.state.installation_on(self.app(app), self.account(owner))
        if found is None:
            raise KeyError(f"{app} is not installed on {owner}")
        return found

    def uninstall(self, app: App | str, owner: Account | str) -> None:
        with self.state.lock:
            apps.uninstall(self.state, self.installation(app, owner))

    def suspend(self, app: App | str, owner: Account | str, suspended: bool = True) -> None:
        """Suspend an installation, or (``suspended=False``) let it go on."""
        with self.state.lock:
            apps.set_suspended(self.state, self.installation(app, owner), suspended)

    def change_repositories(
        self,
        app: App | str,
        owner: Account | str,
        add: Sequence[Repository | str] = (),
        remove: Sequence[Repository | str] = (),
    ) -> None:
        """Show an installation more or fewer repositories."""
        with self.state.lock:
            found = self.installation(app, owner)
            more = [self.repository(_qualified(found.account, r)) for r in add]
            fewer = [self.repository(_qualified(found.account, r)) for r in remove]
            apps.change_repositories(self.state, found, add=more, remove=fewer)

    def accept_permissions(self, app: App | str, owner: Account | str) -> None:
        """Give an installation what its app asks for by now."""
        with self.state.lock:
            apps.accept_permissions(self.state, self.installation(app, owner))

    def revoke_authorization(self, app: App | str, user: User | str) -> None:
        with self.state.lock:
            apps.revoke_authorization(self.state, self.app(app), self.user(user))

    def installation_token(
        self,
        installation: Installation,
        permissions: Mapping[str, str] | None = None,
        repositories: Sequence[Repository | str] | None = None,
    ) -> str:
        """A token of an installation, without the way through its JWT."""
        with self.state.lock:
            chosen = None
            if repositories is not None:
                chosen = [self.repository(_qualified(installation.account, r)) for r in repositories]
            wanted = dict(permissions) if permissions is not None else None
            return apps.create_token(self.state, installation, wanted, chosen).token

    def protect(
        self,
        repository: Repository | str,
        branch: str,
        required_checks: Iterable[str | tuple[str, App | int | None]] | None = None,
        required_reviews: RequiredReviews | int | None = None,
        strict: bool = False,
        restrict_to: Iterable[str] | None = None,
        **flags: bool,
    ) -> BranchProtection:
        """Protect the branches that match ``branch``.

        ``required_checks`` are contexts, or (context, app) pairs; ``required_reviews`` a number of approvals or the
        whole rule; ``restrict_to`` logins, team slugs and app slugs that alone may push; ``flags`` the booleans of
        :class:`BranchProtection`.
        """
        with self.state.lock:
            found = self.repository(repository)
            reviews = RequiredReviews(required_reviews) if isinstance(required_reviews, int) else required_reviews
            return repositories.protect(
                self.state,
                found,
                branch,
                required_checks=None if required_checks is None else [_required(check) for check in required_checks],
                strict=strict,
                required_reviews=reviews,
                restrictions=None if restrict_to is None else self._restrictions(found, restrict_to),
                **flags,
            )

    def _restrictions(self, repository: Repository, names: Iterable[str]) -> Restrictions:
        rule = Restrictions()
        for name in names:
            if (team := self.state.team(repository.owner.login, name)) is not None:
                rule.teams.append(team)
            elif (app := self.state.app(name)) is not None:
                rule.apps.append(app)
            else:
                rule.users.append(self.user(name))
        return rule

    def record_workflow_run(self, repository: Repository | str, actor: User | str, **details: Any) -> WorkflowRun:
        """Pretend that GitHub Actions ran: ``name``, ``head_sha``, ``head_branch``, ``conclusion`` and so on."""
        with self.state.lock:
            return statuses.record_workflow_run(self.state, self.repository(repository), self.user(actor), **details)

    def queue_merge(self, repository: Repository | str, number: int) -> str:
        """Put a pull request into the merge queue; returns the sha for which checks are asked."""
        with self.state.lock:
            pull = self.repository(repository).pull(number)
            if pull is None:
                raise KeyError(f"there is no pull request {number}")
            return mergequeue.enqueue(self.state, pull)


def _qualified(account: Account, name: Repository | str) -> Repository | str:
    return f"{account.login}/{name}" if isinstance(name, str) and "/" not in name else name


def _required(check: str | tuple[str, App | int | None]) -> RequiredCheck:
    if isinstance(check, str):
        return RequiredCheck(check)
    context, app = check
    return RequiredCheck(context, app.id if isinstance(app, App) else app)
