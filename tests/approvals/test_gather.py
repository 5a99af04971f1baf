"""Facts from GitHub: what they hold, how many calls they cost, and that a part is never taken for the whole.

Against the sandbox's forge, over HTTP, as the App with the permissions of its manifest.
"""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime

import jsonschema
import pytest
from click.testing import CliRunner

from ghapp.approvals.gather import NoSuchPullRequest, gather
from ghapp.approvals.installed import elsewhere
from ghapp.approvals.schema import facts_schema
from ghapp.cli.policy import policy as policy_command
from ghapp.git import Git
from ghapp.github.app import GitHubApp
from policies.approval.judge import judge

POLICY = """
policy: {approval: [team]}
approval_rules:
  - name: team
    options: {invalidate_on_push: true}
    requires: {count: 1, teams: [acme/sre], permissions: [admin]}
"""
NOW = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def app(place):
    return GitHubApp(place.settings)


@pytest.fixture
def pull(place):
    """Opens a pull request by bob of one commit by alice; returns its number and its head."""
    place.forge.add_collaborator("acme/web", "bob", "write")
    place.forge.create_user("carol")

    def opened(policy: str | None = POLICY, **files: str) -> tuple[int, str]:
        place.push("main", README="hello", **({"_dot_policy.yml": policy} if policy is not None else {}))
        head = place.push("feature", **(files or {"src__app.py": "print()"}))
        body = {"title": "A change", "head": "feature", "base": "main", "body": "no-platform"}
        return place.call("bob", "POST", "/repos/acme/web/pulls", body)["number"], head

    return opened


def counted(app, number, **options):
    """What was gathered, and how many calls it took, tokens and look-ups of the installation left out."""
    client = app.for_repository("acme/web")
    client.token()
    before = sum(app.calls.values())
    gathered = gather(client, number, elsewhere=elsewhere(app), **options)
    return gathered, sum(app.calls.values()) - before


def put(place, repository, path, text):
    """A file on the default branch of a new repository."""
    place.forge.create_repository(*repository.split("/"))
    place.forge.add_collaborator(repository, "alice", "admin")
    content = base64.b64encode(text.encode()).decode()
    place.call("alice", "PUT", f"/repos/{repository}/contents/{path}", {"message": "Add", "content": content})


def test_a_pull_request(place, app, pull):
    number, head = pull()
    place.call("alice", "POST", f"/repos/acme/web/pulls/{number}/reviews", {"event": "APPROVE", "commit_id": head})
    place.call("bob", "POST", f"/repos/acme/web/issues/{number}/comments", {"body": "thanks"})
    place.call("bob", "POST", f"/repos/acme/web/issues/{number}/labels", {"labels": ["ready"]})
    place.call("alice", "POST", f"/repos/acme/web/statuses/{head}", {"context": "ci", "state": "success"})
    gathered, _ = counted(app, number)
    facts = gathered.facts()
    assert gathered.policy == POLICY
    assert (facts.repository, facts.number, facts.author, facts.head_sha) == ("acme/web", number, "bob", head)
    assert (facts.base_branch, facts.head_name, facts.title, facts.state) == ("main", "feature", "A change", "open")
    assert (facts.body.text, facts.body.author) == ("no-platform", "bob")
    assert [c.oid for c in facts.commits] == [head]
    assert [(r.author, r.state, r.commit_oid) for r in facts.reviews] == [("alice", "APPROVED", head)]
    assert [(c.author, c.body) for c in facts.comments] == [("bob", "thanks")]
    assert (facts.labels, [(s.context, s.state) for s in facts.statuses]) == (("ready",), [("ci", "success")])
    assert [f.path for f in facts.files] == ["src/app.py"]
    assert facts.team_members == {"acme/sre": frozenset({"alice"})}
    assert facts.permissions["bob"] == "write"
    assert facts.incomplete == {}


def test_what_the_verdict_is(place, app, pull):
    number, _ = pull()
    gathered, _ = counted(app, number)
    before = judge(gathered.policy, gathered.facts(), NOW)
    assert before.state == "pending"
    assert "@acme/sre" in before.sentence


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        (POLICY, 2),
        (POLICY + "    if: {changed_files: {paths: [x]}}\n", 2),
        ("", 1),
        (None, 1),
    ],
)
def test_a_review_event_costs_at_most_three_calls(place, app, pull, policy, calls):
    number, _ = pull(policy)
    assert counted(app, number)[1] == calls <= 3


def test_a_renamed_file_is_read_by_rest_where_a_policy_asks_about_files(place, app, pull):
    place.push("main", old__name="the same content, long enough to be recognised as the same\n" * 5)
    policy = "policy: {approval: [a]}\napproval_rules: [{name: a, if: {changed_files: {paths: [^old]}}}]"
    number, _ = pull(policy)
    work = Git(place.folder / "work")
    work.run("mv", "old/name", "new-name")
    place.push("feature")
    gathered, calls = counted(app, number)
    assert calls == 2
    renamed = next(f for f in gathered.facts().files if f.status == "renamed")
    assert (renamed.previous_path, renamed.path) == ("old/name", "new-name")
    assert judge(gathered.policy, gathered.facts(), NOW).state == "success"


