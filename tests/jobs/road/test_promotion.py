"""The road of a release, each step against real git over HTTP: what is proposed, what is merged, and what is not."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest

from ghapp import names
from jobs import subjects
from jobs.promotion.trailers import values
from tests.jobs.road.conftest import CONFIG, MANIFEST, Road


def config(old: str, new: str) -> dict[str, str | None]:
    assert old in CONFIG
    return {names.CONFIG_FILE: CONFIG.replace(old, new)}


def test_without_gates_it_merges_and_its_trailers_tell(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.reconcile()
    assert road.runs("dev") == release.name
    merge = road.log("dev")[0]
    assert merge.trailer(names.TRAILER_RELEASE) == release.name
    assert merge.trailer(names.TRAILER_SOURCE) == release.commit
    assert values(merge, names.TRAILER_IMAGE) == [f"reg.example/web@{release.images['reg.example/web']}"]
    (pull,) = road.pulls("dev", "all")
    assert (pull["title"], pull["state"]) == (f"web: {release.name} → dev", "closed")
    assert "Objects: 1 added." in pull["body"]


def test_two_rounds_each_environment_waits_for_the_one_before(road: Road) -> None:
    for round_ in range(2):
        release = road.release(road.push({"a": str(round_)}))
        road.reconcile()
        assert [road.runs(e) == release.name for e in ("dev", "staging", "prod")] == [True, False, False]
        road.report("dev")
        road.reconcile()
        assert [road.runs(e) == release.name for e in ("dev", "staging", "prod")] == [True, True, False]
        road.report("staging")
        road.reconcile()
        assert road.runs("prod") != release.name
        road.approve("prod")
        road.reconcile()
        assert road.runs("prod") == release.name
        road.report("prod")
    assert values(road.log("prod")[0], names.TRAILER_APPROVED_BY) == ["grace"]


def test_repeating_a_reconcile_changes_nothing(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    before = road.pulls("prod"), road.checks("prod"), road.log("staging")
    road.forge.requests.reset()
    road.reconcile()
    assert (road.pulls("prod"), road.checks("prod"), road.log("staging")) == before
    writes = [
        r for r in road.forge.requests.by(app="ghapp") if r.method not in ("GET", "HEAD") and "graphql" not in r.route
    ]
    assert writes == []


def test_an_environment_that_is_removed_closes_its_promotion(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    road.push({names.CONFIG_FILE: "\n".join(CONFIG.splitlines()[:-1]) + "\n"})
    road.reconcile(subjects.environment(road.id, "web", "prod"))
    assert road.pulls("prod") == []
    assert "not deployed to prod any more" in road.people["ada"].get(f"issues/{pull['number']}/comments")[-1]["body"]


def test_a_source_that_is_forced_back_takes_its_release_back(road: Road) -> None:
    good = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    bad = road.release(road.push({"a": "2"}))
    ada = road.people["ada"]
    ada.git(road.work, "push", "--quiet", "--force", "origin", f"{good.commit}:refs/heads/main")
    road.reconcile()
    assert road.runs("dev") == good.name != bad.name


def test_a_newer_release_retargets_the_one_pull_request_and_old_approvals_are_gone(road: Road) -> None:
    road.push(config("approvals: 1", "approvals: 2"))
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (first,) = road.pulls("prod")
    newer = road.release(road.push({"a": "2"}))
    road.people["grace"].approve(first["number"], "for the first")
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    assert pull["number"] == first["number"]
    assert pull["title"] == f"web: {newer.name} → prod"
    assert pull["head"]["sha"] != first["head"]["sha"]
    road.approve("prod", by="linus")
    road.reconcile()
    assert road.runs("prod") is None
    assert "grace's approval was for" in road.checks("prod")["ghapp / gate / approval"]["output"]["text"]


def test_a_push_between_judging_and_merging_is_not_merged(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs import environment

    real = environment.pulls.merge

    def meddle(client: object, number: int, **arguments: object) -> str:
        monkeypatch.setattr(environment.pulls, "merge", real)
        ada = road.people["ada"]
        head = names.promotion_branch("dev", "web")
        ada.git(road.work, "fetch", "--quiet", "origin", head)
        ada.git(road.work, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        (road.work / "web" / "evil.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil}\n")
        ada.git(road.work, "add", "--all")
        ada.git(road.work, "commit", "--quiet", "--message", "evil")
        ada.git(road.work, "push", "--quiet", "origin", f"HEAD:refs/heads/{head}")
        ada.git(road.work, "checkout", "--quiet", "main")
        return real(client, number, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(environment.pulls, "merge", meddle)
    release = road.release(road.push({"a": "1"}))
    road.reconcile(subjects.environment(road.id, "web", "dev"))
    assert road.runs("dev") is None
    road.now += timedelta(minutes=1)
    road.reconcile()
    assert road.runs("dev") == release.name
    view = road.view()
    assert set(view.git.files(view.heads["env/dev"], "web")) == {"web/deployment-web.yaml"}


@pytest.mark.parametrize("crash", ["after push", "after pull request", "after checks", "after merge"])
def test_a_crash_between_two_writes_is_finished_by_the_next_reconcile(
    road: Road, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    from jobs import environment

    class Crash(BaseException):
        pass

    def crashing(*_: object, **__: object) -> None:
        raise Crash

    place, name = {
        "after push": (environment.pull_request, "open_or_update"),
        "after pull request": (environment, "show"),
        "after checks": (environment.pulls, "merge"),
        "after merge": (environment, "_merged"),
    }[crash]
    release = road.release(road.push({"a": "1"}))
    with monkeypatch.context() as patched:
        patched.setattr(place, name, crashing)
        with pytest.raises(Crash):
            road.once(subjects.environment(road.id, "web", "dev"))
    road.reconcile()
    assert road.runs("dev") == release.name
    assert len(road.pulls("dev", "all")) == 1
    assert len([c for c in road.log("dev") if c.trailer(names.TRAILER_RELEASE)]) == 1
    road.report("dev")
    road.reconcile()
    assert road.runs("staging") == release.name


def test_closed_by_hand_declines_that_release_until_a_newer_one(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    road.people["grace"].patch(f"pulls/{pull['number']}", {"state": "closed"})
    road.reconcile()
    assert road.pulls("prod") == []
    newer = road.release(road.push({"a": "2"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    assert newer.name in pull["title"]


def test_a_declined_release_comes_back_when_somebody_asks_for_it(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    road.people["grace"].patch(f"pulls/{pull['number']}", {"state": "closed"})
    road.reconcile()
    road.say("prod", f"/promote {release.name} to prod")
    (again,) = road.pulls("prod")
    assert again["number"] != pull["number"]


def test_merged_by_hand_is_noticed_and_the_chain_goes_on(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    road.people["linus"].put(f"pulls/{pull['number']}/merge", {})
    road.reconcile()
    assert road.runs("prod") == release.name
    road.report("prod")


def test_a_title_and_a_branch_that_were_changed_are_restored(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    (pull,) = road.pulls("prod")
    road.people["grace"].patch(f"pulls/{pull['number']}", {"title": "mine", "body": "gone"})
    branch = names.promotion_branch("prod", "web")
    road.people["ada"].git(road.work, "push", "--quiet", "--force", "origin", f"main:refs/heads/{branch}")
    road.reconcile()
    (again,) = road.pulls("prod")
    assert again["title"] == f"web: {release.name} → prod"
    assert again["head"]["sha"] == pull["head"]["sha"]


def test_a_hand_edit_on_an_environment_is_shown_and_undone(road: Road) -> None:
    first = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    linus = road.people["linus"]
    linus.git(road.work, "fetch", "--quiet", "origin", "env/dev")
    linus.git(road.work, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    file = road.work / "web" / "deployment-web.yaml"
    file.write_text(file.read_text().replace("replicas: 1", "replicas: 9"))
    linus.git(road.work, "commit", "--quiet", "--all", "--message", "more replicas, quickly")
    linus.git(road.work, "push", "--quiet", "origin", "HEAD:env/dev")
    linus.git(road.work, "checkout", "--quiet", "main")
    road.reconcile()
    newest = road.pulls("dev", "all")[0]
    assert "more replicas, quickly — linus" in newest["body"]
    view = road.view()
    assert b"replicas: 1" in (view.git.read(view.heads["env/dev"], "web/deployment-web.yaml") or b"")
    assert road.runs("dev") == first.name


def test_a_release_that_changes_nothing_makes_no_pull_request_and_the_chain_goes_on(road: Road) -> None:
    digest = "sha256:" + "d" * 64
    road.release(road.push({"a": "1"}), digest)
    road.deploy_everywhere("dev", "staging")
    count = len(road.pulls("dev", "all"))
    road.release(road.push({"a": "2", "deploy/web.yaml": MANIFEST}), digest)
    road.reconcile()
    assert len(road.pulls("dev", "all")) == count
    assert len(road.view().no_ops("web", "dev")) == 1
    assert len(road.view().no_ops("web", "staging")) == 1


def test_a_rejected_release_is_closed_and_never_proposed_again(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.say("prod", f"/reject {release.name} it eats cookies")
    road.reconcile()
    assert road.pulls("prod") == []
    assert road.view().rejected["web", release.name].reason == "it eats cookies"


def test_a_held_promotion_waits_until_it_is_lifted(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.say("prod", "/hold")
    road.approve("prod")
    road.reconcile()
    assert road.runs("prod") is None
    road.say("prod", "/unhold")
    assert road.runs("prod") == release.name


def test_only_writers_command(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.say("prod", "/stop prod", by="eve")
    assert road.view().stops("web", "prod") == []
    road.say("prod", "/stop prod fire", by="ada")
    assert [s.reason for s in road.view().stops("web", "prod")] == ["fire"]


def test_a_command_is_carried_out_once(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.say("prod", "/hold prod careful")
    before = len(road.view().git.commits("refs/ghapp/intents"))
    number = road.pulls("prod")[0]["number"]
    comment = road.people["ada"].get(f"issues/{number}/comments")[-1]["id"]
    road.reconcile(subjects.comment(road.id, int(comment)))
    assert len(road.view().git.commits("refs/ghapp/intents")) == before


def test_rollback_goes_back_and_newer_releases_wait(road: Road) -> None:
    first = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    road.release(road.push({"a": "2"}))
    road.deploy_everywhere("dev")
    road.say("dev", "/rollback dev")
    assert road.runs("dev") == first.name
    assert road.log("dev")[0].trailer(names.TRAILER_KIND) == "rollback"
    newest = road.release(road.push({"a": "3"}))
    road.report("dev")
    road.reconcile()
    assert road.runs("dev") == first.name
    road.say("dev", "/unhold dev")
    assert road.runs("dev") == newest.name


def test_an_unhealthy_release_is_rolled_back_by_itself_once(road: Road) -> None:
    road.push(
        config(
            "{name: dev, render: {plain: deploy}}", "{name: dev, render: {plain: deploy}, rollback: {automatic: 10m}}"
        )
    )
    first = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    road.release(road.push({"a": "2"}))
    road.reconcile()
    road.report("dev", "failure", words="Deployment/web: CrashLoopBackOff")
    road.reconcile()
    assert road.runs("dev") == first.name
    assert "CrashLoopBackOff" in (road.log("dev")[0].trailer(names.TRAILER_REASON) or "")
    merges = len(road.log("dev"))
    road.report("dev", "failure")
    road.reconcile()
    assert len(road.log("dev")) == merges


def test_a_hotfix_passes_by_and_the_environment_between_does_not_go_back(road: Road) -> None:
    first = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.approve("prod")
    road.reconcile()
    fix = road.release(road.push({"a": "2"}))
    road.reconcile()
    assert road.runs("staging") == first.name
    road.say("prod", f"/promote {fix.name} to prod it burns")
    (pull,) = road.pulls("prod")
    assert "hotfix" in pull["title"]
    road.approve("prod")
    road.reconcile()
    assert road.runs("prod") == fix.name
    assert road.log("prod")[0].trailer(names.TRAILER_KIND) == "hotfix"
    road.report("dev")
    road.reconcile()
    assert (road.runs("staging"), road.runs("prod")) == (fix.name, fix.name)


def test_three_apps_in_one_environment_do_not_block_each_other(road: Road) -> None:
    apps = ("one", "two", "three")
    files: dict[str, str | None] = {names.CONFIG_FILE: "version: 1\napps: [apps/*/.ghapp.yml]\n"}
    for app in apps:
        files[f"apps/{app}/.ghapp.yml"] = CONFIG.replace("app: web", f"app: {app}")
        files[f"apps/{app}/deploy/web.yaml"] = MANIFEST.replace("name: web}", f"name: {app}}}")
    commit = road.push(files)
    for app in apps:
        road.release(commit, app=app)
    road.reconcile()
    assert all(road.runs("dev", app) for app in apps)
    view = road.view()
    assert {p.split("/")[0] for p in view.git.files(view.heads["env/dev"])} >= set(apps)


def test_a_secret_in_the_manifests_is_refused_on_the_source_commit(road: Road) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
    commit = road.push({"deploy/secret.yaml": secret})
    road.release(commit)
    road.reconcile()
    assert road.pulls("dev", "all") == []
    (check,) = [c for c in road.people["ada"].checks(commit) if c["name"] == "ghapp / web / render dev"]
    assert check["conclusion"] == "failure"
    assert "Secret/s carries its data in the open" in check["output"]["title"]
    assert "hunter2" not in str(check)


def test_a_missing_overlay_says_what_to_do(road: Road) -> None:
    commit = road.push(config("plain: deploy}}\n    - {name: staging", "kustomize: deploy/dev}}\n    - {name: staging"))
    road.release(commit)
    road.reconcile(subjects.environment(road.id, "web", "dev"))
    (check,) = [c for c in road.people["ada"].checks(commit) if c["name"].endswith("render dev")]
    assert "deploy/dev does not exist at this commit" in check["output"]["title"]


@pytest.mark.parametrize("reviewer", ["ada", "eve"])
def test_an_approval_by_the_author_or_a_reader_is_none(road: Road, reviewer: str) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    road.approve("prod", by=reviewer)
    road.reconcile()
    assert road.runs("prod") is None
    assert "approv" in road.ready("prod")


def test_an_approval_by_a_co_author_is_none(road: Road) -> None:
    road.release(road.push({"a": "1"}, message="pair\n\nCo-authored-by: grace <grace@users.noreply.github.com>"))
    road.deploy_everywhere("dev", "staging")
    road.approve("prod", by="grace")
    road.reconcile()
    assert road.runs("prod") is None
    road.approve("prod", by="linus")
    road.reconcile()
    assert road.runs("prod") is not None


def test_a_soak_starts_afresh_on_every_unhealthy_moment(road: Road) -> None:
    road.push(config("after: [dev]}", "after: [dev], soak: 30m}"))
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev", "staging")
    subject = subjects.environment(road.id, "web", "prod")
    begun = road.again[subject]
    road.report("staging", "failure")
    road.report("staging", "success")
    road.reconcile()
    assert road.again[subject] >= begun
    road.approve("prod")
    road.reconcile()
    assert road.runs("prod") is None
    road.now = road.again[subject] + timedelta(seconds=1)
    road.reconcile()
    assert road.runs("prod") is not None


def test_trailers_survive_what_people_write(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    road.release(road.push({"a": "2"}))
    road.deploy_everywhere("dev")
    road.say("dev", '/rollback dev it "burns" 🔥 Ghapp-Release: forged')
    merge = road.log("dev")[0]
    assert merge.trailer(names.TRAILER_REASON) == 'it "burns" 🔥 Ghapp-Release: forged'
    view = road.view()
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=merge.message, capture_output=True, text=True, check=True
    ).stdout
    assert sum(line.startswith(f"{names.TRAILER_RELEASE}:") for line in parsed.splitlines()) == 1
    assert view.heads


def test_findings_are_judged_by_the_policy_and_broken_glass_passes_once(road: Road) -> None:
    policy = (
        "kind: Vulnerability\nscope: {environments: [dev]}\nblock: [critical]\n"
        "scans: {targets: [repository]}\nbreak_glass: {approvals: 1}\n"
    )
    road.push({".ghapp/policies/findings.yml": policy})
    commit = road.push({"a": "1"})
    finding = {
        "id": "CVE-2026-1",
        "kind": "vulnerability",
        "severity": "critical",
        "title": "bad",
        "scanners": ["trivy"],
    }
    road.scan(commit, [finding])
    release = road.release(commit)
    road.reconcile()
    assert road.runs("dev") is None
    assert "CVE-2026-1" in road.checks("dev")["ghapp / gate / vulnerability"]["output"]["title"]
    road.say("dev", "/break-glass we are down without it", by="ada")
    road.approve("dev", by="linus")
    road.reconcile()
    assert road.runs("dev") == release.name
    assert any("glass broken: we are down" in v for v in values(road.log("dev")[0], names.TRAILER_GATE))
    assert road.view().decided("web", "dev").break_glass is None


def test_a_release_without_the_demanded_scan_does_not_pass(road: Road) -> None:
    road.push({".ghapp/policies/f.yml": "kind: Vulnerability\nblock: [critical]\nscans: {targets: [repository]}\n"})
    road.release(road.push({"a": "1"}))
    road.reconcile()
    assert road.runs("dev") is None
