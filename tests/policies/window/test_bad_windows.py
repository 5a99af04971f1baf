"""Windows that cannot be meant as they are written: refused with file, line, field and fix."""
# ruff: noqa: E501 - a table

import pytest

from policies.kinds import parse_policy
from policies.yamltext import Problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "w.yml:1: the file holds no policy — write one, or remove the file"),
        ("kind: Window", "`type`: is missing — add it"),
        ("kind: Window\ntype: freeze\ndaily: {from: 1:00, to: 2:00}", "w.yml:2: `type`: not a value that is known — write one of 'blackout' or 'maintenance'"),
        ("kind: Window\ntype: blackout", "a window has exactly one of once, daily, weekly, monthly, cron, rrule, ics; none is given"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\ncron: 0 1 * * *\nduration: 1h", "daily and cron are given"),
        ("kind: Window\ntype: blackout\ndaily: {from: 25:00, to: 2:00}", "w.yml:3: `daily.from`: '25:00' is not a time of day — write it like 09:00"),
        ("kind: Window\ntype: blackout\ndaily: {from: 24:30, to: 2:00}", "'24:30' is not a time of day"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00}", "exactly one of `to` and `duration`"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00, until: 3:00}", "w.yml:3: `daily.until`: unknown key"),
        ("kind: Window\ntype: blackout\ndaily: 9-17", "`daily`: must be a map"),
        ("kind: Window\ntype: blackout\nweekly: {days: [funday], from: 1:00, to: 2:00}", "'funday' is not a weekday — write one of mon, tue"),
        ("kind: Window\ntype: blackout\nweekly: {days: [], from: 1:00, to: 2:00}", "no weekday is named"),
        ("kind: Window\ntype: blackout\nweekly: {from: fri 18:00, to: fri 18:00}", "the same moment of the week"),
        ("kind: Window\ntype: blackout\nweekly: {from: friday, to: mon 06:00}", "'friday' is not a weekday and a time — write it like fri 18:00"),
        ("kind: Window\ntype: blackout\nmonthly: {from: 1:00, to: 2:00}", "exactly one of `day` and `weekday`"),
        ("kind: Window\ntype: blackout\nmonthly: {day: 32, from: 1:00, to: 2:00}", "'32' is not a day of a month"),
        ("kind: Window\ntype: blackout\nmonthly: {day: 30, months: feb, from: 1:00, to: 2:00}", "this window would never be"),
        ("kind: Window\ntype: blackout\nmonthly: {weekday: sixth mon, from: 1:00, to: 2:00}", "'sixth mon' is not a weekday of a month"),
        ("kind: Window\ntype: blackout\nmonthly: {day: 1, months: [smarch], from: 1:00, to: 2:00}", "'smarch' is not a month"),
        ("kind: Window\ntype: blackout\nonce: {start: 2027-01-02, end: 2026-12-20}", "`end` is not after `start`"),
        ("kind: Window\ntype: blackout\nonce: {start: 2026-02-30, end: 2026-12-20}", "w.yml:3: `once.start`: '2026-02-30' is not a date and time — write it like 2027-01-02 06:00"),
        ("kind: Window\ntype: blackout\nonce: {start: 0001-01-01, end: 9999-12-20}", "'0001-01-01' is not a date and time"),
        ("kind: Window\ntype: blackout\nonce: {start: 20260102, end: 2026-12-20}", "'20260102' is not a date and time"),
        ("kind: Window\ntype: blackout\ntimezone: Europe/Atlantis\ndaily: {from: 1:00, to: 2:00}", "w.yml:3: `timezone`: 'Europe/Atlantis' is not a time zone — write an IANA name such as Europe/Berlin"),
        ("kind: Window\ntype: blackout\ntimezone: ../../etc/passwd\ndaily: {from: 1:00, to: 2:00}", "is not a time zone"),
        ('kind: Window\ntype: blackout\ncron: "0 18 * *"\nduration: 1h', "w.yml:3: `cron`: not a cron expression of five fields"),
        ('kind: Window\ntype: blackout\ncron: "0 0 30 2 *"\nduration: 1h', "not a cron expression: bad day-of-month"),
        ('kind: Window\ntype: blackout\ncron: "* * * * *"\nduration: 1h', "fires more than 96 times a day"),
        ('kind: Window\ntype: blackout\ncron: "0 18 * * fri"', "`cron` needs `duration`"),
        ('kind: Window\ntype: blackout\ncron: "0 18 * * fri"\nduration: 0', "between one minute and 366 days"),
        ('kind: Window\ntype: blackout\ncron: "0 18 * * fri"\nduration: soon', "w.yml:4: `duration`: 'soon' is not a duration; write it like 90s"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\nduration: 1h", "`duration` stands within `daily`"),
        ("kind: Window\ntype: blackout\nrrule: FREQ=DAILY\nduration: 1h", "`start` and `rrule` go together"),
        ("kind: Window\ntype: blackout\nrrule: FREQ=SECONDLY\nstart: 2026-01-01\nduration: 1h", "happens more than 96 times a day"),
        ("kind: Window\ntype: blackout\nrrule: FREQ=HOURLY;BYMINUTE=0,1,2,3,4,5,6\nstart: 2026-01-01\nduration: 1h", "happens more than 96 times a day"),
        ("kind: Window\ntype: blackout\nrrule: every day\nstart: 2026-01-01\nduration: 1h", "an RRULE begins with FREQ="),
        ("kind: Window\ntype: blackout\nrrule: FREQ=FORTNIGHTLY\nstart: 2026-01-01\nduration: 1h", "not an RRULE"),
        ("kind: Window\ntype: blackout\nrrule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nstart: 2026-01-01\nduration: 1h", "this RRULE never happens"),
        ("kind: Window\ntype: blackout\nrrule: FREQ=DAILY;UNTIL=20250101T000000Z\nstart: 2026-01-01\nduration: 1h", "this RRULE never happens"),
        ("kind: Window\ntype: blackout\nics: year.ics", "there is no calendar 'year.ics' beside this file"),
        ('kind: Window\ntype: blackout\nics: "BEGIN:VCALENDAR\\nEND:VCALENDAR"', "the calendar has no events"),
        ('kind: Window\ntype: blackout\nics: "BEGIN:VCALENDAR\\nBEGIN:VEVENT"', "not a calendar"),
        ('kind: Window\ntype: blackout\nics: "BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nSUMMARY:x\\nDTSTART:20260101T000000\\nRRULE:FREQ=SECONDLY\\nEND:VEVENT\\nEND:VCALENDAR"', "the event 'x' cannot be used: happens more than"),
        ('kind: Window\ntype: blackout\nics: "BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nSUMMARY:x\\nEND:VEVENT\\nEND:VCALENDAR"', "the event 'x' cannot be used"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\nstarts: 2027-01-01\nends: 2026-01-01", "`ends` is not after `starts`"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\nexempt: {kinds: [promotion]}", "`exempt.kinds[0]`: not a value that is known — write one of 'rollback' or 'hotfix'"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\nscope: {environment: [prod]}", "w.yml:4: `scope.environment`: unknown key — did you mean `environments`?"),
        ("kind: Window\ntype: blackout\ndaily: {from: 1:00, to: 2:00}\nscope: {environments: prod}", "`scope.environments`: must be a list"),
        ("kind: window\ntype: blackout", "w.yml:1: `kind`: 'window' is not a kind of policy — did you mean `Window`?"),
        ("type: blackout", "`kind` is missing"),
        ("- kind: Window", "a policy is a map of keys to values"),
        ("kind: Window\nkind: Window", "the key 'kind' is written twice"),
        ("kind: Window\nname: [a]\ntype: blackout\ndaily: {from: 1:00, to: 2:00}", "w.yml:2: `name`: must be text"),
        ("kind: [unclosed", "not YAML"),
        ("a: " + "[" * 100 + "]" * 100, "nested more than 50 levels deep"),
        ("a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]", "once aliases are expanded"),
        ("x" * 1_100_000, "larger than 1000000 bytes"),
    ],
)  # fmt: skip
def test_refused_with_its_line_and_fix(text, said):
    with pytest.raises(Problems) as e:
        parse_policy(text, "w.yml")
    assert said in str(e.value), str(e.value)
    assert all(str(p).startswith("w.yml") for p in e.value.problems)


def test_every_problem_of_a_file_is_told_at_once():
    with pytest.raises(Problems) as e:
        parse_policy("kind: Window\ntype: x\ntimezone: y\ndaily: {from: 1, to: 2:00}\nfoo: 1", "w.yml")
    assert [p.line for p in e.value.problems] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=6",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    ],
)
def test_a_rule_that_never_happens_is_refused(rule):
    with pytest.raises(Problems, match="never happens"):
        parse_policy(f"kind: Window\ntype: blackout\nrrule: {rule}\nstart: 2026-01-05\nduration: 1h", "w.yml")
