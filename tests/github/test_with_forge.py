"""The client and its helpers against a forge that enforces permissions, keeps state and serves real git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from ghapp.git import Git
from ghapp.github import checks, comments, contents, deployments, errors, pulls
from ghapp.github.app import GitHubApp
from ghapp.github.checks import Annotation, Check
from ghapp.github.directory import Place as Somewhere
from ghapp.github.people import forget
from ghapp.github.tokens import READ_CODE, RECONCILE

if TYPE_CHECKING:
    from tests.conftest import Place


@pytest.fixture
def app(place: Place, redis: Redis) -> GitHubApp:
    return GitHubApp(place.settings, redis)


def opened(place: Place, branch: str = "feature") -> tuple[int, str]:
    place.push("main", README="one")
    sha = place.push(branch, README=f"two {branch}")
    made: Any = place.call("alice", "POST", "/repos/acme/web/pulls", {"title": "T", "head": branch, "base": "main"})
    return int(made["number"]), sha


def test_installations_and_repositories(app: GitHubApp, place: Place) -> None:
    (installation,) = app.installations()
    assert (installation.id, installation.account, installation.organisation) == (place.installation.id, "acme", True)
    (repository,) = app.repositories(installation.id)
    assert (repository.id, repository.full_name) == (place.repository.id, "acme/web")
    assert app.for_repository(repository.id).full_name == "acme/web"
    assert app.for_repository("acme/web").id == repository.id


def test_git_reads_with_the_apps_token_and_nothing_else(app: GitHubApp, place: Place, tmp_path: Any) -> None:
    sha = place.push(README="one")
    client = app.for_repository("acme/web", READ_CODE)
    git = Git(tmp_path / "mirror.git", client.clone_url, client.git_credentials)
    git.create()
    git.fetch("+refs/heads/*:refs/heads/*")
    assert git.refs("refs/heads/") == {"refs/heads/main": sha}
    config = (tmp_path / "mirror.git" / "config").read_text()
    assert client.token() not in config


def test_a_check_run_lives_through_its_states(app: GitHubApp, place: Place) -> None:
    sha = place.push(README="one")
    client = app.for_repository("acme/web")
    remarks = [Annotation("README", 1, 1, "warning", f"remark {n}") for n in range(60)]
    for check in (
        Check("ghapp / web / before", "queued", "", status="queued", external_id="r1"),
        Check("ghapp / web / before", "running", "step 1", status="in_progress", external_id="r1"),
        Check(
            "ghapp / web / before", "failed", "see", "log", conclusion="failure", external_id="r1", annotations=remarks
        ),
    ):
        assert checks.put(client, sha, check, checks.ours(client, sha).get(check.name)) is not None
        assert checks.put(client, sha, check, checks.ours(client, sha).get(check.name)) is None
    (run,) = checks.ours(client, sha).values()
    assert (run.status, run.conclusion, run.annotations, run.external_id) == ("completed", "failure", 60, "r1")
    again = Check("ghapp / web / before", "running", "again", status="in_progress", external_id="r2")
    checks.put(client, sha, again, run)
    assert checks.ours(client, sha)["ghapp / web / before"].external_id == "r2"


def test_a_comment_is_kept_up_to_date_and_commands_get_a_reaction(app: GitHubApp, place: Place) -> None:
    number, _ = opened(place)
    client = app.for_repository("acme/web")
    assert comments.put(client, number, "status", "waiting")
    assert not comments.put(client, number, "status", "waiting")
    assert comments.put(client, number, "status", "done")
    imitation = comments.marker("status")
    said: Any = place.call("bob", "POST", f"/repos/acme/web/issues/{number}/comments", {"body": f"/test {imitation}"})
    assert comments.put(client, number, "status", "done") is False
    listed = client.paginate(f"issues/{number}/comments")
    assert [comment["user"]["login"] for comment in listed] == ["ghapp[bot]", "bob"]
    assert not comments.reacted(client, said["id"], app.login)
    comments.react(client, said["id"], "rocket")
    assert comments.reacted(client, said["id"], app.login)


def test_merging_needs_the_judged_head(app: GitHubApp, place: Place) -> None:
    number, old = opened(place)
    client = app.for_repository("acme/web")
    new = place.push("feature", README="three")
    with pytest.raises(errors.Conflict):
        pulls.merge(client, number, sha=old)
    merged = pulls.merge(client, number, sha=new, title="Promote", message="Ghapp-App: web")
    assert pulls.ref_sha(client, "heads/main") == merged
    assert client.get(f"commits/{merged}")["commit"]["message"] == "Promote\n\nGhapp-App: web"
    with pytest.raises(errors.NotMergeable):
        pulls.merge(client, number, sha=new)


def test_a_conflict_is_not_mergeable(app: GitHubApp, place: Place) -> None:
    number, sha = opened(place)
    place.push("main", README="other")
    with pytest.raises(errors.NotMergeable):
        pulls.merge(app.for_repository("acme/web"), number, sha=sha)


def test_pulls_are_found_by_branch_and_commit(app: GitHubApp, place: Place) -> None:
    number, sha = opened(place)
    client = app.for_repository("acme/web")
    assert [pull["number"] for pull in pulls.opened(client, head="feature", base="main")] == [number]
    assert pulls.opened(client, head="other") == []
    assert [pull["number"] for pull in pulls.of_commit(client, sha)] == [number]
    pulls.delete_branch(client, "feature")
    pulls.delete_branch(client, "feature")
    assert pulls.ref_sha(client, "heads/feature") is None


def test_deployments_are_found_again_and_reported(app: GitHubApp, place: Place) -> None:
    sha = place.push(README="one")
    client = app.for_repository("acme/web")
    made = deployments.create(client, environment="prod", ref=sha, task="deploy:web", payload={"app": "web"})
    assert [d["id"] for d in deployments.find(client, environment="prod", sha=sha, task="deploy:web")] == [made["id"]]
    for state in ("in_progress", "success"):
        deployments.report(client, made["id"], state, "fine")  # type: ignore[arg-type]
    assert [status["state"] for status in deployments.statuses(client, made["id"])] == ["success", "in_progress"]


def test_contents(app: GitHubApp, place: Place) -> None:
    place.push(README="text", folder__a="1", folder__b="2")
    client = app.for_repository("acme/web", READ_CODE)
    assert contents.read(client, "README", "main") == b"text"
    assert contents.read(client, "nothing", "main") is None
    assert contents.read(client, "folder", "main") is None
    assert [entry["name"] for entry in contents.listing(client, "folder", "main")] == ["a", "b"]
    assert contents.listing(client, "README", "main") == []


def test_people_are_remembered_until_something_changes(app: GitHubApp, place: Place) -> None:
    client = app.for_repository("acme/web")
    people = app.people(app.for_installation(place.installation.id))
    assert people.permission(client, "alice") == "maintain"
    assert people.permission(client, "bob") == "read"  # the repository is public
    assert people.permission(client, "nobody") == "none"
    assert people.at_least(client, "alice", "write")
    assert people.team("acme", "sre") == {"alice"}
    assert people.organisation_member("acme", "alice")
    asked = app.calls.total()
    place.forge.create_team("acme", "others", members=["bob"])
    place.forge.share("acme/web", "acme", "others", "write")
    assert people.permission(client, "bob") == "read"
    assert app.calls.total() == asked
    assert people.permission(client, "bob", fresh=True) == "write"
    forget(app.store, place.installation.id, "new")
    assert app.people(app.for_installation(place.installation.id)).permission(client, "bob") == "write"


def test_a_permission_that_is_missing_is_named(app: GitHubApp, place: Place) -> None:
    sha = place.push(README="one")
    client = app.for_repository("acme/web", READ_CODE)
    with pytest.raises(errors.MissingPermission, match="checks"):
        client.post("check-runs", {"name": "x", "head_sha": sha})


def test_what_reconciles_need_is_what_the_manifest_asks_for(place: Place) -> None:
    assert {name: level for name, level in RECONCILE.items() if place.app.permissions.get(name) != level} in (
        {},
        {"statuses": "read"},  # the manifest asks for more, for agents' reports
    )


def test_what_has_not_changed_costs_nothing(app: GitHubApp, place: Place) -> None:
    place.push(README="one")
    client = app.for_repository("acme/web")

    def left() -> int:
        limit: Any = client.get("/rate_limit")
        return int(limit["resources"]["core"]["remaining"])

    client.get("branches/main")
    before = left()
    for _ in range(3):
        assert client.get("branches/main")["name"] == "main"
    assert left() == before


def test_a_renamed_repository_is_followed(app: GitHubApp, place: Place) -> None:
    app.repositories(place.installation.id)
    place.forge.add_collaborator("acme/web", "alice", "admin")
    place.call("alice", "PATCH", "/repos/acme/web", {"name": "renamed"})
    assert app.for_repository(place.repository.id).get("")["full_name"] == "acme/renamed"


def test_a_repository_that_left_the_installation(app: GitHubApp, place: Place) -> None:
    other = place.forge.create_repository("acme", "other")
    place.installation.repository_selection = "selected"
    place.installation.repository_ids = {place.repository.id}
    app.directory.remember(Somewhere(other.id, "acme/other", place.installation.id))
    with pytest.raises(errors.NotInstalled):
        app.for_repository(other.id).get("")


def test_a_server_that_fails_now_and_then(app: GitHubApp, place: Place) -> None:
    client = app.for_repository("acme/web")
    client.get("")
    place.forge.faults.fail_next(2, status=503, method="GET")
    assert client.get("")["full_name"] == "acme/web"


def test_a_secondary_limit_parks(app: GitHubApp, place: Place) -> None:
    client = app.for_repository("acme/web")
    place.forge.faults.secondary_limit_next(1, retry_after=45, path="/repos/acme/web$")
    with pytest.raises(errors.RateLimited):
        client.get("")
    with pytest.raises(errors.RateLimited):
        client.get("")
