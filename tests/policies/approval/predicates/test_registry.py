"""The list of predicates is complete, and its order is the order of asking."""

from policies.approval.predicates.registry import PREDICATES

ORDER = [
    "changed_files",
    "no_changed_files",
    "only_changed_files",
    "has_author_in",
    "has_contributor_in",
    "only_has_contributors_in",
    "author_is_only_contributor",
    "targets_branch",
    "from_branch",
    "modified_lines",
    "has_status",
    "has_successful_status",
    "has_workflow_result",
    "has_labels",
    "repository",
    "title",
    "has_valid_signatures",
    "has_valid_signatures_by",
    "has_valid_signatures_by_keys",
]


def test_order():
    assert [kind.key for kind in PREDICATES] == ORDER


def test_the_first_false_predicate_in_that_order_ends_the_asking(rule):
    # In the file the unreadable team stands first; the files are asked before it.
    written = {"if": {"has_author_in": {"teams": ["other/t"]}, "changed_files": {"paths": ["nope"]}}}
    result = rule(written, {})
    assert result.outcome == "skipped"
    assert [finding.key for finding in result.findings] == ["changed_files"]
    later = {"if": {"has_labels": ["nope"], "has_author_in": {"teams": ["other/t"]}}}
    assert rule(later, {}).outcome == "error"
