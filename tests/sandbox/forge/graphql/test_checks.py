"""Check runs, statuses, what they amount to, and deployments."""

from __future__ import annotations

from ghapp.sandbox.forge.model import BranchProtection, RequiredCheck
from ghapp.sandbox.forge.operations import (
    checks,
    deployments,
    statuses,
)
from ghapp.sandbox.forge.web.call import Body


def test_checks_and_statuses_rolled_up(world):
    pull = world.pull()
    rule = BranchProtection(1, "BPR_1", "main", required_checks=[RequiredCheck("ghapp / ready", world.app.id)])
    world.guestbook.protections.append(rule)
    facts = {"name": "ghapp / ready", "head_sha": pull.head_sha}
    checks.create(world.state, world.guestbook, world.app, Body({**facts, "conclusion": "failure"}))
    run = checks.create(world.state, world.guestbook, world.app, Body({**facts, "status": "in_progress"}))
    statuses.create(world.state, world.guestbook, pull.head_sha, world.bob, "success", "lint")
    shape = """statusCheckRollup { state contexts(first: 9) { totalCount checkRunCount statusContextCount nodes {
        __typename
        ... on CheckRun { name status conclusion databaseId isRequired(pullRequestNumber: 1)
            checkSuite { app { slug } } }
        ... on StatusContext { context state isRequired(pullRequestNumber: 1) creator { login } } } } }"""

    def rollup() -> dict:
        return world.data(world.on_pull(shape))["repository"]["pullRequest"]["statusCheckRollup"]

    assert rollup() == {
        "state": "PENDING",
        "contexts": {
            "totalCount": 2,
            "checkRunCount": 1,
            "statusContextCount": 1,
            "nodes": [
                {
                    "__typename": "CheckRun",
                    "name": "ghapp / ready",
                    "status": "IN_PROGRESS",
                    "conclusion": None,
                    "databaseId": run.id,
                    "isRequired": True,
                    "checkSuite": {"app": {"slug": "ghapp"}},
                },
                {
                    "__typename": "StatusContext",
                    "context": "lint",
                    "state": "SUCCESS",
                    "isRequired": False,
                    "creator": {"login": "bob"},
                },
            ],
        },
    }
    checks.update(world.state, run, world.app, Body({"conclusion": "success"}))
    assert rollup()["state"] == "SUCCESS"
    statuses.create(world.state, world.guestbook, pull.head_sha, world.bob, "error", "lint")
    assert rollup()["state"] == "ERROR"


def test_check_runs_of_a_suite_with_filters_and_annotations(world):
    pull = world.pull()
    annotation = {"path": "app.py", "start_line": 1, "end_line": 2, "annotation_level": "warning", "message": "hm"}
    output = {"title": "One", "summary": "**1**", "annotations": [annotation]}
    facts = {"head_sha": pull.head_sha, "conclusion": "success"}
    for name in ("a", "b", "a"):
        checks.create(world.state, world.guestbook, world.app, Body({**facts, "name": name, "output": output}))
    shape = """commits(last: 1) { nodes { commit { checkSuites(first: 5) { nodes { conclusion
        latest: checkRuns(first: 9) { nodes { name title summary annotations(first: 9) { nodes {
            path annotationLevel message location { start { line } end { line } } } } } }
        all: checkRuns(first: 9, filterBy: {checkType: ALL, checkName: "a"}) { totalCount } } } } } }"""
    commit = world.data(world.on_pull(shape))["repository"]["pullRequest"]["commits"]["nodes"][0]["commit"]
    suite = commit["checkSuites"]["nodes"][0]
    assert suite["conclusion"] == "SUCCESS"
    assert [run["name"] for run in suite["latest"]["nodes"]] == ["b", "a"]
    assert suite["all"]["totalCount"] == 2
    assert suite["latest"]["nodes"][0]["annotations"]["nodes"] == [
        {
            "path": "app.py",
            "annotationLevel": "WARNING",
            "message": "hm",
            "location": {"start": {"line": 1}, "end": {"line": 2}},
        }
    ]


def test_deployments_and_environments(world):
    world.commit("env/prod", {"a": "1\n"})
    facts = {"ref": "env/prod", "environment": "prod", "payload": {"release": 1}, "required_contexts": []}
    deployment = deployments.create(world.state, world.guestbook, world.app.bot, Body(facts))
    for state in ("in_progress", "success"):
        body = Body({"state": state, "environment_url": "https://prod.example"})
        deployments.add_status(world.state, deployment, world.app.bot, body)
    shape = """deployments(first: 5, environments: ["prod"]) { nodes { state environment payload creator { login }
            latestStatus { state environmentUrl } statuses(first: 5) { nodes { state } } commitOid } }
        environments(first: 5) { nodes { name latestCompletedDeployment { databaseId } } }"""
    found = world.data(world.on_repository(shape))["repository"]
    assert found["deployments"]["nodes"] == [
        {
            "state": "ACTIVE",
            "environment": "prod",
            "payload": '{"release": 1}',
            "creator": {"login": "ghapp"},
            "latestStatus": {"state": "SUCCESS", "environmentUrl": "https://prod.example"},
            "statuses": {"nodes": [{"state": "SUCCESS"}, {"state": "IN_PROGRESS"}]},
            "commitOid": deployment.sha,
        }
    ]
    assert found["environments"]["nodes"] == [
        {"name": "prod", "latestCompletedDeployment": {"databaseId": deployment.id}}
    ]
