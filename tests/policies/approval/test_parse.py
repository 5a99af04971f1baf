"""From text to a policy: YAML as policy-bot reads it, and errors that name file, line, key and fix."""

from __future__ import annotations

import json

import pytest

from policies.approval.parse import parse, remote_of
from policies.approval.rules import APPROVE, Both
from policies.yamltext import Problems

COMPLETE = r"""
policy:
  approval:
    - or: [two people, only docs]
    - and:
        - signed
  disapproval:
    if:
      title: {not_matches: ["^(fix|feat): "]}
    options:
      methods:
        disapprove: {comments: [":-1:"], github_review: true}
        revoke: {comments: [":+1:"]}
    requires: {organizations: [acme]}
approval_rules:
  - name: two people
    description: Two of the team.
    options:
      allow_author: true
      allow_contributor: true
      allow_non_author_contributor: true
      invalidate_on_push: true
      ignore_edited_comments: true
      ignore_update_merges: true
      ignore_commits_by: {users: ["bulldozer[bot]"]}
      request_review: {enabled: true, mode: teams, count: 3}
      methods:
        comments: [LGTM]
        comment_patterns: ["^Signed-off by \\s+$"]
        github_review: false
        github_review_comment_patterns: ['\b(?i)domain\s*lgtm\b']
        body_patterns: ["\\b(?i)no-platform"]
    requires:
      count: 2
      users: [a]
      organizations: [b]
      teams: [c/d]
      permissions: [write]
      conditions: {has_status: {statuses: [build]}}
  - name: only docs
    if:
      changed_files: {paths: ["^config/.*$"], ignore: ["^config/special\\.file$"]}
      no_changed_files: {paths: [x]}
      only_changed_files: {paths: ["^docs/"]}
      has_author_in: {users: [a]}
      has_contributor_in: {teams: [a/b]}
      only_has_contributors_in: {organizations: [a]}
      author_is_only_contributor: true
      targets_branch: {pattern: "^(master|main)$"}
      from_branch: {pattern: x}
      modified_lines: {additions: "> 100", deletions: "< 5", total: "= 1"}
      has_successful_status: [a]
      has_status: {conclusions: [success, skipped], statuses: [a]}
      has_workflow_result: {conclusions: [success], workflows: [".github/workflows/a.yml"]}
      has_labels: [a]
      repository: {matches: ["^palantir/"], not_matches: [docs$]}
      title: {matches: ["^BREAKING CHANGE: (\\w| )+$"]}
      has_valid_signatures: true
      has_valid_signatures_by: {users: [a]}
      has_valid_signatures_by_keys: {key_ids: ["3AA5C34371567BD2"]}
  - name: signed
"""


def problems(text: str) -> str:
    with pytest.raises(Problems) as raised:
        parse(text, "policy.yml")
    return str(raised.value)


