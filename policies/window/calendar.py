"""When one window is: expanded a stretch at a time and remembered, so that asking again costs a lookup.

What is remembered depends on the window's text alone, so remembering changes no answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from policies.window.clock import Span, resolve
from policies.window.model import Window

# How far ahead an opening or a closing is looked for.
HORIZON = timedelta(days=2 * 366)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED = 512  # stretches of one window; a few years even of the finest


class Calendar:
    """The spans of one window, disjoint and in order."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._stride = window.recurrence.stride
        self._starts = resolve(window.starts, window.zone) if window.starts else None
        self._ends = resolve(window.ends, window.zone) if window.ends else None
        self._stretches: dict[int, tuple[Span, ...]] = {}

    def at(self, moment: datetime) -> Span | None:
        """The span that contains ``moment``; one without a pause ends, here, somewhere in the next stretch."""
        spans = self._stretch((moment - _EPOCH) // self._stride)
        i = bisect_right(spans, moment, key=lambda s: s.start) - 1
        return spans[i] if i >= 0 and spans[i].end > moment else None

    def end_after(self, moment: datetime, horizon: datetime) -> datetime:
        """When the window, open at ``moment``, really closes; not looked for beyond ``horizon``."""
        end = moment
        while end < horizon and (found := self.at(end)):
            end = found.end
        return end

    def start_after(self, moment: datetime, horizon: datetime) -> datetime | None:
        """The first beginning later than ``moment`` and not later than ``horizon``."""
        for span in self.between(moment, horizon):
            if span.start > moment:
                return span.start
        return None

    def between(self, after: datetime, before: datetime) -> Iterable[Span]:
        """Every span that overlaps [``after``, ``before``), in order; one that crosses stretches comes once."""
        last: Span | None = None
        for index in range((after - _EPOCH) // self._stride, (before - _EPOCH) // self._stride + 1):
            for span in self._stretch(index):
                if last and span.start <= last.end:
                    last = Span(last.start, max(last.end, span.end))
                    continue
                if last and last.end > after and last.start < before:
                    yield last
                last = span
        if last and last.end > after and last.start < before:
            yield last

    def _stretch(self, index: int) -> tuple[Span, ...]:
        found = self._stretches.get(index)
        if found is None:
            if len(self._stretches) >= _REMEMBERED:
                self._stretches.clear()
            found = self._stretches[index] = self._expand(_EPOCH + index * self._stride)
        return found

    def _expand(self, start: datetime) -> tuple[Span, ...]:
        end = start + self._stride
        merged: list[Span] = []
        for span in sorted(self._clipped(self._window.recurrence.spans(self._window.zone, start, end))):
            if span.end <= start or span.start >= end:
                continue
            if merged and span.start <= merged[-1].end:
                merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
            else:
                merged.append(span)
        return tuple(merged)

    def _clipped(self, spans: Iterable[Span]) -> Iterable[Span]:
        zone, left_out = self._window.zone, self._window.except_
        for span in spans:
            if left_out and span.start.astimezone(zone).date() in left_out:
                continue
            start = max(span.start, self._starts) if self._starts else span.start
            end = min(span.end, self._ends) if self._ends else span.end
            if start < end:
                yield Span(start, end)


@lru_cache(maxsize=4096)
def calendar_of(window: Window) -> Calendar:
    """The calendar of a window; windows that say the same share one."""
    return Calendar(window)
