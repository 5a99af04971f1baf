"""The facts of one pull request from GitHub, in as few calls as they can be had.

One query brings the pull request and the policy that may judge it; a second brings the people whom that policy asks
about; files are read by REST only where a policy asks about them and GraphQL cannot tell (renames, more than a page).
What GitHub does not give in full is written down as incomplete, and whoever needs it gets an error: never a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ghapp.approvals import answers, factsfile, queries
from ghapp.github import contents, errors
from policies.approval import needs
from policies.approval.facts import Facts
from policies.approval.judge import POLICY_PATH, SHARED_PATH, SHARED_REPOSITORY
from policies.approval.needs import Needs
from policies.approval.parse import parse, remote_of
from policies.yamltext import Problems

Json = dict[str, Any]

EVERYTHING = Needs(permissions=True, files=True, workflow_runs=True, reviewers=True)
_GRANT = "give the app read access to members"
_OLD_NAMES = {"pull": "read", "push": "write"}  # REST still says so of teams
_LISTED_COMMITS = 250  # a pull request's own list ends there; comparing two commits does not


class Asker(Protocol):
    """The calls of :class:`ghapp.github.client.Client` that gathering makes."""

    def graphql(self, query: str, variables: Any = None) -> Any: ...

    def get(self, path: str, **params: Any) -> Any: ...

    def paginate(self, path: str, *, key: str = "", **params: Any) -> list[Any]: ...


class Repository(Asker, Protocol):
    """An :class:`Asker` below one repository."""

    owner: str
    name: str


# A client for an organisation or repository other than this one's, or ``None`` where the app is not installed.
Elsewhere = Callable[[str], Asker | None]


class NoSuchPullRequest(Exception):
    """There is no pull request with that number, or it cannot be seen."""


@dataclass(frozen=True)
class Gathered:
    """``data`` is the facts file; ``policy`` is ``.policy.yml`` on the base branch, ``None`` if there is none."""

    data: Json
    policy: str | None

    def facts(self) -> Facts:
        return factsfile.parse(self.data)


def gather(
    client: Repository, number: int, *, elsewhere: Elsewhere | None = None, everything: bool = False
) -> Gathered:
    """Read pull request ``number``. ``everything`` reads what this policy never asks about as well.

    Raises :class:`NoSuchPullRequest` and :class:`ghapp.github.errors.GitHubError`.
    """
    return _Gathering(client, number, elsewhere or (lambda _: None), everything).run()


@dataclass
class _Gathering:
    client: Repository
    number: int
    elsewhere: Elsewhere
    everything: bool
    data: Json = field(default_factory=dict)
    incomplete: dict[str, str] = field(default_factory=dict)

    def run(self) -> Gathered:
        answer = self._ask(self.client, queries.PULL, self._policy_places())
        repository = answer["repository"]
        found = repository and repository["pullRequest"]
        if not found:
            raise NoSuchPullRequest(f"there is no pull request {self.number} in {self.client.owner}/{self.client.name}")
        self.data = {"repository": repository["nameWithOwner"], **answers.pull(found)}
        for name, nodes in self._connections(found).items():
            self._keep(name, nodes)
        self._commits(found)
        policy = self._text(found["baseRef"], POLICY_PATH)
        self.data["repositories"] = self._shared(answer["shared"]) | self._remote(policy, answer["shared"])
        wanted = EVERYTHING if self.everything else Needs()
        if (text := self._applicable(policy)) is not None:
            wanted = _both(wanted, text)
        if wanted.files:
            self._files(found)
        if wanted.workflow_runs:
            self._workflow_runs()
        self._people(wanted)
        self.data["incomplete"] = self.incomplete
        return Gathered(self.data, policy)

    # --- the pull request -----------------------------------------------------------------------------
    def _policy_places(self) -> Json:
        return {"path": POLICY_PATH, "sharedName": SHARED_REPOSITORY, "sharedPath": SHARED_PATH}

    def _ask(self, client: Asker, query: str, variables: Json | None = None) -> Json:
        """The data of an answer; what is not there, or may not be seen, is ``None`` in it."""
        own = {"owner": self.client.owner, "name": self.client.name, "number": self.number}
        asked = {name: own[name] for name in own if f"${name}:" in query} | (variables or {})
        try:
            data: Json = client.graphql(query, asked)
        except errors.GraphQLError as e:
            if not e.data or any(problem.get("type") not in ("NOT_FOUND", "FORBIDDEN") for problem in e.errors):
                raise
            data = e.data
        return data

    def _connections(self, found: Json) -> dict[str, list[Json]]:
        """All pages of everything that has pages, the commits of very long pull requests left out."""
        rollup = found.get("statusCheckRollup") or {}
        first = {name: found[name] for name in queries.CONNECTIONS}
        if rollup:
            first["contexts"] = rollup["contexts"]
        return {name: [*page["nodes"], *self._rest_of(name, page)] for name, page in first.items()}

    def _rest_of(self, name: str, page: Json) -> Iterable[Json]:
        if name == "files":  # read by REST where they do not fit, with the old names of renamed ones
            return
        while page["pageInfo"]["hasNextPage"]:
            variables = {"after": page["pageInfo"]["endCursor"]}
            pull = self._ask(self.client, queries.rest_of(name), variables)["repository"]["pullRequest"]
            page = pull["statusCheckRollup"]["contexts"] if name == "contexts" else pull[name]
            yield from page["nodes"]

    def _keep(self, name: str, nodes: list[Json]) -> None:
        if name == "contexts":
            self.data |= answers.contexts(nodes)
        elif name == "commits":
            self.data["commits"] = [answers.commit(node["commit"]) for node in nodes]
        elif name == "labels":
            self.data["labels"] = [node["name"] for node in nodes]
        elif name in ("reviewRequests", "timelineItems"):
            key = "requested_reviewers" if name == "reviewRequests" else "removed_reviewers"
            self.data[key] = sorted({who for node in nodes if (who := answers.reviewer(node))})
        else:
            read = {"comments": answers.comment, "reviews": answers.review, "files": answers.file}[name]
            self.data[name] = [read(node) for node in nodes]

    def _commits(self, found: Json) -> None:
        listed = found["commits"]["totalCount"]
        if any(len(c["parents"]) >= 20 for c in self.data["commits"]):
            self.incomplete["commits"] = "a merge of twenty or more branches is not read in full"
        if max(listed, len(self.data["commits"])) < _LISTED_COMMITS:
            return
        span = f"{found['baseRefOid']}...{found['headRefOid']}"
        commits: list[Json] = []
        while True:
            page = self.client.get(f"compare/{span}", per_page=100, page=len(commits) // 100 + 1)
            commits += [answers.compared(node) for node in page["commits"]]
            if len(commits) >= page["total_commits"] or not page["commits"]:
                break
        if len(commits) < page["total_commits"]:
            sentence = f"GitHub gives {len(commits)} of {page['total_commits']} commits; merge the base branch in parts"
            self.incomplete["commits"] = sentence
        pushed = {c["oid"]: c["pushed_at"] for c in self.data["commits"] if "pushed_at" in c}
        self.data["commits"] = [c | ({"pushed_at": pushed[c["oid"]]} if c["oid"] in pushed else {}) for c in commits]

    def _files(self, found: Json) -> None:
        page = found["files"]
        renamed = any(file["status"] in ("renamed", "copied") for file in self.data["files"])
        if not page["pageInfo"]["hasNextPage"] and not renamed:
            return
        try:
            files = self.client.paginate(f"pulls/{self.number}/files")
        except errors.Truncated as e:
            self.incomplete["files"] = f"the changed files cannot be read in full: {e.sentence}"
            return
        self.data["files"] = [answers.listed_file(node) for node in files]

    def _workflow_runs(self) -> None:
        head = self.data["head_sha"]
        try:
            runs = self.client.paginate("actions/runs", key="workflow_runs", head_sha=head, exclude_pull_requests=True)
        except (errors.Truncated, errors.MissingPermission) as e:
            self.incomplete["workflow_runs"] = f"workflow runs cannot be read: {e.sentence}"
            return
        self.data["workflow_runs"] = [answers.workflow_run(node) for node in runs]

    # --- the policy -----------------------------------------------------------------------------------
    def _text(self, ref: Json | None, path: str) -> str | None:
        entry = ((ref or {}).get("target") or {}).get("file")
        blob = entry and entry["object"]
        if blob and blob.get("isTruncated"):
            whole = contents.read(self.client, path, self.data["base_branch"])  # type: ignore[arg-type]
            return whole.decode("utf-8", "replace") if whole is not None else None
        return answers.text(blob)

    def _shared(self, shared: Json | None) -> Json:
        ref = (shared or {}).get("defaultBranchRef")
        entry = ((ref or {}).get("target") or {}).get("file") if ref else None
        text = answers.text(entry and entry["object"])
        if shared is None or ref is None or text is None:
            return {}
        return {shared["nameWithOwner"]: {"default_branch": ref["name"], "files": {ref["name"]: {SHARED_PATH: text}}}}

    def _remote(self, policy: str | None, shared: Json | None) -> Json:
        """The file that a policy points to, one hop away."""
        text = policy if policy is not None else next(iter(_texts(self._shared(shared))), None)
        remote = remote_of(text) if text is not None else None
        owner, slash, name = (remote or {}).get("remote", "").partition("/")
        if remote is None or not (owner and slash and name):
            return {}
        path, ref = remote["path"] or POLICY_PATH, remote["ref"]
        client = self.client if owner.lower() == self.client.owner.lower() else self.elsewhere(owner)
        if client is None:
            return {}
        variables = {"owner": owner, "name": name, "expression": f"{ref or 'HEAD'}:{path}"}
        found = self._ask(client, queries.REMOTE, variables)["repository"]
        if not found or not found["defaultBranchRef"]:
            return {}
        default, content = found["defaultBranchRef"]["name"], answers.text(found["object"])
        files = {ref or default: {path: content}} if content is not None else {}
        return {remote["remote"]: {"default_branch": default, "files": files}}

    def _applicable(self, policy: str | None) -> str | None:
        """The text that will judge: the policy itself, what it points to, or the shared one."""
        texts = list(_texts(self.data["repositories"]))
        if policy is not None and remote_of(policy) is None:
            return policy
        return texts[-1] if texts else None

    # --- people ---------------------------------------------------------------------------------------
    def _people(self, wanted: Needs) -> None:
        self.data |= {"org_members": {}, "team_members": {}, "permissions": {}}
        teams = [team for team in wanted.teams if team.count("/") == 1]
        owners = sorted({t.partition("/")[0] for t in teams} | set(wanted.organizations) | {self.client.owner})
        for owner in owners:
            own = owner.lower() == self.client.owner.lower()
            client = self.client if own else self.elsewhere(owner)
            its_teams = [t for t in teams if t.partition("/")[0] == owner]
            its_name = [owner] if owner in wanted.organizations else []
            collaborators = own and owner == self.client.owner and wanted.permissions
            if client is not None and (its_teams or its_name or collaborators):
                self._members(client, its_teams, its_name, collaborators=collaborators)
        if wanted.reviewers:
            self._teams()

    def _teams(self) -> None:
        """What the repository grants to teams; only choosing reviewers needs it, and does without if it must."""
        try:
            shared = self.client.paginate("teams")
        except (errors.MissingPermission, errors.NotFound):
            return
        self.data["team_permissions"] = {f"{self.client.owner}/{team['slug']}": answers.level(team) for team in shared}

    def _members(self, client: Asker, teams: list[str], names: list[str], *, collaborators: bool) -> None:
        answer = self._ask(client, queries.people(teams, names, collaborators=collaborators))
        for i, team in enumerate(teams):
            found = answer[f"t{i}"]
            if found is None:
                self.incomplete[f"teams/{team}"] = f"the team {team} cannot be read; {_GRANT}"
            elif found["team"] is not None:
                self.data["team_members"][team] = self._all(client, team, found["team"]["members"])
        for i, name in enumerate(names):
            if (found := answer[f"o{i}"]) is None:
                self.incomplete[f"organizations/{name}"] = f"the members of {name} cannot be read; {_GRANT}"
            else:
                self.data["org_members"][name] = self._organization(client, name, found["membersWithRole"])
        if collaborators:
            self._permissions((answer["repository"] or {}).get("collaborators"))

    def _all(self, client: Asker, team: str, page: Json) -> list[str]:
        if not page["pageInfo"]["hasNextPage"]:
            return [node["login"] for node in page["nodes"]]
        owner, _, slug = team.partition("/")
        return [node["login"] for node in client.paginate(f"/orgs/{owner}/teams/{slug}/members")]

    def _organization(self, client: Asker, name: str, page: Json) -> list[str]:
        """All members of a small organisation; of a large one, those of the people here who are."""
        if not page["pageInfo"]["hasNextPage"]:
            return [node["login"] for node in page["nodes"]]
        self.incomplete["people"] = f"of {name}, only those who took part were looked up"
        return [login for login in self._involved() if _is_member(client, name, login)]

    def _permissions(self, page: Json | None) -> None:
        if page is None:
            self.incomplete["permissions"] = f"collaborators cannot be read; {_GRANT}"
            return
        edges = page["edges"]
        if page["pageInfo"]["hasNextPage"]:
            self.incomplete["people"] = "of all collaborators, only those who took part were looked up"
            found = self._ask(self.client, queries.permissions(self._involved()))["repository"]
            edges = [edge for listed in found.values() for edge in (listed or {"edges": []})["edges"]]
        self.data["permissions"] = {edge["node"]["login"]: edge["permission"].lower() for edge in edges}

    def _involved(self) -> list[str]:
        """Everybody who opened, wrote, said or signed anything here."""
        people = {self.data["author"]}
        people |= {item["author"] for kind in ("comments", "reviews") for item in self.data[kind]}
        for commit in self.data["commits"]:
            people |= {commit["author_login"], commit["committer_login"], *commit.get("co_authors", ())}
            people |= {(commit["signature"] or {}).get("signer")}
        return sorted(login for login in people if login)


def _is_member(client: Asker, organization: str, login: str) -> bool:
    try:
        client.get(f"/orgs/{organization}/members/{login}")
    except errors.NotFound:
        return False
    return True


def _both(wanted: Needs, text: str) -> Needs:
    try:
        asked = needs.of(parse(text))
    except Problems:
        return wanted  # the evaluation says what is wrong with it
    return Needs(
        teams=asked.teams,
        organizations=asked.organizations,
        permissions=wanted.permissions or asked.permissions,
        files=wanted.files or asked.files,
        workflow_runs=wanted.workflow_runs or asked.workflow_runs,
        reviewers=wanted.reviewers or asked.reviewers,
    )


def _texts(repositories: Json) -> Iterable[str]:
    for repository in repositories.values():
        for paths in repository["files"].values():
            yield from paths.values()
