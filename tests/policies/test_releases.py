"""Which release an environment wants."""
# ruff: noqa: E501 - a table

from datetime import UTC, datetime, timedelta

import pytest

from policies.gates.facts import Kind, Strategy
from policies.releases import Decision, Place, Situation, wanted

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
ROAD = {"dev": Place(), "staging": Place(("dev",)), "prod": Place(("staging",))}
DIAMOND = {"dev": Place(), "eu": Place(("dev",)), "us": Place(("dev",)), "prod": Place(("eu", "us"))}
EITHER = {**DIAMOND, "prod": Place(("eu", "us"), any_of=True)}


def situation(environment="prod", *, releases="r1 r2 r3", places=ROAD, strategy="latest", deployed="", **more):
    return Situation(
        environment=environment,
        releases=tuple(releases.split()),
        places=places,
        strategy=Strategy(strategy),
        deployed=dict(pair.split("=") for pair in deployed.split()),
        **more,
    )


def decision(release, *, minutes=0, kind=Kind.PROMOTION, reason=""):
    return Decision(release=release, by="alice", at=NOW + timedelta(minutes=minutes), kind=kind, reason=reason)


# strategy │ environments before it       │ deployed here │ else              │ wanted
# ─────────┼──────────────────────────────┼───────────────┼───────────────────┼──────────────────────────
# latest   │ none                         │ older         │                   │ the newest release
# latest   │ run x                        │ older than x  │                   │ x
# latest   │ run x                        │ x or newer    │                   │ what is deployed
# latest   │ run nothing                  │ anything      │                   │ what is deployed
# latest   │ all of a, b                  │ older         │                   │ the older of theirs
# latest   │ any of a, b                  │ older         │                   │ the newer of theirs
# latest   │ run x                        │ older         │ x rejected        │ the newest below x that is newer
# latest   │ run x                        │ older         │ x declined        │ what is deployed
# queue    │ run x                        │ older than x  │                   │ the one after what is deployed
# queue    │ run x                        │ older than x  │ that one declined │ the one after it
# match    │ run x                        │ not x, older  │                   │ x
# match    │ run x                        │ newer than x  │                   │ what is deployed
# match    │ run x and y                  │ anything      │                   │ what is deployed
# manual   │ anything                     │ anything      │                   │ what is deployed
# any      │ anything                     │ anything      │ pin to p          │ p, also when it is older
# any      │ anything                     │ older than q  │ request of q      │ q
# any      │ anything                     │ q or newer    │ request of q      │ as without it
# any      │ anything                     │ anything      │ pin and request   │ the later word
TABLE = [
    ("nothing there", situation(releases=""), None),
    ("first release, first environment", situation("dev"), "r3"),
    ("first environment, older deployed", situation("dev", deployed="dev=r1"), "r3"),
    ("first environment, newest deployed", situation("dev", deployed="dev=r3"), "r3"),
    ("upstream runs nothing", situation(), None),
    ("upstream runs nothing, but something is deployed", situation(deployed="prod=r1"), "r1"),
    ("upstream runs an older one", situation(deployed="staging=r2"), "r2"),
    ("upstream is behind: never back", situation(deployed="staging=r1 prod=r2"), "r2"),
    ("only the upstream next to it counts", situation(deployed="dev=r3 staging=r1 prod=r1"), "r1"),
    ("diamond: the older of both", situation(places=DIAMOND, deployed="eu=r3 us=r2"), "r2"),
    ("diamond: one runs nothing", situation(places=DIAMOND, deployed="eu=r3"), None),
    ("any: the newer of both", situation(places=EITHER, deployed="eu=r1 us=r2"), "r2"),
    ("any: one runs nothing", situation(places=EITHER, deployed="eu=r3"), "r3"),
    ("newest rejected", situation("dev", rejected={"r3": "bad"}), "r2"),
    ("all newer rejected", situation("dev", deployed="dev=r2", rejected={"r3": "bad"}), "r2"),
    ("everything rejected", situation("dev", rejected=dict.fromkeys(("r1", "r2", "r3"), "bad")), None),
    ("newest declined: no older one instead", situation("dev", deployed="dev=r1", declined=frozenset({"r3"})), "r1"),
    ("an older one declined", situation("dev", deployed="dev=r1", declined=frozenset({"r2"})), "r3"),
    ("no-op upstream counts as reached", situation(deployed="staging=r1", no_ops={"staging": frozenset({"r3"})}), "r3"),
    ("no-op here is not proposed again", situation("dev", deployed="dev=r1", no_ops={"dev": frozenset({"r3"})}), "r1"),
    ("the deployed release is gone from the branch", situation("dev", deployed="dev=gone"), "r3"),
    ("queue: one after the other", situation("dev", strategy="queue", deployed="dev=r1"), "r2"),
    ("queue: begins with the first", situation("dev", strategy="queue"), "r1"),
    ("queue: no further than upstream", situation(strategy="queue", deployed="staging=r2 prod=r2"), "r2"),
    ("queue: a rejected one is left out", situation("dev", strategy="queue", rejected={"r1": "bad"}), "r2"),
    ("queue: a declined one is left out", situation("dev", strategy="queue", declined=frozenset({"r1"})), "r2"),
    ("queue: all declined", situation("dev", strategy="queue", deployed="dev=r2", declined=frozenset({"r3"})), "r2"),
    ("match: what upstream runs", situation(strategy="match", deployed="staging=r2 prod=r1"), "r2"),
    ("match: never back", situation(strategy="match", deployed="staging=r1 prod=r2"), "r2"),
    ("match: same", situation(strategy="match", deployed="staging=r2 prod=r2"), "r2"),
    ("match: upstreams disagree", situation(places=DIAMOND, strategy="match", deployed="eu=r3 us=r2 prod=r1"), "r1"),
    ("match: any", situation(places=EITHER, strategy="match", deployed="eu=r3 us=r2 prod=r1"), "r3"),
    ("match: rejected", situation(strategy="match", deployed="staging=r2 prod=r1", rejected={"r2": "bad"}), "r1"),
    ("match: declined", situation(strategy="match", deployed="staging=r2", declined=frozenset({"r2"})), None),
    ("match: nothing before it", situation("dev", strategy="match", deployed="dev=r1"), "r1"),
    ("manual", situation("dev", strategy="manual", deployed="dev=r1"), "r1"),
    ("manual: asked for", situation("dev", strategy="manual", request=decision("r2")), "r2"),
    ("pin to an older one", situation("dev", deployed="dev=r3", pin=decision("r1", kind=Kind.ROLLBACK)), "r1"),
    ("pinned and deployed: newer ones wait", situation("dev", deployed="dev=r1", pin=decision("r1")), "r1"),
    ("pin to a rejected one", situation("dev", deployed="dev=r3", pin=decision("r1"), rejected={"r1": "bad"}), "r3"),
    ("pin to one that is gone", situation("dev", deployed="dev=r3", pin=decision("gone")), "r3"),
    ("request past the upstreams", situation(deployed="dev=r3 staging=r1 prod=r1", request=decision("r3")), "r3"),
    ("request, although declined", situation("dev", declined=frozenset({"r3"}), request=decision("r3")), "r3"),
    ("request fulfilled", situation("dev", deployed="dev=r2", request=decision("r2")), "r3"),
    ("request overtaken", situation("dev", deployed="dev=r3", request=decision("r2")), "r3"),
    ("request of a rejected one", situation("dev", request=decision("r3"), rejected={"r3": "bad"}), None),
    ("request after pin", situation("dev", deployed="dev=r1", pin=decision("r1"), request=decision("r3", minutes=1)), "r3"),
    ("pin after request", situation("dev", deployed="dev=r2", request=decision("r3"), pin=decision("r1", minutes=1)), "r1"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "release"), [t[1:] for t in TABLE], ids=[t[0] for t in TABLE])
