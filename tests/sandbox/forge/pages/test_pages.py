"""Every page is there, says what the records say, and lets people do what their role lets them, and no more."""

from __future__ import annotations

import base64
import json

import pytest

from ghapp.sandbox.forge.model import BranchProtection, RequiredCheck
from ghapp.sandbox.forge.operations import accounts, deployments, issues, pulls, reviews, statuses
from ghapp.sandbox.forge.web.call import Body

PULL = "/acme/guestbook/pull/1"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "acme/guestbook"),
        ("/acme", "Members"),
        ("/ada", "ada"),
        ("/apps/ghapp", "Recent deliveries"),
        ("/acme/guestbook", "Promote v2 to prod"),
        ("/acme/guestbook/pulls", "Promote v2 to prod"),
        ("/acme/guestbook/commits", "Begin"),
        ("/acme/guestbook/commits/env/prod", "Deploy"),
        ("/acme/guestbook/deployments", "Nothing was deployed yet."),
        ("/acme/guestbook/tree/main", "deploy"),
        ("/acme/guestbook/tree/env/prod/deploy", "app.yaml"),
        ("/acme/guestbook/blob/env/prod/deploy/app.yaml", "replicas: 1"),
        ("/acme/guestbook/blob/main/README.md", "<h1>Guestbook</h1>"),
        ("/acme/guestbook/compare/env/prod...promote", "replicas: 2"),
        (PULL, "<strong>two</strong>"),
        (f"{PULL}/commits", "Promote v2"),
        (f"{PULL}/checks", "No checks."),
        (f"{PULL}/files", "&lt;b&gt;bold&lt;/b&gt;"),
    ],
)
def test_pages_that_are_there(scene, path, says):
    assert says in scene.text(path)


@pytest.mark.parametrize(
    "path",
    [
        *("/nobody", "/acme/none", "/acme/guestbook/pull/9", "/acme/guestbook/issues/9", "/acme/guestbook/runs/9"),
        *("/acme/guestbook/commit/" + "0" * 40, "/acme/guestbook/tree/none", "/acme/guestbook/blob/main/none"),
        *("/acme/guestbook/tree/main/none", "/acme/guestbook/blob/main", "/acme/guestbook/compare/main", "/apps/none"),
        *("/acme/guestbook/blob/main/../../etc/passwd", "/acme/guestbook/tree/--help", "/avatars/u/9/9"),
    ],
)
def test_what_is_not_there_says_so(scene, path):
    answer = scene.get(path)
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


def test_every_page_forbids_scripts_and_frames(scene):
    for path in ("/", PULL, "/nobody"):
        headers = scene.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_raw_files_are_never_taken_for_pages(scene):
    scene.commit("main", {"evil.html": "<script>alert(1)</script>", "logo": "\0png"}, "Add")
    page = scene.get("/acme/guestbook/raw/main/evil.html")
    assert page.text == "<script>alert(1)</script>"
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert scene.get("/acme/guestbook/raw/main/logo").headers["Content-Type"] == "application/octet-stream"


def test_a_former_name_still_leads_to_the_repository(scene):
    scene.repository.name = "visitors"
    scene.state.name_repository(scene.repository)
    assert "visitors" in scene.text("/acme/guestbook")


def test_an_issue_has_a_page_and_a_pull_request_is_sent_to_its_own(scene):
    issue = issues.open_issue(scene.state, scene.repository, scene.carol, "Ink", "Which *ink*?")
    assert "<em>ink</em>" in scene.text(f"/acme/guestbook/issues/{issue.number}")
    assert scene.get("/acme/guestbook/issues/1", allow_redirects=False).headers["Location"] == PULL


# What commits and checks say ------------------------------------------------------------------------------------------


def test_a_commit_with_checks_notes_and_what_is_inside_signed_ones(scene):
    sha = scene.pull.head_sha
    output = {"title": "One finding", "summary": "Found **one**."}
    scene.check("ghapp / scan", conclusion="failure", output=output)
    statement = {"predicateType": "https://slsa.dev/provenance/v1", "subject": [{"name": "guestbook"}]}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []})
    scene.note(sha, envelope + "\n")
    scene.note(sha, "looked at <by> hand\n", "refs/notes/commits")
    page = scene.text(f"/acme/guestbook/commit/{sha}")
    for said in ("Promote v2", "Found <strong>one</strong>.", "https://slsa.dev/provenance/v1", "Statement 1 of 1"):
        assert said in page
    assert "looked at &lt;by&gt; hand" in page
    assert "replicas: 2" in page
    assert "refs/notes/ghapp" in scene.text("/acme/guestbook")
    assert scene.text(f"{PULL}/commits/{sha}") == page