def test_everything_the_language_has():
    policy = parse(COMPLETE)
    two, docs, signed = policy.rules
    assert policy.approval == Both("and", (Both("or", (two, docs)), Both("and", (signed,))))
    assert (two.count, two.actors.users, two.actors.permissions) == (2, ("a",), ("write",))
    assert two.options.request_review.mode == "teams"
    assert two.options.methods.comments == ("LGTM",)
    assert two.options.methods.review is False
    assert len(docs.when) == 19
    assert signed.options.methods is APPROVE
    assert policy.disapproval.revoke.review is False
    assert policy.path_patterns == ("^config/.*$", "^config/special\\.file$", "x", "^docs/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# nothing\n",
        "---\n",
        "~",
        "null",
        "{}",
        "policy:",
        "policy: {}\napproval_rules:",
        "policy: {approval: }",
        "policy: {approval: []}",
        "policy: {approval: ~}",
    ],
)
def test_what_asks_for_nothing(text):
    assert parse(text).approval is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "policy.yml:1: expected a map, found a list"),
        ("hello", "policy.yml:1: expected a map, found `hello`"),
        ("polcy: {}", "policy.yml:1: unknown key `polcy` — did you mean `policy`?"),
        ("policy: {}\npolicy: {}", "policy.yml:2: the key `policy` is written twice — remove one of them"),
        (
            "policy:\n  approvals: []",
            "policy.yml:2: `policy`: unknown key `approvals` — did you mean `approval`?",
        ),
        (
            "approval_rules:\n  - name: a\n    requires:\n      count: two",
            "policy.yml:4: `approval_rules[0].requires.count`: expected a whole number, found `two`",
        ),
        (
            "approval_rules:\n  - name: a\n    if:\n      title:\n        matches: ['(']",
            "policy.yml:5: `approval_rules[0].if.title.matches[0]`: "
            "`(` is not a regular expression that Go accepts: missing ): (",
        ),
        (
            "approval_rules:\n  - name: a\n    if: {title: {matches: ['\\C']}}",
            "policy.yml:3: `approval_rules[0].if.title.matches[0]`: `\\C` is not a regular expression that Go accepts: "
            "`\\C` matches single bytes, which Go has no notion of — use `.` or `(?s:.)`",
        ),
        (
            "approval_rules:\n  - name: a\n    requires: {permissions: [owner]}",
            "policy.yml:3: `approval_rules[0].requires.permissions[0]`: "
            "`owner` is not a permission; write one of read, triage, write, maintain, admin",
        ),
        (
            "approval_rules:\n  - name: a\n    if: {modified_lines: {total: 5}}",
            "policy.yml:3: `approval_rules[0].if.modified_lines.total`: "
            "`5` is not a comparison; write `<`, `>` or `=` and a whole number, such as `> 100`",
        ),
        (
            "policy: {approval: [b]}\napproval_rules: [{name: a}]",
            "policy.yml:1: there is no rule named `b` — rules here: `a`",
        ),
        ("policy: {approval: [b]}", "policy.yml:1: there is no rule named `b` — rules here: none"),
        (
            "policy: {approval: [5]}\napproval_rules: [{name: 5}]",
            "policy.yml:1: expected a rule's name, `and` or `or`, found `5` — quote the name",
        ),
        (
            "policy: {approval: [~]}",
            "policy.yml:1: expected a rule's name, `and` or `or`, found `~` — write a rule's name",
        ),
        (
            "policy: {approval: [[a]]}\napproval_rules: [{name: a}]",
            "policy.yml:1: expected a rule's name, `and` or `or`, found a list — write a rule's name",
        ),
        (
            "policy: {approval: [{and: [a], or: [a]}]}\napproval_rules: [{name: a}]",
            "policy.yml:1: expected the one key `and` or `or`, found `and`, `or` — indent or split the entry",
        ),
        (
            "policy: {approval: [{nor: [a]}]}\napproval_rules: [{name: a}]",
            "policy.yml:1: expected the one key `and` or `or`, found `nor` — indent or split the entry",
        ),
        (
            "policy: {approval: [{1: [a]}]}\napproval_rules: [{name: a}]",
            "policy.yml:1: expected the one key `and` or `or`, found `1` — indent or split the entry",
        ),
        ("policy: {approval: [{or: []}]}", "policy.yml:1: `or` needs a list with at least one entry — name a rule"),
        ("policy: {approval: [{and: }]}", "policy.yml:1: `and` needs a list with at least one entry — name a rule"),
        ("policy: {approval: [{and: a}]}", "policy.yml:1: `and` needs a list with at least one entry — name a rule"),
        (
            "approval_rules:\n  - name: a\n  -\n",
            "policy.yml:3: `approval_rules[1]` is empty — give it a name, or remove it",
        ),
        ("a: [", "policy.yml:2: not YAML: did not find expected node content"),
        ("%YAML 1.2\n---\n{}", "policy.yml:1: not YAML 1.1: policies are read by the rules of that version"),
        (
            "approval_rules: [{name: a, if: {title: {matches: [(?i)wip]}}}]",
            "policy.yml:1: the `?` of `(?i)wip` means something else inside [ ] and { } — put the value in quotes",
        ),
        ("policy: {approval: [!!binary gA==]}", "a !!binary value that is not the base64 of some text"),
        ("policy: *x", "policy.yml:1: the alias *x has no anchor before it"),
        ("policy: &p {approval: [*p]}", "policy.yml:1: `policy.approval[0]`: the anchor &p contains itself"),
        ("policy: {<<: 1}", "policy.yml:1: `policy`: `<<` merges a map, or a list of maps, and nothing else"),
        ("policy: {approval: [{[a]: b}]}", "policy.yml:1: `policy.approval[0]`: a key that is a list or a map"),
    ],
)
def test_errors(text, expected):
    assert expected in problems(text)


def test_everything_wrong_is_named_at_once():
    text = "approval_rules:\n  - nam: a\n    requires: {count: x}\n  - name: [b]\n"
    assert problems(text).count("\n") == 2


def nested(depth: int) -> str:
    tree: object = "a"
    for _ in range(depth):
        tree = {"or": [tree]}
    return json.dumps({"policy": {"approval": [tree]}, "approval_rules": [{"name": "a"}]})


def test_nine_nested_operators_and_no_more():
    parse(nested(9))
    assert "operators are nested more than 9 deep" in problems(nested(10))
    assert "nested more than 60 levels deep" in problems(nested(100))


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [("yes", True), ("on", True), ("y", True), ("True", True), ("off", False), ("N", False), ("~", False)],
)
def test_booleans_of_yaml_1_1(scalar, expected):
    policy = parse(f"approval_rules: [{{name: a, options: {{allow_author: {scalar}}}}}]")
    assert policy.rules[0].options.allow_author is expected


