"""How long "may it go now?" takes over twenty calendars, the first time and later, and how long 10,000 policies take.

The calendars are a mixture: blackouts and maintenance windows of every sort, six of them iCalendar texts of 60 events.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from policies.kinds import parse_policies
from policies.policy import Origin, PolicySet
from policies.scope import Place
from policies.window import Asked, evaluate
from policies.window.calendar import calendar_of

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
RECURRENCES = [
    "daily: {from: 02:00, to: 04:00}",
    "weekly: {from: fri 18:00, to: mon 06:00}",
    "weekly: {days: mon-fri, from: 11:00, to: 12:00}",
    "monthly: {day: last, from: 20:00, duration: 6h}",
    'cron: "30 5 * * tue"\nduration: 2h',
    "rrule: FREQ=MONTHLY;BYDAY=2TU\nstart: 2020-01-14 20:00\nduration: 4h",
    "once: {start: 2026-12-20 18:00, end: 2027-01-02 06:00}",
]


def ics(n: int) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:bench"]
    for i in range(60):
        day = f"2026{i % 12 + 1:02}{i % 28 + 1:02}"
        lines += ["BEGIN:VEVENT", f"UID:{n}-{i}", f"DTSTART;TZID=Europe/Berlin:{day}T0{i % 9}0000", "DURATION:PT1H"]
        lines += ["RRULE:FREQ=WEEKLY;COUNT=30"] if i % 10 == 0 else []
        lines += ["END:VEVENT"]
    text = "".join(f"  {line}\n" for line in [*lines, "END:VCALENDAR"])
    return f"ics: |\n{text}"


def twenty() -> str:
    texts = [RECURRENCES[i % len(RECURRENCES)] if i < 14 else ics(i) for i in range(20)]
    zone = ("Europe/Berlin", "America/New_York", "UTC")
    return "\n---\n".join(
        f"kind: Window\nname: window {i}\ntype: blackout\ntimezone: {zone[i % 3]}\n{text}"
        for i, text in enumerate(texts)
    )


def milliseconds(work: object, times: int) -> list[float]:
    found = []
    for i in range(times):
        started = time.perf_counter()
        work(i)  # type: ignore[operator]
        found.append((time.perf_counter() - started) * 1000)
    return found


def read(text: str) -> PolicySet:
    found = parse_policies(text, "windows.yml", origin=Origin.REPOSITORY)
    assert not found.broken, found.broken
    return found


def main() -> None:
    text = twenty()
    windows = read(text).of("Window")
    asked = Asked(place=Place("acme/guestbook", "guestbook", "prod"))
    first = milliseconds(lambda _: evaluate(windows, asked, NOW), 1)[0]
    warm = milliseconds(lambda i: evaluate(windows, asked, NOW + timedelta(minutes=37 * i)), 2000)
    calendar_of.cache_clear()
    anew = milliseconds(lambda i: (calendar_of.cache_clear(), evaluate(windows, asked, NOW + timedelta(days=i))), 5)
    print(f"twenty calendars, first question            {first:8.2f} ms")
    print(f"twenty calendars, nothing remembered        {statistics.median(anew):8.2f} ms")
    print(f"twenty calendars, later questions, median   {statistics.median(warm):8.3f} ms")
    print(f"twenty calendars, later questions, p99      {sorted(warm)[1979]:8.3f} ms   (wanted: under 5)")

    one = "\n---\n".join(
        [
            "kind: Window\nname: w{n}\ntype: blackout\n" + RECURRENCES[1],
            "kind: Vulnerability\nname: v{n}\nblock: [critical, {{severity: high, fixable: true}}]",
            "kind: RequiredPlugins\nname: r{n}\nplugins: [{{plugin: gitleaks, version: '>=8'}}]",
            "kind: Promotion\nname: p{n}\nfilter: {{pass: \"image.tag.startsWith('v{n}')\"}}",
        ]
    ).replace("weekly: {from: fri 18:00, to: mon 06:00}", "weekly: {{from: fri 18:00, to: mon 06:00}}")
    texts = [one.format(n=n) for n in range(2500)]
    started = time.perf_counter()
    count = sum(len(read(t).policies) for t in texts)
    print(f"{count} policies validated                   {time.perf_counter() - started:8.2f} s    (wanted: under 30)")


if __name__ == "__main__":
    main()
