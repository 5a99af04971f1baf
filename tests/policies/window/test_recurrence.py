"""When windows are: each way to recur, the days of the clock change, and a naive reference."""
# ruff: noqa: E501, DTZ001 - tables; and wall-clock times have no zone

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.kinds import parse_policy
from policies.window.calendar import Calendar
from policies.yamltext import Problems

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def window(text):
    return parse_policy(f"kind: Window\ntype: blackout\n{text}", "w.yml").body


def calendar(text):
    return Calendar(window(text))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(text, after, before):
    return [f"{s.start:%m-%d %H:%M}–{s.end:%m-%d %H:%M}" for s in calendar(text).between(utc(after), utc(before))]


YEAR = ("2026-01-01", "2027-01-01")


@pytest.mark.parametrize(
    ("text", "period", "expected"),
    [
        ("once: {start: 2026-12-20 18:00, end: 2027-01-02 06:00}", YEAR, ["12-20 18:00–01-02 06:00"]),
        ("once: {start: 2026-12-24, end: 2026-12-27}", YEAR, ["12-24 00:00–12-27 00:00"]),
        ("once: {start: 2026-12-24, duration: 36h}", YEAR, ["12-24 00:00–12-25 12:00"]),
        ("once: {start: 2026-06-01T12:00Z, end: 2026-06-01T14:00+02:00}\ntimezone: Asia/Tokyo", YEAR, None),
        ("once: {start: 2026-06-01 10:00Z, end: 2026-06-01 14:00+02:00}", YEAR, ["06-01 10:00–06-01 12:00"]),
        ("daily: {from: 9:00, to: 17:00}", ("2026-03-02", "2026-03-04"), ["03-02 09:00–03-02 17:00", "03-03 09:00–03-03 17:00"]),
        ("daily: {from: 22:00, to: 06:00}", ("2026-03-02 12:00", "2026-03-03 12:00"), ["03-02 22:00–03-03 06:00"]),
        ("daily: {from: 22:00, duration: 30m}", ("2026-03-02", "2026-03-03"), ["03-02 22:00–03-02 22:30"]),
        ("weekly: {days: mon-wed, from: 09:00, to: 10:00}", ("2026-03-02", "2026-03-09"), ["03-02 09:00–03-02 10:00", "03-03 09:00–03-03 10:00", "03-04 09:00–03-04 10:00"]),
        ("weekly: {days: [sat, Sunday], from: 00:00, to: 24:00}", ("2026-03-02", "2026-03-09"), ["03-07 00:00–03-09 00:00"]),
        ("weekly: {days: fri-mon, from: 08:00, to: 09:00}", ("2026-03-06", "2026-03-11"), ["03-06 08:00–03-06 09:00", "03-07 08:00–03-07 09:00", "03-08 08:00–03-08 09:00", "03-09 08:00–03-09 09:00"]),
        ("weekly: {from: fri 18:00, to: mon 06:00}", ("2026-03-02", "2026-03-13"), ["02-27 18:00–03-02 06:00", "03-06 18:00–03-09 06:00"]),
        ("weekly: {from: sun 22:00, to: sun 02:00}", ("2026-03-03", "2026-03-07"), ["03-01 22:00–03-08 02:00"]),
        ("weekly: {from: thu 10:00, to: thu 12:00}", ("2026-03-02", "2026-03-09"), ["03-05 10:00–03-05 12:00"]),
        ("monthly: {day: last, from: 18:00, to: 20:00}", ("2026-01-01", "2026-04-01"), ["01-31 18:00–01-31 20:00", "02-28 18:00–02-28 20:00", "03-31 18:00–03-31 20:00"]),
        ("monthly: {day: 31, from: 18:00, to: 20:00}", ("2026-01-01", "2026-04-01"), ["01-31 18:00–01-31 20:00", "03-31 18:00–03-31 20:00"]),
        ("monthly: {day: [1, -2], from: 00:00, to: 01:00}", ("2026-02-01", "2026-03-01"), ["02-01 00:00–02-01 01:00", "02-27 00:00–02-27 01:00"]),
        ("monthly: {weekday: first mon, from: 09:00, to: 10:00}", ("2026-01-01", "2026-03-01"), ["01-05 09:00–01-05 10:00", "02-02 09:00–02-02 10:00"]),
        ("monthly: {weekday: last fri, from: 09:00, to: 10:00}", ("2026-01-01", "2026-03-01"), ["01-30 09:00–01-30 10:00", "02-27 09:00–02-27 10:00"]),
        ("monthly: {weekday: [2nd tue, fifth sat], from: 09:00, to: 10:00}", ("2026-01-01", "2026-02-01"), ["01-13 09:00–01-13 10:00", "01-31 09:00–01-31 10:00"]),
        ("monthly: {day: last, months: [mar, 6, Sep, dec], from: 00:00, duration: 1d}", YEAR, ["03-31 00:00–04-01 00:00", "06-30 00:00–07-01 00:00", "09-30 00:00–10-01 00:00", "12-31 00:00–01-01 00:00"]),
        ('cron: "0 18 * * fri"\nduration: 60h', ("2026-03-02", "2026-03-10"), ["02-27 18:00–03-02 06:00", "03-06 18:00–03-09 06:00"]),
        ('cron: "0 0 L * *"\nduration: 1d', ("2026-02-01", "2026-03-02"), ["02-28 00:00–03-01 00:00"]),
        ("rrule: FREQ=MONTHLY;BYDAY=2TU\nstart: 2026-01-13 20:00\nduration: 4h", ("2026-01-01", "2026-03-01"), ["01-13 20:00–01-14 00:00", "02-10 20:00–02-11 00:00"]),
        ("rrule: RRULE:FREQ=DAILY;COUNT=2\nstart: 2026-01-13 20:00\nduration: 1h", YEAR, ["01-13 20:00–01-13 21:00", "01-14 20:00–01-14 21:00"]),
        ("rrule: FREQ=DAILY;UNTIL=20260114T190000Z\ntimezone: Europe/Berlin\nstart: 2026-01-13 20:00\nduration: 1h", YEAR, ["01-13 19:00–01-13 20:00", "01-14 19:00–01-14 20:00"]),
        ("daily: {from: 12:00, to: 13:00}\nstarts: 2026-03-02 12:30\nends: 2026-03-03 12:30", YEAR, ["03-02 12:30–03-02 13:00", "03-03 12:00–03-03 12:30"]),
        ("daily: {from: 12:00, to: 13:00}\nexcept: [2026-03-03]", ("2026-03-02", "2026-03-05"), ["03-02 12:00–03-02 13:00", "03-04 12:00–03-04 13:00"]),
    ],
)  # fmt: skip
def test_each_way_to_recur(text, period, expected):
    if expected is None:
        with pytest.raises(Problems, match="not after"):
            window(text)
        return
    assert spans(text, *period) == expected


