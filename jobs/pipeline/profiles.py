"""Build profiles: those of this installation, and those that an organisation's and a repository's policies define.

Policies are read from default branches and kept for a few minutes, so that most pushes cost nothing for them.
"""

from __future__ import annotations

import json
from typing import Any

from ghapp.config.model import Resources
from jobs.connect import text
from jobs.pipeline.resources import DEFAULT, MOST, PROFILES, Profiles
from jobs.pipeline.situation import Situation
from jobs.promotion.rules import folder, organisation
from jobs.reconcile import Context
from policies.build_profile import BuildProfile
from policies.kinds import read_folder
from policies.organisation import merge
from policies.policy import Origin, PolicySet
from policies.scope import Place

_KEPT = 300  # seconds
_FIELDS = ("cpu", "memory", "disk", "timeout", "architectures", "node_selector")
_LIMITS = {"cpu": "max_cpu", "memory": "max_memory", "timeout": "max_timeout"}


def profiles(context: Context, at: Situation, app: str) -> Profiles:
    """The profiles that an app may ask for, and what it may ask for at most.

    Raises ``GitHubError`` and ``GitError``: a limit that cannot be read is not an absent one.
    """
    branch = next(iter(at.branches), at.pulls[0].base if at.pulls else "")
    redis, key = context.queue.redis, f"ghapp:profiles:{at.client.id}:{app}:{branch}"
    kept = redis.get(key)
    if kept is not None:
        return Profiles.from_json(json.loads(text(kept)))
    own = read_folder(folder(at.git, at.heads.get(at.default_branch)), Origin.REPOSITORY)
    found = made(merge(organisation(at.client, context), own), Place(at.client.full_name, app, branch=branch))
    redis.set(key, json.dumps(found.as_json()), ex=_KEPT)
    return found


def made(policies: PolicySet, place: Place) -> Profiles:
    """What policies make of the profiles that are there anyway: the organisation's win, the lowest limit holds."""
    named, default, limits = dict(PROFILES), DEFAULT, MOST.model_dump()
    theirs: set[str] = set()
    for policy in policies.of("BuildProfile", place):
        body: BuildProfile = policy.body
        if policy.name not in theirs:
            theirs.add(policy.name)
            named[policy.name] = _resources(body)
            if body.default and default is DEFAULT:
                default = Profiles({"": _resources(body)}).resolve("")
        for name, most in _LIMITS.items():
            limit = getattr(body, most)
            if limit is not None and (limits[name] is None or limit < limits[name]):
                limits[name] = limit
    return Profiles(named, default, Resources.model_validate(limits))


def _resources(body: BuildProfile) -> Resources:
    given: dict[str, Any] = {name: getattr(body, name) for name in _FIELDS}
    given["node_selector"] = dict(body.node_selector)
    given["tolerations"] = [t.model_dump(by_alias=True, exclude_defaults=True) for t in body.tolerations]
    return Resources.model_validate(given)
