"""Addresses of runs' pages, which carry the right to read them: whoever can see a check run can follow its link.

The key in an address is derived from the App's own private key and the run's id. It opens that one run, for reading.
"""

from __future__ import annotations

import hashlib
import hmac

from ghapp.settings import Settings


def run_url(settings: Settings, run: str) -> str:
    """The address of a run's page; ``""`` where the server has no public one."""
    return f"{settings.public_url}/runs/{run}?key={run_key(settings, run)}" if settings.public_url else ""


def run_key(settings: Settings, run: str) -> str:
    secret = settings.private_key or settings.signing_key
    if secret is None:
        return ""
    root = hashlib.sha256(b"ghapp run links\0" + secret.get_secret_value().strip().encode()).digest()
    return hmac.new(root, run.encode(), hashlib.sha256).hexdigest()[:40]


def opens(settings: Settings, run: str, key: str) -> bool:
    """Whether ``key`` is the one of ``run``; compared in constant time."""
    right = run_key(settings, run)
    return bool(right) and hmac.compare_digest(right.encode(), key.encode("utf-8", "replace"))