def test_wanted(case, release):
    found = wanted(case)
    assert (found.release, bool(found.sentence)) == (release, True)


def test_a_hotfix_past_staging_then_staging_catches_up_and_prod_does_not_go_back():
    hotfix = decision("r3", kind=Kind.HOTFIX, reason="the shop is down")
    before = situation(deployed="dev=r3 staging=r1 prod=r1", request=hotfix)
    assert wanted(before) == wanted(before).__class__(
        "r3",
        "@alice has asked for r3: the shop is down",
        Kind.HOTFIX,
        "alice",
        "the shop is down",
        skipped=("staging",),
    )
    assert wanted(situation(deployed="dev=r3 staging=r1 prod=r3", request=hotfix)).release == "r3"
    assert wanted(situation(deployed="dev=r3 staging=r2 prod=r3", request=hotfix)).release == "r3"
    assert wanted(situation("staging", deployed="dev=r3 staging=r2 prod=r3")).release == "r3"


def test_a_request_names_every_environment_that_it_passes_by():
    assert wanted(situation(deployed="dev=r1 staging=r1", request=decision("r3"))).skipped == ("staging", "dev")
    assert wanted(situation(deployed="dev=r3 staging=r3", request=decision("r3"))).skipped == ()


def test_a_circle_of_environments_ends():
    circle = {"a": Place(("b",)), "b": Place(("a",))}
    assert wanted(situation("a", places=circle, request=decision("r3"))).skipped == ("b",)


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (situation(), "waits for staging to run a release first"),
        (situation(deployed="staging=r1 prod=r1"), "r3 waits for staging"),
        (situation(places=EITHER), "waits for eu or us to run a release first"),
        (situation("dev", deployed="dev=r3"), "r3 is the newest release, and deployed"),
        (
            situation("dev", deployed="dev=r1", pin=decision("r1")),
            "r1 is pinned by @alice; newer releases wait until that is lifted",
        ),
        (
            situation("dev", deployed="dev=r3", rejected={"r3": "crashes"}),
            "r3 was rejected (crashes) and nothing newer is there; /rollback goes back",
        ),
        (
            situation(places=DIAMOND, strategy="match", deployed="eu=r3"),
            "waits for eu and us to run a release first",
        ),
        (
            situation(places=DIAMOND, strategy="match", deployed="eu=r3 us=r2"),
            "waits until the environments before it run the same release (eu r3, us r2)",
        ),
    ],
)
def test_sentences(case, sentence):
    assert wanted(case).sentence == sentence