def test_a_check_run_shows_its_report_and_annotations(scene):
    annotation = {"path": "deploy/app.yaml", "start_line": 1, "end_line": 1, "annotation_level": "warning"}
    output = {
        "title": "Hm",
        "summary": "| a |\n|-|\n| 1 |",
        "text": "<details><summary>more</summary>\n\n*x*\n\n</details>",
    }
    output["annotations"] = [{**annotation, "message": "is <two> much?", "raw_details": "because"}]
    run = scene.check("ghapp / lint", conclusion="neutral", output=output, details_url="javascript:alert(1)")
    page = scene.text(f"/acme/guestbook/runs/{run.id}")
    for said in ("<td>1</td>", "<summary>more</summary>", "is &lt;two&gt; much?", "because", "deploy/app.yaml:1"):
        assert said in page
    assert "javascript:" not in page


def test_environments_show_what_they_run_and_how_it_went(scene):
    facts = {"ref": "env/prod", "environment": "prod", "required_contexts": []}
    deployment = deployments.create(scene.state, scene.repository, scene.app.bot, Body(facts))
    body = Body({"state": "failure", "description": "CrashLoopBackOff", "environment_url": "https://prod.example"})
    deployments.add_status(scene.state, deployment, scene.app.bot, body)
    for path in ("/acme/guestbook", "/acme/guestbook/deployments"):
        page = scene.text(path)
        assert "prod" in page and "CrashLoopBackOff" in page and deployment.sha[:7] in page


def test_addresses_that_apps_give_are_links_only_where_they_lead_to_the_web(scene):
    facts = {"ref": "env/prod", "environment": "prod", "required_contexts": []}
    deployment = deployments.create(scene.state, scene.repository, scene.app.bot, Body(facts))
    body = Body({"state": "success", "environment_url": "https://prod.example", "log_url": "javascript:alert(1)"})
    deployments.add_status(scene.state, deployment, scene.app.bot, body)
    for context, url in (("good", "https://ci.example/1"), ("bad", "javascript:alert(1)")):
        statuses.create(scene.state, scene.repository, scene.pull.head_sha, scene.bob, "success", context, None, url)
    page, pull = scene.text("/acme/guestbook"), scene.text(PULL)
    assert 'href="https://prod.example"' in page and 'href="https://ci.example/1"' in pull
    assert "javascript:" not in page + pull


def test_what_protection_still_asks_is_on_the_page(scene):
    rule = BranchProtection(1, "BPR_1", "env/*", required_checks=[RequiredCheck("ghapp / ready")])
    scene.repository.protections.append(rule)
    assert "Waiting for this to be reported" in scene.text(PULL)
    assert "Required status check &#34;ghapp / ready&#34; is expected." in scene.text(PULL)


def test_the_conversation_tells_everything_in_order(scene):
    team = accounts.create_team(scene.state, scene.acme, "Owners", members=[scene.carol])
    issues.add_labels(scene.state, scene.pull, scene.bob, ["urgent"])
    pulls.request_reviewers(scene.state, scene.pull, scene.bob, [scene.ada], [team])
    scene.forge.advance(60)
    issues.add_comment(scene.state, scene.pull, scene.bob, "first")
    scene.forge.advance(60)
    review = reviews.create(scene.state, scene.pull, scene.carol, event="REQUEST_CHANGES", body="second")
    scene.forge.advance(60)
    pulls.edit(scene.state, scene.pull, scene.bob, title="Promote v2 to prod, at last")
    reviews.dismiss(scene.state, review, scene.ada, "it was late")
    hidden = issues.add_comment(scene.state, scene.pull, scene.bob, "noise")
    hidden.minimized_reason = "off-topic"
    page = scene.text(PULL)
    said = ("urgent", "asked ada", "asked owners", "first", "second", "at last", "it was late", "Hidden as off-topic")
    places = [page.rindex(word) if word == "at last" else page.index(word) for word in said[3:]]
    assert all(word in page for word in said) and places == sorted(places)


# Acting ---------------------------------------------------------------------------------------------------------------


def press(scene, who: str, do: str, **fields: str):
    return scene.press(PULL, **{"as": who, "do": do, **fields})


