"""Argo CD and Flux in the agent's place: what they are given, so that they deploy environment branches and report back.

One file per engine, and the registry here. Writes text alone; talks to no cluster.
"""

from __future__ import annotations

from ghapp.agent.manifests import argocd, flux
from ghapp.agent.manifests.interface import Engine

ENGINES: dict[str, Engine] = {"argocd": argocd.resources, "flux": flux.resources}
