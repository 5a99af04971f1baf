"""How accounts sign what they do: as authors and committers in git."""

from __future__ import annotations

from ghapp.sandbox.forge.git.objects import Signature
from ghapp.sandbox.forge.model import State, User


def signature(state: State, user: User) -> Signature:
    """An account's author line, now."""
    if user is state.web_flow:
        return Signature("GitHub", "noreply@github.com", state.now())
    return Signature(user.name or user.login, user.email or user.noreply_email, state.now())
