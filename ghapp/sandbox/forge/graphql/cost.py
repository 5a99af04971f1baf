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

# As many fields as a query may have once its fragments are written out, so that no short text makes a long answer.
FIELD_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Cost:
    """``nodes`` is how many records a query could return; ``points`` what it takes from the rate limit."""

    nodes: int = 0
    requests: int = 0
    fields: int = 0

    @property
    def points(self) -> int:
        return max(1, round(self.requests / 100))

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.nodes + other.nodes, self.requests + other.requests, self.fields + other.fields)

    def of_page(self, size: int) -> Cost:
        """The cost of a connection whose every node costs this."""
        return Cost(size + size * self.nodes, 1 + size * self.requests, self.fields)


def cost(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> Cost:
    """The cost of one operation with the variables that it is run with."""
    defaults = {
        definition.variable.name.value: definition.default_value for definition in operation.variable_definitions or ()
    }
    known = {name: _literal(node, {}) for name, node in defaults.items()} | dict(variables)
    counted: dict[str, Cost] = {}

    def of(selections: SelectionSetNode | None) -> Cost:
        return sum((of_one(selection) for selection in selections.selections), Cost()) if selections else Cost()

    def of_one(selection: Any) -> Cost:
        if isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in counted:
                counted[name] = of(fragments[name].selection_set)
            return counted[name]
        below = of(selection.selection_set)
        if not isinstance(selection, FieldNode):
            return below
        page = _page_size(selection, known)
        return Cost(fields=1) + (below if page is None else below.of_page(page))

    return of(operation.selection_set)


def _page_size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """How many records a connection is asked for; None for what is no connection."""
    bounds = (_literal(a.value, variables) for a in field.arguments or () if a.name.value in ("first", "last"))
    return next((bound for bound in bounds if isinstance(bound, int)), None)


def _literal(node: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    return int(node.value) if isinstance(node, IntValueNode) else None
