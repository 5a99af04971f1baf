"""Every name of the agent's that appears on objects in a cluster: annotations, labels, managers, inventories.

Manifests and scripts depend on these; renaming one is a breaking change.
"""

from __future__ import annotations

FIELD_MANAGER = "ghapp"
# Takes over fields that the agent lets go, so that letting go does not reset them to their defaults.
RELEASE_MANAGER = "ghapp-released"

LABEL_APP = "ghapp.dev/app"
LABEL_INVENTORY = "ghapp.dev/inventory"  # on an inventory's chunks: which environment's

PRUNE = "ghapp.dev/prune"  # keep | confirm
IMMUTABLE = "ghapp.dev/immutable"  # recreate
APPLY = "ghapp.dev/apply"  # once
IGNORE = "ghapp.dev/ignore"  # JSON pointers, comma-separated
WAVE = "ghapp.dev/wave"  # a whole number; lower goes first
SUSPEND = "ghapp.dev/suspend"  # "true" on an inventory: the agent stops, and never prunes
HEALTH = "ghapp.dev/health"  # a CEL expression over `object`
ADDRESS = "ghapp.dev/wait-for-address"  # "true" on an Ingress: healthy only with an address

INVENTORY_TYPE = "ghapp.dev/inventory"  # the type of the Secrets that hold an inventory


def environment_of(branch: str) -> str:
    """``env/prod`` → ``prod``; any other branch is an environment of its own name."""
    return branch.removeprefix("refs/heads/").removeprefix("env/")
