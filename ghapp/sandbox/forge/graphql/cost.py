"""What a query may cost at most, by GitHub's rule: https://docs.github.com/graphql/overview/rate-limits-and-query-limits

Counted from the text of the query alone, before anything is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

NODE_LIMIT = 500_000


@dataclass(frozen=True, slots=True)
class Cost:
    """``nodes`` is how many records the query could return; ``points`` what it takes from the rate limit."""

    nodes: int
    requests: int

    @property
    def points(self) -> int:
        return max(1, round(self.requests / 100))


def cost(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> Cost:
    """The cost of one operation with the variables that it is run with."""
    defaults = {
        definition.variable.name.value: definition.default_value for definition in operation.variable_definitions or ()
    }
    known = {name: _literal(node, {}) for name, node in defaults.items()} | dict(variables)
    nodes, requests = _count(operation.selection_set, fragments, known, 1)
    return Cost(nodes, requests)


def _count(
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    times: int,
) -> tuple[int, int]:
    """(nodes, requests) below a selection that is made ``times`` times."""
    nodes = requests = 0
    for selection in selections.selections:
        below, inner = times, getattr(selection, "selection_set", None)
        if isinstance(selection, FragmentSpreadNode):
            inner = fragments[selection.name.value].selection_set
        elif isinstance(selection, FieldNode) and (page := _page_size(selection, variables)) is not None:
            below = times * page
            nodes, requests = nodes + below, requests + times
        if inner is not None:
            more_nodes, more_requests = _count(inner, fragments, variables, below)
            nodes, requests = nodes + more_nodes, requests + more_requests
    return nodes, requests


def _page_size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """How many records a connection is asked for; None for what is no connection."""
    bounds = (_literal(a.value, variables) for a in field.arguments or () if a.name.value in ("first", "last"))
    return next((bound for bound in bounds if isinstance(bound, int)), None)


def _literal(node: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    return int(node.value) if isinstance(node, IntValueNode) else None
