"""The fault switches, clock and logs of a forge as calls with plain values, for a forge in another process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ghapp.sandbox.forge.model import State
from ghapp.sandbox.forge.serialize.apps import delivery_item
from ghapp.sandbox.forge.web.application import RequestLog
from ghapp.sandbox.forge.web.faults import Faults
from ghapp.sandbox.forge.web.ratelimit import RateLimits

_NUMBERS = ("latency", "error_rate", "lose", "double", "reorder", "lose_rate", "double_rate", "reorder_rate")


def calls(
    state: State,
    faults: Faults,
    limits: RateLimits,
    log: RequestLog,
    pause: Callable[[], None],
    resume: Callable[[], None],
) -> dict[str, Callable[..., Any]]:
    """Every call by name; arguments and answers are JSON."""

    def set_webhook(app: str, url: str | None, secret: str | None = None) -> Any:
        found = state.app(app)
        if found is None:
            raise KeyError(f"the forge has no app {app}")
        found.webhook_url = url
        found.webhook_secret = secret if secret is not None else found.webhook_secret
        return found

    def set_faults(**values: float) -> dict[str, float]:
        for name, value in values.items():
            if name not in _NUMBERS:
                raise ValueError(f"no such fault: {name}; there are {', '.join(_NUMBERS)}")
            setattr(faults, name, value)
        return {name: getattr(faults, name) for name in _NUMBERS}

    def clear_faults() -> dict[str, float]:
        faults.clear()
        limits.restore()
        return set_faults()

    def away(seconds: float) -> dict[str, float]:
        # Over HTTP nobody could ask for it to come back, so it does by itself.
        threading.Timer(0.05, pause).start()
        threading.Timer(0.05 + seconds, resume).start()
        return {"seconds": seconds}

    def requests(reset: bool = False) -> list[dict[str, Any]]:
        found = [asdict(record) for record in log.records]
        if reset:
            log.reset()
        return found

    def deliveries() -> list[dict[str, Any]]:
        return [delivery_item(delivery) for delivery in list(state.deliveries)]

    return {
        "clear_faults": clear_faults,
        "deliveries": deliveries,
        "exhaust_rate_limit": limits.exhaust,
        "fail_next": faults.fail_next,
        "pause": away,
        "requests": requests,
        "secondary_limit_next": faults.secondary_limit_next,
        "set_faults": set_faults,
        "set_webhook": set_webhook,
    }
