"""How a mutation is written: who may, what is done, what is answered; refusals of the forge in GraphQL's words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ghapp.sandbox.forge.git.store import RefConflict
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import Refused, inaccessible, unprocessable
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.model import Permission, Repository
from ghapp.sandbox.forge.web.errors import ApiError

MUTATION = Fields("Mutation")

Deed = Callable[..., dict[str, Any]]

_KINDS = {403: "FORBIDDEN", 404: "NOT_FOUND"}


def mutation(name: str) -> Callable[[Deed], Deed]:
    """The decorated function takes the context and the input's fields, and returns the payload's."""

    def bind(deed: Deed) -> Deed:
        @wraps(deed)
        def resolve(_root: None, ctx: Context, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's name
            echo = input.pop("client_mutation_id", None)
            try:
                answer = deed(ctx, **input)
            except ApiError as refusal:
                raise Refused(_KINDS.get(refusal.status, "UNPROCESSABLE"), _sentence(refusal)) from refusal
            except RefConflict as conflict:
                raise unprocessable(f"Reference update failed: {conflict}") from conflict
            return {"clientMutationId": echo, "actor": ctx.me, **answer}

        MUTATION(name)(resolve)
        return deed

    return bind


def allow(ctx: Context, repository: Repository, *permissions: str, role: Permission, to: str) -> None:
    """Refuse unless an app holds one of the permissions for writing, or a person has the role.

    ``to`` names the mutation in the sentence that a person gets.
    """
    if repository.archived:
        raise Refused("FORBIDDEN", "Repository was archived so is read-only.")
    if ctx.viewer.token is not None:
        if not any(ctx.may(repository, permission, "write") for permission in permissions):
            raise inaccessible()
    elif not ctx.has_role(repository, role):
        raise Refused("FORBIDDEN", f"{ctx.me.login} does not have the correct permissions to execute `{to}`")


def _sentence(refusal: ApiError) -> str:
    """What REST would say, without its shapes."""
    details = [
        error if isinstance(error, str) else error.get("message") or f"{error.get('field')} is {error.get('code')}"
        for error in refusal.errors or ()
    ]
    return ". ".join(details) if details else refusal.message
