"""How outcomes combine: `and`, `or`, skipping, errors, and the root."""

from __future__ import annotations

import itertools

import pytest

from policies.approval.evaluate import combine
from policies.approval.result import Outcome
from policies.approval.rules import Both, Rule

A, P, S, E = Outcome.APPROVED, Outcome.PENDING, Outcome.SKIPPED, Outcome.ERROR

# One rule for each outcome, by their letter.
RULES = {
    "A": {},
    "P": {"requires": {"count": 1, "users": ["bob"]}},
    "S": {"if": {"has_labels": ["nope"]}},
    "E": {"if": {"has_author_in": {"teams": ["other/t"]}}},
}

#    children  and  or
TABLE = [
    ("A", A, A),
    ("P", P, P),
    ("S", S, S),
    ("E", E, E),
    ("AA", A, A),
    ("AP", P, A),
    ("AS", A, A),
    ("AE", E, A),
    ("PP", P, P),
    ("PS", P, P),
    ("PE", E, P),
    ("SS", S, S),
    ("SE", E, E),
    ("EE", E, E),
    ("APS", P, A),
    ("APE", E, A),
    ("ASE", E, A),
    ("PSE", E, P),
    ("APSE", E, A),
]


@pytest.mark.parametrize(("children", "conjunction", "disjunction"), TABLE)
def test_truth_table(judged, children, conjunction, disjunction):
    for order in set(itertools.permutations(children)):
        for operator, expected in (("and", conjunction), ("or", disjunction)):
            node = judged(RULES, {}, approval=[{operator: list(order)}]).children[0].children[0]
            assert (operator, order, node.outcome) == (operator, order, expected)


def test_the_table_names_every_set_of_outcomes():
    sets = {frozenset(children) for children, _, _ in TABLE}
    assert len(sets) == 2**4 - 1


def test_combining_nothing_is_skipped():
    assert combine(Both("and", (Rule("r"),)), []) is S


DISAPPROVED = {"if": {"title": {"matches": ["fix"]}}}
UNREADABLE = {"if": {"has_author_in": {"teams": ["other/t"]}}}


@pytest.mark.parametrize(
    ("approval", "disapproval", "expected"),
    [
        (["A"], None, A),
        (["P"], None, P),
        (["E"], None, E),
        (["S"], None, E),  # at least one rule must match
        ([], None, A),
        (["A"], DISAPPROVED, Outcome.DISAPPROVED),
        (["P"], DISAPPROVED, Outcome.DISAPPROVED),
        (["S"], DISAPPROVED, Outcome.DISAPPROVED),
        ([], DISAPPROVED, Outcome.DISAPPROVED),
        (["E"], DISAPPROVED, E),
        (["A"], UNREADABLE, E),
        (["P"], UNREADABLE, E),
        (["A"], {}, A),
    ],
)
def test_root(judged, approval, disapproval, expected):
    assert judged(RULES, {}, approval=approval, disapproval=disapproval).outcome is expected


def test_the_top_list_is_an_and(judged):
    assert judged(RULES, {}, approval=["A", "P"]).outcome is P


def test_an_error_hides_behind_what_an_or_knows_already(judged):
    assert judged(RULES, {}, approval=[{"or": [{"and": ["E", "A"]}, "A"]}]).outcome is A
    assert judged(RULES, {}, approval=[{"or": [{"and": ["E", "A"]}, "P"]}]).outcome is P
    assert judged(RULES, {}, approval=[{"or": [{"and": ["E", "A"]}, "S"]}]).outcome is E


def test_sentences_of_the_root_are_those_to_act_on(judged):
    assert judged(RULES, {}, approval=["S"]).sentence == "all rules were skipped; at least one rule must match"
    assert judged(RULES, {}, approval=["A", "P"]).sentence == "P: waiting for one of @bob (1 person can)"
    assert judged(RULES, {}, approval=["A"], disapproval=DISAPPROVED).sentence == (
        "disapproved: the title “fix: a thing” matches one of `fix`"
    )
