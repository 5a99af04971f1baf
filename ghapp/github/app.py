"""The GitHub App itself: who it is, where it is installed, and clients for what it is installed on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ghapp.github import errors
from ghapp.github.client import Client, RepositoryClient
from ghapp.github.connection import Call, Connection
from ghapp.github.directory import Directory, Place
from ghapp.github.limits import Limits, LocalLimits
from ghapp.github.people import People
from ghapp.github.shared import MemoryStore, RedisStore, Store
from ghapp.github.tokens import RECONCILE, Permissions, Tokens

if TYPE_CHECKING:
    from redis import Redis

    from ghapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """One account that the app is installed on. ``permissions`` is what its owner has granted."""

    id: int
    account: str
    organisation: bool
    suspended: bool
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository of an installation, as it is now."""

    id: int
    full_name: str
    default_branch: str
    archived: bool
    private: bool


class GitHubApp:
    """Start here. With ``redis``, limits and the directory are shared by all processes; without it they are this one's.

    Nothing is called before it is needed, so that a server starts while GitHub is away.
    """

    def __init__(self, settings: Settings, redis: Redis | None = None) -> None:
        self.settings = settings
        limits: Limits
        if redis is None:
            limits = LocalLimits(settings.github_writes_per_minute)
            self.store: Store = MemoryStore()
        else:
            from ghapp.github.limits_redis import RedisLimits

            limits, self.store = RedisLimits(redis, settings.github_writes_per_minute), RedisStore(redis)
        self.connection = Connection(settings, limits)
        self.tokens = Tokens(self.connection)
        self.directory = Directory(self.store)

    @property
    def limits(self) -> Limits:
        """What GitHub lets each installation do."""
        return self.connection.limits

    @property
    def calls(self) -> Counter[str]:
        """What this process has asked of GitHub so far, by method and path."""
        return self.connection.calls

    # --- as the app ---------------------------------------------------------------------------------
    def get(self, path: str, **params: Any) -> Any:
        """A call signed with the App's own key, for paths below ``/app``."""
        return self.connection.send(Call("GET", path, params=params or None)).data

    def pages(self, path: str, **params: Any) -> Any:
        """The pages of a list below ``/app``, one after the other, each a list; asked for only as they are needed."""
        answer = self.connection.send(Call("GET", path, params={"per_page": 100, **params}))
        yield answer.data
        while answer.next:
            answer = self.connection.send(Call("GET", answer.next))
            yield answer.data

    @cached_property
    def slug(self) -> str:
        """The app's name in addresses; its bot's login is ``<slug>[bot]``."""
        return self.settings.app_slug or str(self.get("/app")["slug"])

    @property
    def login(self) -> str:
        """The login under which the app comments and merges."""
        return f"{self.slug}[bot]"

    def installations(self) -> list[Installation]:
        return [_installation(data) for page in self.pages("/app/installations") for data in page]

    def installation(self, installation_id: int) -> Installation:
        """Raises ``NotInstalled`` when there is none with this id any more."""
        try:
            return _installation(self.get(f"/app/installations/{installation_id}"))
        except errors.NotFound:
            raise errors.NotInstalled(f"There is no installation {installation_id} any more.", status=404) from None

    # --- as an installation -------------------------------------------------------------------------
    def for_installation(self, installation_id: int, permissions: Permissions | None = None) -> Client:
        """Calls for everything that an installation covers: its repositories, its organisation's teams."""
        wanted = {"members": "read", "metadata": "read"} if permissions is None else permissions
        return Client(self.connection, self.tokens, installation_id, wanted)

    def repositories(self, installation_id: int) -> list[Repository]:
        """Every repository of an installation; each is remembered in the directory."""
        client = self.for_installation(installation_id, {"metadata": "read"})
        found = [_repository(data) for data in client.paginate("installation/repositories", key="repositories")]
        for repository in found:
            self.directory.remember(Place(repository.id, repository.full_name, installation_id))
        return found

    def for_repository(self, repository: int | str, permissions: Permissions | None = None) -> RepositoryClient:
        """Calls for one repository, by id or ``owner/name``, with a token for it alone.

        ``permissions`` is what the caller needs, e.g. ``{"checks": "write"}``; the default is what reconciles need.
        Raises ``NotInstalled``.
        """
        place = self.locate(repository)
        wanted = RECONCILE if permissions is None else permissions
        return RepositoryClient(
            self.connection, self.tokens, place.installation, wanted, place.repository, place.full_name
        )

    def installation_for(self, repository: int | str) -> int:
        """The id of the installation that covers a repository."""
        return self.locate(repository).installation

    def locate(self, repository: int | str) -> Place:
        """Where a repository is. Asks GitHub only when the directory does not know."""
        if place := self.directory.find(repository):
            return place
        if isinstance(repository, str):
            try:
                found = self.get(f"/repos/{repository}/installation")
            except errors.NotFound:
                raise errors.NotInstalled(f"The app is not installed on {repository}.", status=404) from None
            data = self.for_installation(int(found["id"]), {"metadata": "read"}).get(f"/repos/{repository}")
            place = Place(int(data["id"]), str(data["full_name"]), int(found["id"]))
            self.directory.remember(place)
            return place
        for installation in self.installations():
            if not installation.suspended and any(r.id == repository for r in self.repositories(installation.id)):
                return self.locate(repository)
        raise errors.NotInstalled(f"The app is not installed on the repository with id {repository}.", status=404)

    def people(self, client: Client) -> People:
        """Permissions and memberships as ``client``'s installation sees them, kept for minutes."""
        return People(self.store, client)

    def forget(self, installation_id: int) -> None:
        """Drop tokens and kept answers of an installation that was removed or suspended."""
        self.tokens.forget(installation_id)
        self.connection.conditional.forget(installation_id)


def _installation(data: dict[str, Any]) -> Installation:
    account = data.get("account") or {}
    return Installation(
        id=int(data["id"]),
        account=str(account.get("login", "")),
        organisation=data.get("target_type") == "Organization",
        suspended=bool(data.get("suspended_at")),
        permissions=data.get("permissions") or {},
    )


def _repository(data: dict[str, Any]) -> Repository:
    return Repository(
        id=int(data["id"]),
        full_name=str(data["full_name"]),
        default_branch=str(data.get("default_branch") or "main"),
        archived=bool(data.get("archived")),
        private=bool(data.get("private")),
    )
