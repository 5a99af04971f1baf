"""For random trees, rules and pull requests, `evaluate` says what a plain reading of the language says.

The reference below knows nothing of the product's code: it reads the same dictionaries and goes rule by rule, slowly.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ghapp.approvals import factsfile
from policies.approval.evaluate import evaluate
from policies.approval.parse import parse

PEOPLE = ["ann", "ben", "cat", "dan"]
TEAMS = {"org/a": ["ann", "ben"], "org/b": ["cat"]}
START = datetime(2026, 1, 1, tzinfo=UTC)


def moment(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


# --- the reference ------------------------------------------------------------------------------------
class Unknown(Exception):
    pass


def member(actors: dict[str, Any], login: str, permissions: dict[str, str]) -> bool:
    if login in actors.get("users", []):
        return True
    for team in actors.get("teams", []):
        if team not in TEAMS:
            raise Unknown
        if login in TEAMS[team]:
            return True
    levels = ["none", "read", "triage", "write", "maintain", "admin"]
    mine = levels.index(permissions.get(login, "none"))
    return any(mine > 0 and mine >= levels.index(level) for level in actors.get("permissions", []))


def predicate(key: str, value: Any, pull: dict[str, Any]) -> bool:
    if key == "has_labels":
        return all(label in pull["labels"] for label in value)
    if key == "has_author_in":
        return member(value, pull["author"], pull["permissions"])
    if key == "changed_files":
        return any(file["path"].startswith(p[1:]) for file in pull["files"] for p in value["paths"])
    assert key == "targets_branch"
    return value["pattern"] in pull["base_branch"]


ORDER = ["changed_files", "has_author_in", "targets_branch", "has_labels"]


def reference_rule(rule: dict[str, Any], pull: dict[str, Any]) -> str:
    try:
        for key in ORDER:
            if key in rule["if"] and not predicate(key, rule["if"][key], pull):
                return "skipped"
        requires, options = rule["requires"], rule["options"]
        enough = requires["count"] == 0 or len(approvers(requires, options, pull)) >= requires["count"]
        conditions = [predicate(k, requires["conditions"][k], pull) for k in ORDER if k in requires["conditions"]]
    except Unknown:
        return "error"
    return "approved" if enough and all(conditions) else "pending"


def approvers(requires: dict[str, Any], options: dict[str, bool], pull: dict[str, Any]) -> list[str]:
    latest: dict[str, dict[str, Any]] = {}
    for said in pull["said"]:
        if said["kind"] == "yes" and (said["by"] not in latest or said["at"] > latest[said["by"]]["at"]):
            latest[said["by"]] = said
    found = []
    for login, said in sorted(latest.items(), key=lambda item: item[1]["at"]):
        if any(other["kind"] == "no" and other["by"] == login and other["at"] > said["at"] for other in pull["said"]):
            continue
        if options["invalidate_on_push"] and said["saw"] != len(pull["writers"]) - 1:
            continue
        writers = set(pull["writers"]) - {pull["author"]}
        free = options["allow_contributor"]
        if login == pull["author"] and not (free or options["allow_author"]):
            continue
        if login in writers and not (free or options["allow_non_author_contributor"]):
            continue
        if member(requires, login, pull["permissions"]):
            found.append(login)
    return found


def reference(tree: Any, rules: dict[str, dict[str, Any]], pull: dict[str, Any]) -> str:
    if isinstance(tree, str):
        return reference_rule(rules[tree], pull)
    ((operator, below),) = tree.items()
    outcomes = [reference(child, rules, pull) for child in below]
    if operator == "or":
        for outcome in ("approved", "pending", "error"):
            if outcome in outcomes:
                return outcome
        return "skipped"
    if "error" in outcomes:
        return "error"
    if "pending" in outcomes:
        return "pending"
    return "approved" if "approved" in outcomes else "skipped"


# --- random policies and pull requests ------------------------------------------------------------------
def listed(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


actors = st.fixed_dictionaries(
    {},
    optional={
        "users": listed(PEOPLE),
        "teams": listed([*TEAMS, "elsewhere/t"]),
        "permissions": listed(["read", "write", "admin"]),
    },
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "has_labels": listed(["x", "y"]),
        "has_author_in": actors,
        "changed_files": st.fixed_dictionaries({"paths": listed(["^src", "^docs"])}),
        "targets_branch": st.fixed_dictionaries({"pattern": st.sampled_from(["main", "release"])}),
    },
)
flags = ["allow_author", "allow_contributor", "allow_non_author_contributor", "invalidate_on_push"]
rules = st.fixed_dictionaries(
    {
        "if": st.one_of(st.just({}), conditions),
        "options": st.fixed_dictionaries({flag: st.booleans() for flag in flags}),
        "requires": st.builds(
            lambda who, count, also: {**who, "count": count, "conditions": also},
            actors,
            st.integers(0, 2),
            st.one_of(st.just({}), conditions),
        ),
    }
)
NAMES = ["p", "q", "r"]
trees = st.recursive(
    st.sampled_from(NAMES),
    lambda below: st.builds(
        lambda operator, children: {operator: children},
        st.sampled_from(["and", "or"]),
        st.lists(below, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
pulls = st.fixed_dictionaries(
    {
        "author": st.sampled_from(PEOPLE),
        "base_branch": st.sampled_from(["main", "release/1"]),
        "labels": listed(["x", "y", "z"]),
        "files": st.lists(
            st.builds(lambda path: {"path": path}, st.sampled_from(["src/a", "docs/b", "c"])), max_size=3
        ),
        "permissions": st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(["read", "write", "admin"])),
        "writers": st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3),
        "said": st.lists(
            st.fixed_dictionaries(
                {"by": st.sampled_from(PEOPLE), "kind": st.sampled_from(["yes", "yes", "no"]), "saw": st.integers(0, 2)}
            ),
            max_size=5,
        ),
    }
)


def facts_of(pull: dict[str, Any]) -> dict[str, Any]:
    commits = [
        {"oid": f"c{i}", "author_login": who, "committer_login": who, "parents": [f"c{i - 1}" if i else "base"]}
        for i, who in enumerate(pull["writers"])
    ]
    reviews = [
        {
            "author": said["by"],
            "state": "APPROVED" if said["kind"] == "yes" else "CHANGES_REQUESTED",
            "submitted_at": moment(said["at"]),
            "commit_oid": f"c{said['saw']}",
        }
        for said in pull["said"]
    ]
    kept = {key: pull[key] for key in ("author", "base_branch", "labels", "files", "permissions")}
    known = {"repository": "org/repo", "team_members": TEAMS, "head_sha": commits[-1]["oid"]}
    return {**known, **kept, "commits": commits, "reviews": reviews}


@settings(max_examples=400, deadline=None)
@given(st.lists(trees, min_size=1, max_size=3), st.tuples(rules, rules, rules), pulls)
def test_evaluate_equals_the_reference(approval, written, pull):
    for minute, said in enumerate(pull["said"]):
        said["at"] = minute
        said["saw"] = min(said["saw"], len(pull["writers"]) - 1)
    named = dict(zip(NAMES, written, strict=True))
    text = json.dumps(
        {"policy": {"approval": approval}, "approval_rules": [{"name": name, **rule} for name, rule in named.items()]}
    )
    result = evaluate(parse(text), factsfile.parse(facts_of(pull)), START)
    expected = reference({"and": approval}, named, pull)
    assert result.children[0].outcome == expected
    assert result.outcome == ("error" if expected == "skipped" else expected)
