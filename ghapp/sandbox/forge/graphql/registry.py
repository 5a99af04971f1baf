"""Which function answers which field of which type: the one table that binds the schema to the forge's records.

Every field of the schema must be in it; a missing or a superfluous one is an error when the schema is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from ghapp.sandbox.forge.graphql import scalars
from ghapp.sandbox.forge.graphql.connections import Connection, edges, page_info, paginate

Function = TypeVar("Function", bound=Callable[..., Any])

# The modules that fill the table.
_MODULES = (
    "types.query",
    "types.accounts",
    "types.repositories",
    "types.refs",
    "types.commits",
    "types.issues",
    "types.pulls",
    "types.reviews",
    "types.timeline",
    "types.checks",
    "types.deployments",
    "mutations.comments",
    "mutations.pulls",
    "mutations.reviews",
    "mutations.git",
)

_resolvers: dict[tuple[str, str], Callable[..., Any]] = {}
_kinds: dict[type, Callable[[Any], str]] = {}


def snake(name: str) -> str:
    """``headRefOid`` → ``head_ref_oid``, ``bodyHTML`` → ``body_html``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Fields:
    """The answers that some types share. A resolver takes the record, the context and the field's arguments."""

    def __init__(self, *types: str, record: type | None = None) -> None:
        self._types = types
        if record is not None:
            _kinds[record] = lambda _: types[0]

    def __call__(self, *names: str) -> Callable[[Function], Function]:
        """``@PULL("headRef")``: the decorated function answers these fields."""

        def bind(function: Function) -> Function:
            for name in names:
                self._bind(name, function)
            return function

        return bind

    def same(self, *names: str) -> None:
        """Fields that are the record's attribute of the same name, in snake case."""
        self.renamed(**{name: snake(name) for name in names})

    def renamed(self, **attributes: str) -> None:
        """Fields that are another attribute of the record: ``isDraft="draft"``."""
        for name, attribute in attributes.items():
            self._bind(name, lambda record, _ctx, attribute=attribute: getattr(record, attribute))

    def constant(self, **values: Any) -> None:
        """Fields whose answer the sandbox never varies."""
        for name, value in values.items():
            self._bind(name, lambda _record, _ctx, value=value, **_: value)

    def connection(self, name: str) -> Callable[[Function], Function]:
        """The decorated function answers the whole list; the page is cut here."""

        def bind(function: Function) -> Function:
            def page(
                record: Any,
                ctx: Any,
                first: int | None = None,
                after: str | None = None,
                last: int | None = None,
                before: str | None = None,
                **arguments: Any,
            ) -> Connection:
                items: Sequence[Any] = list(function(record, ctx, **arguments))
                return paginate(
                    name, items, key=ctx.key, first=first, after=after, last=last, before=before, owner=record
                )

            self._bind(name, page)
            return function

        return bind

    def _bind(self, name: str, function: Callable[..., Any]) -> None:
        for kind in self._types:
            _resolvers[kind, name] = function


def kind_by(record: type, decide: Callable[[Any], str]) -> None:
    """Records of one class that are one of several types."""
    _kinds[record] = decide


def type_name(record: Any) -> str:
    """The type of a record, where the schema leaves several open."""
    return _kinds[type(record)](record)


@cache
def schema() -> GraphQLSchema:
    """The executable schema. Raises ``LookupError`` when a field has no resolver or a resolver no field."""
    for module in _MODULES:
        import_module(f"ghapp.sandbox.forge.graphql.{module}")
    texts = sorted((Path(__file__).parent / "schema").glob("*.graphql"))
    built = build_schema("\n".join(path.read_text() for path in texts))
    unbound: list[str] = []
    bound = set(_resolvers)
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                field.out_name = snake(name)
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = lambda record, _info, _kind: type_name(record)
        elif isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            unbound += _bind_object(kind, bound)
    scalars.bind(built)
    if unbound or bound:
        raise LookupError(f"fields without a resolver: {sorted(unbound)}; resolvers without a field: {sorted(bound)}")
    return built


def _bind_object(kind: GraphQLObjectType, bound: set[tuple[str, str]]) -> list[str]:
    """Give each field its resolver, take it out of ``bound``, and return the fields that have none."""
    unbound = []
    for name, field in kind.fields.items():
        for argument, value in field.args.items():
            value.out_name = snake(argument)
        resolver = _resolvers.get((kind.name, name)) or _general(kind.name, name)
        bound.discard((kind.name, name))
        if resolver is None:
            unbound.append(f"{kind.name}.{name}")
        else:
            field.resolve = _adapted(resolver)
    return unbound


def _adapted(resolver: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(record: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        return resolver(record, info.context, **arguments)

    return resolve


def _general(kind: str, field: str) -> Callable[..., Any] | None:
    """Fields that every connection, edge and payload answers alike."""
    if kind.endswith("Connection"):
        return _CONNECTION.get(field)
    if kind.endswith("Edge"):
        return _EDGE.get(field)
    if kind.endswith("Payload") or kind == "PageInfo":
        return lambda record, _ctx: record.get(field)
    return None


_CONNECTION: dict[str, Callable[..., Any]] = {
    "nodes": lambda page, _ctx: page.items,
    "edges": lambda page, _ctx: edges(page),
    "pageInfo": lambda page, _ctx: page_info(page),
    "totalCount": lambda page, _ctx: page.total,
}
_EDGE: dict[str, Callable[..., Any]] = {
    "node": lambda edge, _ctx: edge.node,
    "cursor": lambda edge, _ctx: edge.cursor,
}
