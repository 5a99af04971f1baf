"""Answers one GraphQL request: parse, validate, weigh, execute, and shape errors as GitHub does.

Mutations hold the state's lock from start to end; queries hold nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
    validate,
)

from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.cost import FIELD_LIMIT, NODE_LIMIT, Cost, cost
from ghapp.sandbox.forge.graphql.errors import formatted
from ghapp.sandbox.forge.graphql.registry import schema
from ghapp.sandbox.forge.model import State
from ghapp.sandbox.forge.web.actor import Actor
from ghapp.sandbox.forge.web.ratelimit import Bucket

_MAX_TOKENS = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The response's JSON object, and how many points the request cost."""

    body: dict[str, Any]
    points: int = 1


def execute(state: State, viewer: Actor, request: Mapping[str, Any], bucket: Bucket) -> Outcome:
    """Answer ``{"query", "variables", "operationName"}`` for ``viewer``; whatever goes wrong is in the answer.

    ``bucket`` is what the viewer has left of the rate limit before this request.
    """
    text, variables = request.get("query"), request.get("variables") or {}
    if not isinstance(text, str) or not text.strip():
        return Outcome({"errors": [{"message": "A query attribute must be specified and must be a string."}]})
    if not isinstance(variables, dict):
        return Outcome({"errors": [{"message": "Variables must be an object."}]})
    try:
        document = parse(text, max_tokens=_MAX_TOKENS)
        if problems := validate(schema(), document, max_errors=20):
            return Outcome({"errors": formatted(problems)})
        operation = _operation(document, request.get("operationName"))
        price = _priced(document, operation, variables)
    except GraphQLError as problem:
        return Outcome({"errors": formatted([problem])})
    except RecursionError:
        return Outcome({"errors": [{"message": "This query is nested too deeply."}]})
    context = Context(state, viewer, _rate(bucket, price))
    changes = operation.operation is OperationType.MUTATION
    with state.lock if changes else contextlib.nullcontext():
        result: ExecutionResult = execute_sync(
            schema(),
            document,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
        )
    errors = {"errors": formatted(result.errors)} if result.errors else {}
    return Outcome({"data": result.data, **errors}, price.points)


def _operation(document: DocumentNode, name: Any) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name:
        operations = [node for node in operations if node.name and node.name.value == name]
    if not operations:
        raise GraphQLError(f'No operation named "{name}"')
    if len(operations) > 1:
        raise GraphQLError("An operation name is required")
    return operations[0]


def _priced(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Cost:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    price = cost(operation, fragments, variables)
    if price.nodes > NODE_LIMIT:
        raise GraphQLError(
            f"This query requests up to {price.nodes:,} possible nodes which exceeds the maximum limit of "
            f"{NODE_LIMIT:,}."
        )
    if price.fields > FIELD_LIMIT:
        raise GraphQLError(f"This query has {price.fields:,} fields, which exceeds the maximum of {FIELD_LIMIT:,}.")
    return price


def _rate(bucket: Bucket, price: Cost) -> dict[str, Any]:
    return {
        "cost": price.points,
        "limit": bucket.limit,
        "nodeCount": price.nodes,
        "remaining": max(0, bucket.remaining - price.points),
        "resetAt": bucket.reset,
        "used": bucket.used + price.points,
    }