ICS = """ics: |
  BEGIN:VCALENDAR
  VERSION:2.0
  PRODID:test
  BEGIN:VEVENT
  UID:1
  SUMMARY:nights
  DTSTART;TZID=Europe/Berlin:20260320T020000
  DTEND;TZID=Europe/Berlin:20260320T030000
  RRULE:FREQ=DAILY;UNTIL=20260401T000000Z
  EXDATE;TZID=Europe/Berlin:20260327T020000
  END:VEVENT
  BEGIN:VEVENT
  UID:1
  RECURRENCE-ID;TZID=Europe/Berlin:20260330T020000
  SUMMARY:moved
  DTSTART;TZID=Europe/Berlin:20260330T120000
  DTEND;TZID=Europe/Berlin:20260330T130000
  END:VEVENT
  BEGIN:VEVENT
  UID:2
  SUMMARY:a whole day
  DTSTART;VALUE=DATE:20260501
  END:VEVENT
  BEGIN:VEVENT
  UID:3
  SUMMARY:no zone of its own
  DTSTART:20260601T230000
  DURATION:PT4H
  END:VEVENT
  BEGIN:VEVENT
  UID:4
  SUMMARY:called off
  STATUS:CANCELLED
  DTSTART;VALUE=DATE:20260701
  END:VEVENT
  END:VCALENDAR
timezone: America/New_York
"""


