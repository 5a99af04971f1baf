"""Subjects: one text form each, nothing else accepted, one job id each."""

from __future__ import annotations

import pytest

from jobs import subjects
from jobs.subjects import Subject

SHA = "a" * 40


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (subjects.installation(7), "installation/7"),
        (subjects.repository(7), "repository/7"),
        (subjects.commit(7, SHA), f"commit/7/{SHA}"),
        (subjects.pull(7, 12), "pull/7/12"),
        (subjects.comment(7, 99), "comment/7/99"),
        (subjects.environment(7, "web.shop", "prod_eu"), "environment/7/web.shop/prod_eu"),
    ],
)
def test_text_form_and_back(subject: Subject, text: str) -> None:
    assert str(subject) == text
    assert Subject.parse(text) == subject


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pull/7",
        "pull/7/12/1",
        "pull/0/12",
        "pull/7/-1",
        "commit/7/abc",
        f"commit/7/{SHA.upper()}",
        "repository/7;flushall",
        "environment/7/../prod",
        "environment/7/web/",
        "team/7",
        "pull/7/12\n",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a subject"):
        Subject.parse(text)


def test_no_two_subjects_share_a_job_id() -> None:
    ids = {
        subjects.environment(1, app, environment).job_id
        for app, environment in [("a_b", "c"), ("a", "b_c"), ("a.b", "c"), ("a_d", "b"), ("a__b", "c"), ("a", "b__c")]
    }
    assert len(ids) == 6
    assert all(set(job_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for job_id in ids)


def test_a_part_is_only_there_where_it_belongs() -> None:
    assert subjects.environment(7, "web", "prod").environment == "prod"
    with pytest.raises(AttributeError):
        _ = subjects.pull(7, 1).sha
    with pytest.raises(AttributeError):
        _ = subjects.installation(7).repository