@pytest.mark.parametrize("scalar", ['"true"', "1", "[]", "yep"])
def test_what_is_no_boolean(scalar):
    assert "expected true or false" in problems(f"approval_rules: [{{name: a, options: {{allow_author: {scalar}}}}}]")


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [("2", 2), ("010", 8), ("0x10", 16), ("0b11", 3), ("1_000", 1000), ("1.9", 1), ("1e1", 10), ("~", 0), ("-1", -1)],
)
def test_numbers_of_go(scalar, expected):
    assert parse(f"approval_rules: [{{name: a, requires: {{count: {scalar}}}}}]").rules[0].count == expected


@pytest.mark.parametrize("scalar", ['"1"', "true", "1 2", "99999999999999999999", ".inf", "-.inf", ".nan", "!!int x"])
def test_what_is_no_number(scalar):
    # policy-bot reads -.inf as a negative count, which requires nothing.
    problems(f"approval_rules: [{{name: a, requires: {{count: {scalar}}}}}]")


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("5", "5"),
        ("yes", "yes"),
        ("1.50", "1.50"),
        ("2026-01-01", "2026-01-01"),
        ("~", ""),
        ("Null", ""),
        ("''", ""),
        ("!!str 1", "1"),
        ("!!binary Ym9i", "bob"),
        ('"null"', "null"),
    ],
)
def test_anything_plain_is_text_where_text_is_wanted(scalar, expected):
    policy = parse(f"approval_rules: [{{name: a, requires: {{users: [{scalar}]}}}}]")
    assert policy.rules[0].actors.users == (expected,)


@pytest.mark.parametrize(
    ("written", "predicates"),
    [
        ("title: ", 0),
        ("title: ~", 0),
        ("title: null", 0),
        ("title: Null", 1),  # Go's decoder knows three nulls first, and five later
        ("title: {}", 1),
        ("has_labels: ~", 0),
        ("has_labels: Null", 1),
        ("has_labels: []", 1),
        ("author_is_only_contributor: ~", 0),
        ("author_is_only_contributor: NULL", 1),
    ],
)
def test_predicates_that_are_left_empty(written, predicates):
    assert len(parse(f"approval_rules: [{{name: a, if: {{{written}}}}}]").rules[0].when) == predicates


def test_merge_keys_fill_what_is_not_overwritten():
    text = """
approval_rules:
  - &base
    name: base
    options: {methods: {comments: [a]}, allow_author: true}
    requires: &one {count: 1, users: [bob]}
  - <<: *base
    name: derived
    options: {methods: {github_review: false}}
  - name: later
    requires: {count: 2, <<: *one}
  - name: several
    requires: {<<: [{count: 3}, *one]}
"""
    base, derived, later, several = parse(text).rules
    # Maps are filled further, not replaced; the base stays as it is.
    assert (derived.name, derived.options.allow_author, derived.count) == ("derived", True, 1)
    assert (derived.options.methods.comments, derived.options.methods.review) == (("a",), False)
    assert base.options.methods.review is True
    assert later.count == 1  # a merge written later wins
    assert (several.count, several.actors.users) == (3, ("bob",))


def test_a_question_mark_in_a_block_or_in_quotes_is_plain_text():
    text = "approval_rules:\n  - name: why?\n    if: {title: {matches: ['(?i)wip']}}\n"
    assert parse(text).rules[0].name == "why?"


def test_only_the_first_document_is_read():
    assert parse("policy: {approval: [a]}\napproval_rules: [{name: a}]\n---\n}{ not yaml").approval is not None


def test_a_later_rule_of_the_same_name_stands():
    text = "policy: {approval: [a]}\napproval_rules: [{name: a}, {name: a, requires: {count: 1}}]"
    assert [rule.count for rule in parse(text).rules] == [1]


def test_a_rule_may_have_no_name():
    assert parse('policy: {approval: [""]}\napproval_rules: [{}]').approval is not None


def test_aliases_that_explode():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    text = "\n".join(lines) + "\npolicy: {approval: [*a8]}\n"
    assert "aliases that expand to far more than is written" in problems(text)


def test_a_text_too_large_is_refused():
    assert "larger than" in problems("# " + "x" * 1_000_001)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remote: acme/policies", {"remote": "acme/policies", "path": "", "ref": ""}),
        ("remote: a/b\npath: x.yml\nref: v1", {"remote": "a/b", "path": "x.yml", "ref": "v1"}),
        ('remote: ""', {"remote": "", "path": "", "ref": ""}),
        ("remote: ~", None),
        ("remote: a/b\nextra: 1", None),
        ("remote: a/b\npolicy: {}", None),
        ("policy: {}", None),
        ("", None),
        ("}{", None),
    ],
)
def test_pointers_elsewhere(text, expected):
    assert remote_of(text) == expected
