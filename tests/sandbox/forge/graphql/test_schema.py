"""The forge's schema is a part of GitHub's published one: nothing in it is invented, nothing has drifted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    print_ast,
    specified_scalar_types,
    validate_schema,
)

from ghapp.sandbox.forge.graphql.registry import schema

VERSION = "15.26.1"


@pytest.fixture(scope="module")
def published(npm_package) -> GraphQLSchema:
    """GitHub's schema from npm."""
    text = (npm_package("@octokit/graphql-schema", VERSION) / "schema.graphql").read_text()
    return build_schema(text, assume_valid=True)


def argument_texts(arguments: dict) -> dict[str, str]:
    """``{name: "Type = default"}``."""
    defaults = {name: argument.ast_node.default_value for name, argument in arguments.items()}
    return {
        name: str(argument.type) + (f" = {print_ast(defaults[name])}" if defaults[name] else "")
        for name, argument in arguments.items()
    }


def differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> list[str]:
    """Everything in ``ours`` that is not the same in ``theirs``."""
    found = []
    for name, kind in ours.type_map.items():
        if name.startswith("__") or name in specified_scalar_types:
            continue
        other = theirs.type_map.get(name)
        if type(other) is not type(kind):
            found.append(f"{name}: is {type(other).__name__} there")
        elif isinstance(kind, GraphQLEnumType):
            found += [f"{name}.{value}" for value in kind.values if value not in other.values]
        elif isinstance(kind, GraphQLUnionType):
            there = {member.name for member in other.types}
            found += [f"{name} | {member}" for member in kind.types if member.name not in there]
        elif isinstance(kind, GraphQLInputObjectType):
            here, there = argument_texts(kind.fields), argument_texts(other.fields)
            found += [f"{name}.{field}: {text}" for field, text in here.items() if there.get(field) != text]
            found += [
                f"{name}.{field} is left out" for field, text in there.items() if "!" in text and field not in here
            ]
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            there = {interface.name for interface in other.interfaces}
            found += [f"{name} implements {i}" for i in kind.interfaces if i.name not in there]
            found += field_differences(name, kind, other)
    return found


def field_differences(name: str, kind: GraphQLObjectType, other: GraphQLObjectType) -> list[str]:
    found = []
    for field, facts in kind.fields.items():
        twin = other.fields.get(field)
        if twin is None or str(twin.type) != str(facts.type):
            found.append(f"{name}.{field}: {facts.type}, there {twin and twin.type}")
            continue
        here, there = argument_texts(facts.args), argument_texts(twin.args)
        found += [f"{name}.{field}({a}: {text})" for a, text in here.items() if there.get(a) != text]
        found += [
            f"{name}.{field}({a}) is left out" for a, text in there.items() if text.endswith("!") and a not in here
        ]
    return found


def test_every_type_field_argument_and_value_exists_identically_on_github(published):
    assert differences(schema(), published) == []


def test_the_schema_is_valid_and_every_field_has_a_resolver():
    assert validate_schema(schema()) == []


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("  headRefOid: GitObjectID!", "  headRefOid: GitObjectID"),
        ("  isDraft: Boolean!", "  isADraft: Boolean!"),
        ("  CHANGES_REQUESTED", "  CHANGES_WANTED"),
        ("pullRequest(number: Int!)", "pullRequest(number: Int! = 1)"),
        ("union Reactor = Bot", "union Reactor = Team | Bot"),
        ("type App implements Node", "type App implements Node & Actor"),
        ("  subjectId: ID!", "  subjectId: ID"),
    ],
)
def test_a_line_that_has_drifted_is_found(published, line, changed):
    folder = Path(__file__).parents[4] / "ghapp" / "sandbox" / "forge" / "graphql" / "schema"
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.graphql")))
    assert line in text
    drifted = build_schema(re.sub(re.escape(line) + r"(?=[\s):])", changed, text), assume_valid=True)
    assert differences(drifted, published)