def test_many_comments_come_in_pages(place, app, pull):
    number, _ = pull()
    for i in range(103):
        place.call("bob", "POST", f"/repos/acme/web/issues/{number}/comments", {"body": f"n{i}"})
    gathered, calls = counted(app, number)
    assert [c.body for c in gathered.facts().comments] == [f"n{i}" for i in range(103)]
    assert calls == 3


def test_the_shared_policy(place, app, pull):
    put(place, "acme/.github", "policy.yml", POLICY)
    number, _ = pull(None)
    gathered, calls = counted(app, number)
    assert (gathered.policy, calls) == (None, 2)
    assert judge(None, gathered.facts(), NOW).state == "pending"


def test_a_policy_elsewhere(place, app, pull):
    number, _ = pull("remote: acme/policies\npath: web.yml")
    put(place, "acme/policies", "web.yml", POLICY)
    gathered, calls = counted(app, number)
    facts = gathered.facts()
    assert facts.repositories["acme/policies"].files == {"main": {"web.yml": POLICY}}
    assert facts.team_members == {"acme/sre": frozenset({"alice"})}
    assert calls == 3
    assert judge(gathered.policy, facts, NOW).state == "pending"


def test_a_pull_request_that_is_not_there(app, place, pull):
    pull()
    with pytest.raises(NoSuchPullRequest, match="there is no pull request 99 in acme/web"):
        gather(app.for_repository("acme/web"), 99)


def test_more_commits_than_github_lists(place, app, pull):
    number, _ = pull()
    who = "committer A <a@example.com> 1700000000 +0000\ndata 1\nx\n"
    stream = "".join(
        f"commit refs/heads/feature\n{who}" + ("from refs/heads/feature^0\n" if i == 0 else "") for i in range(255)
    )
    folder = place.folder / "work"
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=stream.encode(), check=True)
    head = place.push("feature")
    gathered, calls = counted(app, number)
    facts = gathered.facts()
    assert len(facts.commits) == 257
    assert facts.commits[-1].oid == head
    assert "commits" not in facts.incomplete
    assert judge(gathered.policy, facts, NOW).state == "pending"
    assert calls == 2 + 2 + 3  # two pages more of the list, and three of the comparison


def test_teams_of_another_organisation(place, app, pull):
    policy = POLICY.replace("acme/sre", "friends/ops")
    number, head = pull(policy)
    place.forge.create_org("friends")
    place.forge.create_team("friends", "ops", members=["carol"])
    place.call("alice", "POST", f"/repos/acme/web/pulls/{number}/reviews", {"event": "APPROVE", "commit_id": head})
    refused, _ = counted(app, number)
    assert refused.facts().team_members == {}
    facts = gather(app.for_repository("acme/web"), number).facts()
    assert judge(policy.replace("permissions: [admin]", ""), facts, NOW).sentence.startswith("team: waiting")
    place.forge.install(place.app, "friends")
    seen, _ = counted(GitHubApp(place.settings), number)
    assert seen.facts().team_members == {"friends/ops": frozenset({"carol"})}


def test_who_is_asked_for_a_review(place, app, pull):
    policy = POLICY.replace("requires", "options: {request_review: {enabled: true, mode: all-users}}\n    requires", 1)
    number, _ = pull(policy.replace("    options: {invalidate_on_push: true}\n", ""))
    place.forge.add_collaborator("acme/web", "carol", "write")
    place.call("bob", "POST", f"/repos/acme/web/pulls/{number}/requested_reviewers", {"reviewers": ["carol"]})
    gathered, _ = counted(app, number)
    facts = gathered.facts()
    assert facts.requested == {"carol"}
    assert facts.teams["acme/sre"] == "maintain"
    place.call("bob", "DELETE", f"/repos/acme/web/pulls/{number}/requested_reviewers", {"reviewers": ["carol"]})
    assert counted(app, number)[0].facts().removed == {"carol"}


def test_the_command_writes_what_evaluate_reads(place, pull, tmp_path, monkeypatch):
    number, _ = pull()
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    file, policy_file = tmp_path / "facts.json", tmp_path / "policy.yml"
    arguments = ["facts", f"acme/web#{number}", "--output", str(file), "--policy", str(policy_file)]
    written = CliRunner().invoke(policy_command, arguments)
    assert written.exit_code == 0, written.output
    told = CliRunner().invoke(policy_command, ["evaluate", "--facts", str(file), "--policy", str(policy_file)])
    assert told.output.startswith("… pending: team: waiting for one of @acme/sre")
    jsonschema.validate(json.loads(file.read_text()), facts_schema())
    assert json.loads(CliRunner().invoke(policy_command, arguments[:2]).stdout)["number"] == number


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("acme/web", "'acme/web' is not a pull request; write owner/repository#7"),
        ("acme/web#99", "there is no pull request 99 in acme/web"),
        ("acme/nowhere#1", "acme/nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(place, pull, monkeypatch, argument, message):
    pull()
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(policy_command, ["facts", argument])
    assert result.exit_code != 0
    assert message in result.output