def test_an_ics_file_with_exceptions_moved_and_cancelled_events():
    assert spans(ICS, "2026-03-26", "2026-03-31") == [
        "03-26 01:00–03-26 02:00",
        "03-28 01:00–03-28 02:00",
        "03-29 01:00–03-29 02:00",  # 02:00 does not exist on this day: the window is moved on, not lost
        "03-30 10:00–03-30 11:00",
    ]
    assert spans(ICS, "2026-04-02", "2026-08-01") == ["05-01 04:00–05-02 04:00", "06-02 03:00–06-02 07:00"]


BERLIN = "timezone: Europe/Berlin\n"
# In Berlin the clock goes from 02:00 to 03:00 on 29 March 2026 (01:00 UTC) and from 03:00 to 02:00 on 25 October (01:00 UTC).


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("daily: {from: 02:00, to: 03:00}", "2026-03-29", "03-29 01:00–03-29 02:00"),
        ("daily: {from: 02:15, to: 02:45}", "2026-03-29", "03-29 01:15–03-29 01:45"),
        ("daily: {from: 01:00, to: 04:00}", "2026-03-29", "03-29 00:00–03-29 02:00"),
        ("daily: {from: 02:00, to: 06:00}", "2026-03-29", "03-29 01:00–03-29 04:00"),
        ("daily: {from: 01:00, to: 02:00}", "2026-03-29", "03-29 00:00–03-29 01:00"),
        ("weekly: {days: sun, from: 02:00, to: 03:00}", "2026-03-29", "03-29 01:00–03-29 02:00"),
        ("monthly: {day: 29, from: 02:00, to: 03:00}", "2026-03-29", "03-29 01:00–03-29 02:00"),
        ('cron: "0 2 * * *"\nduration: 1h', "2026-03-29", "03-29 01:00–03-29 02:00"),
        ("rrule: FREQ=DAILY\nstart: 2026-03-01 02:00\nduration: 1h", "2026-03-29", "03-29 01:00–03-29 02:00"),
        ("once: {start: 2026-03-29 02:00, end: 2026-03-29 03:00}", "2026-03-29", "03-29 01:00–03-29 02:00"),
        ("daily: {from: 02:00, to: 03:00}", "2026-10-25", "10-25 00:00–10-25 01:00"),
        ("daily: {from: 02:15, to: 02:45}", "2026-10-25", "10-25 00:15–10-25 00:45"),
        ("daily: {from: 22:00, to: 03:00}", "2026-10-25", "10-24 20:00–10-25 02:00"),
        ("daily: {from: 02:00, to: 06:00}", "2026-10-25", "10-25 00:00–10-25 05:00"),
        ("weekly: {days: sun, from: 02:00, to: 03:00}", "2026-10-25", "10-25 00:00–10-25 01:00"),
        ('cron: "0 2 * * *"\nduration: 1h', "2026-10-25", "10-25 00:00–10-25 01:00"),
        ("rrule: FREQ=DAILY\nstart: 2026-03-01 02:00\nduration: 1h", "2026-10-25", "10-25 00:00–10-25 01:00"),
        ("weekly: {from: fri 18:00, to: mon 06:00}", "2026-10-25", "10-23 16:00–10-26 05:00"),
        ("weekly: {from: fri 18:00, to: mon 06:00}", "2026-03-29", "03-27 17:00–03-30 04:00"),
    ],
)
def test_the_days_on_which_the_clock_is_changed(text, day, expected):
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    end = start + timedelta(days=1)
    found = calendar(f"{BERLIN}{text}").between(start.astimezone(UTC), end.astimezone(UTC))
    shown = [f"{s.start:%m-%d %H:%M}–{s.end:%m-%d %H:%M}" for s in found]
    # A window over midnight has its other half on the day; the one in question comes first.
    assert shown[0] == expected
    assert len(shown) <= 2


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu")


