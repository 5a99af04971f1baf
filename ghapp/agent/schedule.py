"""Step 15, again: when the next pass is due, and how patient healing is. Pure, but for the moments it is told."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

HEAL_FIRST, HEAL_FACTOR, HEAL_MOST = 2.0, 3.0, 300.0
RETRY_FIRST, RETRY_FACTOR = 5.0, 2.0


def spread(interval: float, chance: float) -> float:
    """The interval ±5 %, so that many agents do not ask at once; ``chance`` is in [0, 1)."""
    return interval * (0.95 + 0.1 * chance)


def retry(failures: int, interval: float) -> float:
    """Seconds until the next pass after this many failed ones in a row: 5, 10, 20 … up to the interval."""
    return min(RETRY_FIRST * RETRY_FACTOR ** max(failures - 1, 0), max(interval, RETRY_FIRST))


@dataclass
class Patience:
    """How often the same member is healed: at once, then after 2 s, 6 s, 18 s … 300 s while it keeps drifting."""

    _last: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    def due(self, what: Hashable, now: float) -> float:
        """The moment from which it may be healed; at most ``now`` where that is at once."""
        healed, delay = self._last.get(what, (0.0, 0.0))
        return healed + delay

    def healed(self, what: Hashable, now: float) -> None:
        """It was healed. One that was quiet for twice the longest wait is as good as new."""
        healed, delay = self._last.get(what, (0.0, 0.0))
        quiet = not delay or now - healed > 2 * HEAL_MOST
        self._last[what] = (now, HEAL_FIRST if quiet else min(delay * HEAL_FACTOR, HEAL_MOST))
