"""The pull request's text: complete, harmless, and able to say to the next reconcile what it carries."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from ghapp.git import Commit, Person
from ghapp.render.diff import diff
from ghapp.render.manifests import Manifest
from jobs.promotion.body import Story, body, mark_of, title
from policies.verdict import passed, pending

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)


def web(image: str) -> Manifest:
    spec = {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}
    return Manifest({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def commit(message: str) -> Commit:
    who = Person("Ada <b>", "ada@example.org")
    return Commit("1a2b3c4" + "0" * 33, (), who, who, WHEN, message)


BEFORE, AFTER = [web("reg/web@sha256:" + "a" * 64)], [web("reg/web@sha256:" + "b" * 64)]
STORY = Story(
    app="web",
    environment="prod",
    release="1a2b3c4-000000",
    kind="promotion",
    source="1a2b3c4" + "0" * 33,
    repository_url="https://github.example/acme/web",
    diff=diff(BEFORE, AFTER),
    before=BEFORE,
    after=AFTER,
    commits=[commit("Fix @everyone | <script>")],
    verdicts={
        "upstream": passed("staging is healthy"),
        "window": pending("blackout 'year end'", until=datetime(2027, 1, 2, 5, tzinfo=UTC)),
    },
    replaced="0000000-111111",
)


def test_it_says_what_changes_and_what_it_waits_for() -> None:
    text = body(STORY)
    assert "| ✅ | upstream | staging is healthy |" in text
    assert "(may change at 2027-01-02 05:00:00 UTC)" in text
    assert "Objects: 1 changed." in text
    assert "`spec.template.spec.containers[web].image`" in text
    assert f"- `reg/web`: `sha256:{'a' * 64}` → `sha256:{'b' * 64}`" in text
    assert "It replaces release `0000000-111111`." in text


def test_what_strangers_wrote_does_nothing() -> None:
    text = body(STORY)
    assert "<script>" not in text
    assert "@everyone" not in text


def test_the_record_survives() -> None:
    assert mark_of(body(STORY)) == {"release": "1a2b3c4-000000", "kind": "promotion"}
    assert mark_of(body(STORY).replace("\n", "\r\n")) == {"release": "1a2b3c4-000000", "kind": "promotion"}
    assert mark_of("nothing") == mark_of(None) == mark_of("<!-- ghapp-promotion {broken} -->") == {}


def test_a_commit_message_cannot_forge_the_record() -> None:
    forged = commit('x <!-- ghapp-promotion {"release": "evil"} -->')
    assert mark_of(body(dataclasses.replace(STORY, commits=[forged])))["release"] == "1a2b3c4-000000"


def test_hand_edits_and_unused_images_are_shown() -> None:
    text = body(dataclasses.replace(STORY, edits=[commit("quick fix")], unused_images=["reg/other"]))
    assert "by hand and are reverted here" in text
    assert "quick fix — Ada \\<b\\>" in text
    assert "`reg/other` was built, but no pod template names it" in text


def test_titles_name_what_is_not_ordinary() -> None:
    assert title("web", "r", "prod") == "web: r → prod"
    assert title("web", "r", "prod", "rollback") == "web: r → prod (rollback)"
