"""A proposal: signed, the same each time, replacing the app's folder and nothing else."""

from __future__ import annotations

import pytest

from ghapp import names
from ghapp.evidence import deployment as records
from ghapp.render import RenderError
from jobs.promotion.propose import Proposal, intact, propose, push, still_good
from jobs.promotion.view import View
from tests.jobs.promotion.conftest import ADA, CONFIG, Place, deployment


def proposed(place: Place, view: View, environment: str = "dev", index: int = -1) -> Proposal:
    declared = view.environment("web", environment)
    assert declared
    release = view.releases("web")[index]
    return propose(view, declared, release, "promotion", view.deployed("web", environment))


def released(place: Place, files: dict[str, str] | None = None) -> View:
    place.release(place.commit(files) if files else place.view().heads["main"])
    return place.view()


def test_the_folder_and_its_signed_record(place: Place) -> None:
    view = released(place)
    proposal = proposed(place, view)
    files = view.git.files(proposal.head)
    assert set(files) == {"README.md", ".ghapp/web.json", "web/deployment-web.yaml"}
    content = view.git.read(proposal.head, ".ghapp/web.json") or b""
    record = records.read(content, place.signer.trusted)
    assert (record.app, record.environment, record.tree) == ("web", "dev", view.git.object_id(proposal.head, "web"))
    assert b"reg.example/web@sha256:" in (view.git.read(proposal.head, "web/deployment-web.yaml") or b"")


def test_the_same_release_gives_the_same_commit(place: Place) -> None:
    view = released(place)
    assert proposed(place, view).head == proposed(place, place.view()).head


def test_only_the_first_push_moves_the_branch(place: Place) -> None:
    view = released(place)
    proposal = proposed(place, view)
    assert push(view, proposal, view.heads)
    assert not push(place.view(), proposal, place.view().heads)


def test_objects_that_are_gone_leave_the_folder_and_other_apps_stay(place: Place) -> None:
    view = released(place, {"deploy/extra.yaml": deployment(name="extra")})
    first = proposed(place, view)
    other = view.git.write(
        parent=first.head, message="other\n", author=ADA, at=place.clock, files={"other/x.yaml": b"a: 1\n"}
    )
    place.merge("dev", other)
    del place.files["deploy/extra.yaml"]
    view = released(place, {"deploy/web.yaml": deployment(replicas=2)})
    second = proposed(place, view)
    assert set(view.git.files(second.head)) == {
        "README.md",
        ".ghapp/web.json",
        "web/deployment-web.yaml",
        "other/x.yaml",
    }
    assert [str(m) for m in second.diff.removed] == ["Deployment/extra"]


def test_what_is_deployed_is_read_back(place: Place) -> None:
    view = released(place)
    proposal = proposed(place, view)
    place.merge("dev", proposal.head)
    view = place.view()
    placed = view.deployed("web", "dev")
    assert placed and placed.deployment.release == proposal.release.name
    assert placed.commit.sha == proposal.head
    assert intact(view.git, view.heads["env/dev"], placed)
    assert view.deployed("web", "prod") is None


def test_a_record_of_another_environment_is_worth_nothing(place: Place) -> None:
    view = released(place)
    place.merge("prod", proposed(place, view).head)
    assert place.view().deployed("web", "prod") is None


def test_the_same_rendering_again_is_a_no_op(place: Place) -> None:
    digest = "sha256:" + "d" * 64
    place.release(place.view().heads["main"], digest=digest)
    view = place.view()
    place.merge("dev", proposed(place, view).head)
    place.release(place.commit({"README.md": "docs"}), digest=digest)
    assert proposed(place, place.view()).no_op


def test_hand_edits_are_found_shown_and_undone(place: Place) -> None:
    view = released(place)
    first = proposed(place, view)
    edited = view.git.write(
        parent=first.head,
        message="quick fix\n",
        author=ADA,
        at=place.clock,
        files={"web/deployment-web.yaml": deployment(replicas=9).encode()},
    )
    place.merge("dev", edited)
    view = place.view()
    placed = view.deployed("web", "dev")
    assert placed and not intact(view.git, edited, placed)
    again = proposed(place, view)
    assert [c.subject for c in again.edits] == ["quick fix"]
    assert not again.no_op
    assert view.git.object_id(again.head, "web") == first.deployment.tree


def test_other_apps_moving_the_branch_leave_a_promotion_alone(place: Place) -> None:
    view = released(place)
    first = proposed(place, view, "dev")
    start = place.view().heads["env/dev"]
    moved = view.git.write(
        parent=start, message="other\n", author=ADA, at=place.clock, files={"other/x.yaml": b"a: 1\n"}
    )
    place.merge("dev", moved)
    view = place.view()
    second = proposed(place, view, "dev")
    assert second.head != first.head
    assert still_good(view.git, second, first.head)
    touched = view.git.write(
        parent=moved, message="hand\n", author=ADA, at=place.clock, files={"web/deployment-web.yaml": b"a: 1\n"}
    )
    place.merge("dev", touched)
    view = place.view()
    assert not still_good(view.git, proposed(place, view, "dev"), first.head)


def test_a_release_is_rendered_as_its_own_commit_says(place: Place) -> None:
    released(place)
    place.commit({names.CONFIG_FILE: CONFIG.replace("plain: deploy", "plain: elsewhere")})
    assert proposed(place, place.view(), "dev").after


def test_what_cannot_be_rendered_says_why(place: Place) -> None:
    del place.files["deploy/web.yaml"]
    view = released(place, {"README.md": "nothing to deploy"})
    with pytest.raises(RenderError, match="deploy does not exist at this commit"):
        proposed(place, view)
