"""The body of ``kind: Promotion``: who may take a hotfix past environments or roll back, filters, and demanded gates.

The organisation's hotfix rules and the repository's are all asked; each has to agree.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from policies.demands import Demand
from policies.filters import Condition
from policies.people import Actors
from policies.scope import Scope
from policies.strict import Block


class Bypass(Block):
    """Who may ask for it, and whose approval it needs."""

    allowed: Actors = Field(
        Actors(permissions=("write",)), description="who may ask; absent: anyone with write permission"
    )
    approvals: int = Field(1, ge=0, le=20, description="approving reviews of the very head that is merged")
    approvers: Actors = Field(Actors(permissions=("write",)), description="whose approvals count")
    requester_may_approve: bool = Field(False, description="whether the approval of who asked for it counts")
    builder_may_approve: bool = Field(False, description="whether approvals by those who wrote or built it count")
    pass_: Condition | None = Field(None, alias="pass", description="CEL: only if this is true")
    fail: Condition | None = Field(None, description="CEL: not if this is true; it wins over `pass`")


class Hotfix(Bypass):
    """`/promote <release> to <environment>`, past the environments in between."""

    may_skip: tuple[str, ...] = Field(("*",), description="environments that may be passed by; globs")
    approver_may_merge: bool = Field(True, description="whether one who approved it may merge it by hand")
    exempt: tuple[Literal["window", "approval", "filter", "vulnerability", "plugins"], ...] = Field(
        (), description="gates that do not bind a hotfix"
    )


class Rollback(Bypass):
    """`/rollback <environment>`: back to an earlier release."""

    approvals: int = Field(0, ge=0, le=20, description="approving reviews of the very head that is merged")


class Filter(Block):
    """What a release has to be like. `fail` wins over `pass`."""

    pass_: Condition | None = Field(None, alias="pass", description="CEL: only if this is true")
    fail: Condition | None = Field(None, description="CEL: not if this is true")
    message: str = Field("", max_length=500, description="what to do about it")


class PromotionPolicy(Block):
    """How releases may be promoted. Every policy that applies has to agree."""

    hotfix: Hotfix | None = None
    rollback: Rollback | None = None
    filter: Filter | None = None
    gates: tuple[Demand, ...] = Field((), description="further gates: checks, http, job, metric, external")
    scope: Scope = Scope()

    @model_validator(mode="after")
    def says_something(self) -> PromotionPolicy:
        if not (self.hotfix or self.rollback or self.filter or self.gates):
            raise ValueError("says nothing — write `hotfix`, `rollback`, `filter` or `gates`")
        return self
