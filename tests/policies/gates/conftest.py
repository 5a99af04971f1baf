"""A promotion of guestbook into prod that nothing is wrong with, to be changed by each test."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from policies.gates.facts import Commit, Environment, Promotion, Release
from policies.kinds import parse_policies
from policies.organisation import merge
from policies.policy import Origin, PolicySet

HEAD, SOURCE = "b" * 40, "a" * 40
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday
DIGEST = "sha256:" + "d" * 64
ENVIRONMENT_FIELDS = {f.name for f in dataclasses.fields(Environment)} - {"name", "checks"}
RELEASE_FIELDS = {f.name for f in dataclasses.fields(Release)} - {"id", "commit", "created_at"}


@pytest.fixture
def now():
    return MOMENT


@pytest.fixture
def minutes():
    return lambda n: timedelta(minutes=n)


@pytest.fixture
def promotion():
    """Facts with some fields changed; those of the environment and the release are given flat.

    What two of them have is the promotion's for `checks` (the environment's are `demands`) and the release's for
    `evidence` (that of the manifests is `rendered`).
    """

    def make(**changes):
        environment = {k: changes.pop(k) for k in list(changes) if k in ENVIRONMENT_FIELDS}
        environment["checks"] = tuple(changes.pop("demands", ()))
        release = {k: changes.pop(k) for k in list(changes) if k in RELEASE_FIELDS}
        changes["evidence"] = tuple(changes.pop("rendered", ()))
        release.setdefault("commits", (Commit(sha=SOURCE, author="wendy", committer="wendy"),))
        return Promotion(
            repository="acme/guestbook",
            app="guestbook",
            environment=Environment(name="prod", **environment),
            release=Release(id="aaaaaaa-1", commit=SOURCE, created_at=MOMENT, **release),
            head_sha=HEAD,
            **changes,
        )

    return make


@pytest.fixture
def rules():
    """Policies of a repository and of its organisation, from their texts."""

    def make(repository="", organisation=""):
        return merge(
            parse_policies(organisation, "org.yml", origin=Origin.ORGANISATION) if organisation else PolicySet(),
            parse_policies(repository, "repo.yml") if repository else PolicySet(),
        )

    return make