def test_comment_label_close_and_reopen(scene):
    done = press(scene, "carol", "comment", body="hello")
    assert (done.status_code, done.headers["Location"]) == (303, PULL)
    assert scene.pull.comments[0].user is scene.carol
    press(scene, "bob", "label", label="urgent")
    assert [label.name for label in scene.pull.labels] == ["urgent"]
    press(scene, "bob", "unlabel", label="urgent")
    assert scene.pull.labels == []
    press(scene, "bob", "draft")
    assert scene.pull.draft
    press(scene, "bob", "ready")
    press(scene, "bob", "close")
    assert scene.pull.state == "closed"
    press(scene, "bob", "reopen")
    assert scene.pull.state == "open"
    assert ("pull_request", "labeled") in [(event.name, event.action) for event in scene.heard]


def test_an_approval_is_for_the_head_that_the_page_showed(scene):
    seen = scene.pull.head_sha
    scene.commit("promote", {"deploy/app.yaml": "replicas: 99\n"}, "Sneak in")
    press(scene, "carol", "approve", head=seen)
    assert scene.pull.reviews[0].commit_id == seen != scene.pull.head_sha


def test_a_merge_of_a_head_that_has_moved_is_refused_on_the_page(scene):
    seen = scene.pull.head_sha
    scene.commit("promote", {"deploy/app.yaml": "replicas: 99\n"}, "Sneak in")
    refused = press(scene, "bob", "merge", head=seen, body="my words")
    assert refused.status_code == 422
    assert "Head branch was modified" in refused.text and "my words" in refused.text
    assert not scene.pull.merged


@pytest.mark.parametrize(
    ("who", "do", "fields", "sentence"),
    [
        ("carol", "merge", {}, "carol has the role read in acme/guestbook; to merge takes write."),
        ("carol", "close", {}, "to close takes triage."),
        ("carol", "label", {"label": "x"}, "to label takes triage."),
        ("bob", "label", {"label": " "}, "A label needs a name."),
        ("bob", "comment", {"body": "  "}, "body is missing_field"),
        ("bob", "request_changes", {}, "Review Body can&#39;t be blank"),
    ],
)
def test_what_may_not_be_done_is_said_on_the_page(scene, who, do, fields, sentence):
    before = (scene.pull.state, len(scene.pull.comments), len(scene.pull.labels), len(scene.pull.reviews))
    refused = press(scene, who, do, **fields)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert before == (scene.pull.state, len(scene.pull.comments), len(scene.pull.labels), len(scene.pull.reviews))


def test_an_archived_repository_takes_nothing(scene):
    scene.repository.archived = True
    assert "read-only" in press(scene, "ada", "comment", body="x").text
    assert scene.pull.comments == []


def test_a_button_that_is_not_there_is_a_bad_request(scene):
    assert press(scene, "ada", "explode").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
        {"Sec-Fetch-Site": None, "Origin": None, "Referer": "https://evil.example/page"},
    ],
)
def test_a_form_of_another_site_does_nothing(scene, headers):
    refused = scene.press(PULL, headers, **{"as": "ada", "do": "approve"})
    assert refused.status_code == 403
    assert scene.pull.reviews == []


def test_whom_one_acts_as_is_remembered_for_the_next_page(scene):
    done = press(scene, "carol", "comment", body="x")
    cookie = done.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    page = scene.get(PULL, cookies={"forge_user": "carol"}).text
    assert '<option value="carol" selected>' in page
    assert "selected" in scene.get(PULL, cookies={"forge_user": "no-such-person"}).text


def test_an_apps_buttons_reach_the_app(scene):
    action = {"label": "Hold", "description": "Hold it", "identifier": "hold"}
    run = scene.check("ghapp / ready", conclusion="action_required", actions=[action])
    path = f"/acme/guestbook/runs/{run.id}"
    assert ">Hold</button>" in scene.text(PULL) and ">Hold</button>" in scene.text(path)
    scene.heard.clear()
    assert scene.press(path, **{"as": "bob", "do": "action:hold"}).status_code == 303
    assert scene.press(path, **{"as": "bob", "do": "rerun"}).status_code == 303
    assert [(e.name, e.action, e.sender.login) for e in scene.heard] == [
        ("check_run", "requested_action", "bob"),
        ("check_run", "rerequested", "bob"),
    ]
    assert scene.heard[0].payload()["requested_action"] == {"identifier": "hold"}
    assert "takes write" in scene.press(path, **{"as": "carol", "do": "rerun"}).text
    assert "has no action explode" in scene.press(path, **{"as": "bob", "do": "action:explode"}).text