def naive(zone, first, last, from_, to, weekdays):
    """Minutes in UTC that are within: walks every minute of every occurrence's wall clock. Slow and obvious."""
    inside = set()
    day = first - timedelta(days=2)
    while day <= last + timedelta(days=2):
        if day.weekday() in weekdays:
            midnight = datetime(day.year, day.month, day.day)
            start, end = (
                midnight + timedelta(minutes=from_),
                midnight + timedelta(minutes=to if to > from_ else to + 1440),
            )
            shown = _minutes(zone, start, end)
            inside |= shown
        day += timedelta(days=1)
    return inside


def _minutes(zone, start, end):
    """Every minute in UTC from the one at which the clock first shows ``start`` until it shows ``end``."""
    begin = start.replace(tzinfo=zone).astimezone(UTC)
    twice = lambda t: t.replace(tzinfo=zone).utcoffset() > t.replace(tzinfo=zone, fold=1).utcoffset()  # noqa: E731
    if all(twice(start + timedelta(minutes=m)) for m in range(int((end - start).total_seconds() // 60))):
        length = (end - start).total_seconds() // 60
    else:
        length = (end.replace(tzinfo=zone).astimezone(UTC) - begin).total_seconds() // 60
        if length <= 0:
            length = (end - start).total_seconds() // 60
    return {begin + timedelta(minutes=m) for m in range(int(length))}


# Weeks with a change of the clock in one of the zones, and one without.
WEEKS = [
    date(2026, 3, 26),
    date(2026, 3, 6),
    date(2026, 10, 22),
    date(2026, 10, 30),
    date(2026, 4, 3),
    date(2026, 6, 1),
]


@settings(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.sampled_from(WEEKS),
    from_=st.integers(0, 1439),
    to=st.integers(0, 1439),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_weekly_windows_equal_a_minute_by_minute_reference(zone, first, from_, to, weekdays):
    named = ", ".join(DAYS[d] for d in sorted(weekdays))
    hours = f"from: {from_ // 60:02}:{from_ % 60:02}, to: {to // 60:02}:{to % 60:02}"
    found = calendar(f"timezone: {zone}\nweekly: {{days: [{named}], {hours}}}")
    last = first + timedelta(days=4)
    expected = naive(ZoneInfo(zone), first, last, from_, to, weekdays)
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC)
    while moment.date() <= last:
        assert (found.at(moment) is not None) == (moment in expected), moment
        moment += timedelta(minutes=7)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 10079), st.integers(0, 10079), st.integers(0, 40))
@example("UTC", 2882, 2881, 11)
def test_a_weekly_range_is_what_its_boundaries_say(zone, from_, to, week):
    if from_ == to:
        return
    say = lambda m: f"{DAYS[m // 1440]} {m % 1440 // 60:02}:{m % 60:02}"  # noqa: E731
    found = calendar(f"timezone: {zone}\nweekly: {{from: {say(from_)}, to: {say(to)}}}")
    monday = datetime(2026, 1, 5) + timedelta(weeks=week)
    start, end = monday + timedelta(minutes=from_), monday + timedelta(minutes=to + (10080 if to < from_ else 0))
    begin = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    close = end.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if end - start < timedelta(hours=3):
        return  # within an hour that is changed: the table above
    assert found.at(begin) is not None
    assert found.at(close - timedelta(seconds=1)) is not None
    assert found.at(close) is None or to == from_ % 10080


def test_a_window_that_never_closes_is_open_at_every_moment():
    always = calendar("timezone: Europe/Berlin\ndaily: {from: 00:00, to: 24:00}")
    moment = utc("2026-01-01")
    assert all(always.at(moment + timedelta(hours=5 * i)) for i in range(1800))
    assert always.end_after(moment, moment + timedelta(days=400)) >= moment + timedelta(days=400)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_remembered_is_what_is_expanded_anew(seed):
    texts = ["daily: {from: 20:00, to: 06:00}", "monthly: {day: last, from: 20:00, duration: 3d}", ICS]
    text, moment = texts[seed % 3], utc("2026-01-01") + timedelta(days=61 * seed, hours=3)
    one = calendar(text)
    list(one.between(moment - timedelta(days=400), moment + timedelta(days=400)))
    assert one.at(moment) == calendar(text).at(moment)
    horizon = moment + timedelta(days=90)
    assert one.start_after(moment, horizon) == calendar(text).start_after(moment, horizon)
