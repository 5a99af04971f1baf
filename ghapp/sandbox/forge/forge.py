"""A whole forge: state, git, HTTP, webhooks and pages put together, and the calls that fill it with people and code.

What is made here is made without asking anyone's permission; what comes in over HTTP is judged as GitHub would.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from ghapp.sandbox.forge import admin, controls, rest
from ghapp.sandbox.forge.git.batch import ReaderPool
from ghapp.sandbox.forge.git.store import GitStore
from ghapp.sandbox.forge.model import (
    Account,
    App,
    BranchProtection,
    Delivery,
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
from ghapp.sandbox.forge.operations import (
    accounts,
    apps,
    automerge,
    mergequeue,
    repositories,
    statuses,
    timeline,
)
from ghapp.sandbox.forge.smart_http import SmartHttp
from ghapp.sandbox.forge.web.application import API, GRAPHQL, Application, RequestLog
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.faults import Faults
from ghapp.sandbox.forge.web.ratelimit import RateLimits
from ghapp.sandbox.forge.web.server import Server, WsgiApp
from ghapp.sandbox.forge.webhooks.delivery import Deliverer


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Forge:
    """A GitHub stand-in. Its git repositories are kept below ``root``, which is emptied of older ones at the start.

    ``clock`` returns an aware time; :meth:`advance` moves it. Accounts and repositories are given to the calls as
    records or by name (``acme``, ``acme/app``).
    """

    def __init__(
        self, root: Path, host: str = "127.0.0.1", port: int = 0, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._offset = timedelta()
        self._folder = root / "repositories"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._pool = ReaderPool()
        self.state = State(lambda: clock() + self._offset)
        self.faults = Faults()
        self.limits = RateLimits(self.state.now)
        self.requests = RequestLog()
        self._deliverer = Deliverer(self.state, self.faults)
        self._shared: list[tuple[Team, Permission]] = []
        timeline.watch(self.state)
        automerge.watch(self.state)
        self.state.listeners.append(self._share_new)
        self._git = SmartHttp(self.state, self._folder, self.faults)
        routes = rest.routes(self._store, self.limits, self._deliverer.redeliver)
        self.application = Application(
            self.state, routes, self._graphql, self._elsewhere, self.faults, self.limits, self.requests
        )
        self._admin = admin.create(
            {
                **self._calls(),
                **controls.calls(self.state, self.faults, self.limits, self.requests, self.pause, self.resume),
            }
        )
        self._pages: WsgiApp | None = None
        self._server = Server(self.application, host, port)

    # Life -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen. Everything that needs an address is right from here on."""
        self._server.start()
        host, port = self._server.address
        self.state.web_url = f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop listening and sending, and end what was started."""
        self._server.stop()
        self._deliverer.close()
        self._pool.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pause(self) -> None:
        """Be away: refuse connections and cut those that are open, until :meth:`resume`."""
        self._server.stop()

    def resume(self) -> None:
        """Be back, at the same address."""
        self._server.start()

    @property
    def url(self) -> str:
        """Where its pages and git are: ``http://host:port``."""
        return self.state.web_url

    @property
    def api_url(self) -> str:
        return self.url + API

    @property
    def graphql_url(self) -> str:
        return self.url + GRAPHQL

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += timedelta(seconds=seconds)

    @property
    def deliveries(self) -> list[Delivery]:
        """The log of webhook deliveries, oldest first."""
        return list(self.state.deliveries)

    def wait_for_deliveries(self, timeout: float = 10) -> bool:
        """Wait until everything that was to be delivered has been tried; False if that takes longer."""
        return self._deliverer.wait(timeout)

    # What is served ---------------------------------------------------------------------------------------------------

    def _store(self, repository_id: int, default_branch: str) -> GitStore:
        return GitStore.create(self._folder / f"{repository_id}.git", self._pool, default_branch)

    def _graphql(self, call: Call) -> Reply:
        # Parsing GitHub's schema takes a moment, which a forge that is never asked should not.
        from ghapp.sandbox.forge.graphql.execution import execute

        bucket = self.limits.bucket(call.actor.key, "graphql")
        outcome = execute(self.state, call.actor, call.body.fields, bucket)
        return Reply(outcome.body, cost=outcome.points)

    def _elsewhere(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["RAW_PATH"]
        if SmartHttp.matches(path):
            return self._git(environ, start_response)
        if path.startswith(admin.PREFIX):
            return self._admin(environ, start_response)
        if self._pages is None:
            from ghapp.sandbox.forge.pages import application

            self._pages = application.create(self.state)
        return self._pages(environ, start_response)

    def _calls(self) -> dict[str, Callable[..., Any]]:
        """What :mod:`.admin` offers of this class."""
        offered = (
            self.add_collaborator,
            self.add_member,
            self.advance,
            self.create_app,
            self.create_org,
            self.create_repository,
            self.create_team,
            self.create_user,
            self.install,
            self.protect,
            self.queue_merge,
            self.share,
            self.user_token,
            self.wait_for_deliveries,
        )
        return {call.__name__: call for call in offered}

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

    def _share_new(self, event: Event) -> None:
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
