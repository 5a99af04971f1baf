"""Where environment branches were last seen, so that an agent that waits for a merge hears of it within a second.

A hint for agents, which ask git before they believe it; it expires, and losing it costs one call.
"""

from __future__ import annotations

from redis import Redis

from jobs.connect import text

_SECONDS = 600


def moved(redis: Redis, full_name: str, branch: str, sha: str) -> None:
    redis.set(_key(full_name, branch), sha, ex=_SECONDS)


def seen(redis: Redis, full_name: str, branch: str) -> str | None:
    """The SHA that a branch was last seen at; ``None`` when that is not known."""
    sha = redis.get(_key(full_name, branch))
    return text(sha) if sha is not None else None


def _key(full_name: str, branch: str) -> str:
    return f"ghapp:branch:{full_name.lower()}:{branch}"
