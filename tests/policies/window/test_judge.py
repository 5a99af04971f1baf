"""May it go now: precedence, exemptions, what the sentence says and when the answer changes."""
# ruff: noqa: E501, DTZ001 - sentences are golden; hypothesis adds the zone

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.kinds import parse_policies
from policies.policy import Origin
from policies.scope import Place
from policies.window import Asked, evaluate, to_ics, upcoming

PROD = Place("acme/guestbook", "guestbook", "prod")


def windows(text, origin=Origin.REPOSITORY):
    found = parse_policies(text, "windows.yml", origin=origin)
    assert not found.broken, found.broken
    return found.of("Window")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def judged(text, now, **asked):
    return evaluate(windows(text), Asked(place=asked.pop("place", PROD), **asked), utc(now))


YEAR_END = """
kind: Window
name: year end
type: blackout
timezone: Europe/Berlin
once: {start: 2026-12-20 18:00, end: 2027-01-02 06:00}
"""
NIGHTS = """
kind: Window
name: nights
type: maintenance
timezone: Europe/Berlin
daily: {from: 22:00, to: 06:00}
"""
FOREVER = "kind: Window\nname: freeze\ntype: blackout\nonce: {start: 2026-01-01, end: 2099-01-01}\n"


@pytest.mark.parametrize(
    ("text", "now", "state", "sentence", "until"),
    [
        ("", "2026-12-25", "pass", "no window applies here", None),
        (YEAR_END, "2026-12-25", "pending", "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC); merges by itself then", "2027-01-02 05:00"),
        (YEAR_END, "2026-12-20 16:59:59", "pass", "outside every blackout; blackout 'year end' begins 20 Dec 2026 18:00 Europe/Berlin (17:00 UTC)", "2026-12-20 17:00"),
        (YEAR_END, "2026-12-20 17:00", "pending", "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC); merges by itself then", "2027-01-02 05:00"),
        (YEAR_END, "2027-01-02 04:59:59", "pending", "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC); merges by itself then", "2027-01-02 05:00"),
        (YEAR_END, "2027-01-02 05:00", "pass", "outside every blackout", None),
        (NIGHTS, "2026-11-20 12:00", "pending", "outside the maintenance window 'nights', which opens 20 Nov 2026 22:00 Europe/Berlin (21:00 UTC); merges by itself then", "2026-11-20 21:00"),
        (NIGHTS, "2026-11-20 21:00", "pass", "inside the maintenance window 'nights' until 21 Nov 2026 06:00 Europe/Berlin (05:00 UTC)", "2026-11-21 05:00"),
        (NIGHTS, "2026-11-21 05:00", "pending", "outside the maintenance window 'nights', which opens 21 Nov 2026 22:00 Europe/Berlin (21:00 UTC); merges by itself then", "2026-11-21 21:00"),
        (f"{NIGHTS}---{YEAR_END}", "2026-12-24 23:00", "pending", "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC); the next opening is 2 Jan 2027 22:00 Europe/Berlin (21:00 UTC), and it merges by itself then", "2027-01-02 21:00"),
        (f"{NIGHTS}---{YEAR_END}", "2026-12-20 05:30", "pending", "outside the maintenance window 'nights', which opens 2 Jan 2027 22:00 Europe/Berlin (21:00 UTC); merges by itself then", "2027-01-02 21:00"),
        (FOREVER, "2026-12-25", "pending", "blackout 'freeze' has no end within two years; change the window, or ask someone it exempts", None),
        (f"{NIGHTS}ends: 2026-11-01\n", "2026-12-01", "pending", "outside every maintenance window ('nights'), and none opens within two years", None),
        (f"{NIGHTS}ends: 2027-01-01\n---{YEAR_END}", "2026-12-25", "pending", "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC), and nothing opens after it within two years", None),
        ("kind: Window\nname: a\ntype: blackout\nmessage: nobody is here\ntimezone: Asia/Tokyo\ndaily: {from: 01:00, to: 03:00}", "2026-11-20 17:00", "pending", "blackout 'a' (nobody is here) until 21 Nov 2026 03:00 Asia/Tokyo (20 Nov 2026 18:00 UTC); merges by itself then", "2026-11-20 18:00"),
        ("kind: Window\nname: a\ntype: blackout\ndaily: {from: 01:00, to: 03:00}", "2026-11-20 02:00", "pending", "blackout 'a' until 20 Nov 2026 03:00 UTC; merges by itself then", "2026-11-20 03:00"),
        # Two blackouts that touch: the first one's end is no opening.
        ("kind: Window\nname: a\ntype: blackout\ndaily: {from: 01:00, to: 03:00}\n---\nkind: Window\nname: b\ntype: blackout\ndaily: {from: 03:00, to: 04:00}", "2026-11-20 02:00", "pending", "blackout 'a' until 20 Nov 2026 03:00 UTC; the next opening is 20 Nov 2026 04:00 UTC, and it merges by itself then", "2026-11-20 04:00"),
    ],
)  # fmt: skip
def test_verdicts(text, now, state, sentence, until):
    verdict = judged(text, now) if text else evaluate((), Asked(place=PROD), utc(now))
    assert (verdict.state, verdict.sentence) == (state, sentence)
    assert verdict.until == (utc(until) if until else None)


def test_one_who_merges_by_hand_is_not_told_that_it_merges_by_itself():
    assert judged(YEAR_END, "2026-12-25", automatic=False).sentence.endswith("; may be merged from then on")


@pytest.mark.parametrize(
    ("exempt", "asked", "passes"),
    [
        ("{users: [alice]}", {"requested_by": "alice"}, True),
        ("{users: [alice]}", {"requested_by": "ALICE"}, True),
        ("{users: [alice]}", {"requested_by": "bob"}, False),
        ("{users: [alice]}", {"requested_by": None}, False),
        ("{teams: [acme/sre]}", {"requested_by": "bob", "team_members": {"acme/sre": frozenset({"bob"})}}, True),
        ("{teams: [acme/sre]}", {"requested_by": "bob", "team_members": {"acme/sre": frozenset()}}, False),
        ("{teams: [acme/sre]}", {"requested_by": "bob"}, False),  # a team that could not be read exempts nobody
        ("{permissions: [admin]}", {"requested_by": "bob", "permissions": {"bob": "admin"}}, True),
        ("{permissions: [admin]}", {"requested_by": "bob", "permissions": {"bob": "maintain"}}, False),
        ("{kinds: [rollback]}", {"kind": "rollback"}, True),
        ("{kinds: [rollback]}", {"kind": "hotfix"}, False),
        ("{kinds: [hotfix]}", {"kind": "hotfix"}, True),
        ("{}", {"kind": "rollback"}, False),
    ],
)
def test_exemptions(exempt, asked, passes):
    for text in (YEAR_END, NIGHTS):
        assert judged(f"{text}exempt: {exempt}\n", "2026-12-25 12:00", **asked).passed is passes


def test_who_is_exempt_from_one_maintenance_window_may_still_use_it_and_is_bound_by_the_other():
    other = NIGHTS.replace("nights", "noon").replace("22:00, to: 06:00", "12:00, to: 13:00")
    text = f"{NIGHTS}exempt: {{users: [alice]}}\n---{other}"
    assert judged(text, "2026-11-20 22:00", requested_by="alice").passed
    assert judged(text, "2026-11-20 11:30", requested_by="alice").passed
    assert not judged(text, "2026-11-20 15:00", requested_by="alice").passed


def test_an_exempt_person_is_told_why():
    verdict = judged(f"{YEAR_END}exempt: {{users: [alice]}}\n", "2026-12-25", requested_by="alice")
    assert verdict.sentence == "blackout 'year end' does not bind: alice may pass"


@pytest.mark.parametrize(
    ("scope", "place", "applies"),
    [
        ("{environments: [prod]}", PROD, True),
        ("{environments: [prod-*]}", PROD, False),
        ("{environments: ['*', '!prod']}", PROD, False),
        ("{repositories: [acme/*]}", PROD, True),
        ("{repositories: [ACME/GuestBook]}", PROD, True),
        ("{repositories: [guestbook]}", PROD, True),
        ("{repositories: [other/*]}", PROD, False),
        ("{apps: [guestbook], environments: [prod]}", PROD, True),
        ("{apps: [shop]}", PROD, False),
        ("{branches: [main]}", PROD, False),
        ("{environments: [prod]}", Place("acme/guestbook"), False),
    ],
)
def test_scope(scope, place, applies):
    assert judged(f"{YEAR_END}scope: {scope}\n", "2026-12-25", place=place).passed is not applies


def test_a_repository_s_maintenance_window_opens_nothing_that_the_organisation_s_keeps_shut():
    theirs = windows(NIGHTS, Origin.ORGANISATION)
    ours = windows(NIGHTS.replace("22:00, to: 06:00", "12:00, to: 23:00"))
    at = lambda t: evaluate((*theirs, *ours), Asked(place=PROD), utc(t))  # noqa: E731
    assert not at("2026-11-20 14:00").passed
    assert at("2026-11-20 14:00").until == utc("2026-11-20 21:00")
    assert at("2026-11-20 21:30").passed
    assert at("2026-11-20 21:30").until == utc("2026-11-20 22:00")
    assert not at("2026-11-20 23:30").passed


def test_details_list_every_window_and_escape_what_people_wrote():
    verdict = judged(YEAR_END.replace("year end", "'**x** @everyone'"), "2026-12-25")
    assert "\\*\\*x\\*\\*" in verdict.details
    assert "@everyone" not in verdict.details
    assert "windows.yml:2" in verdict.details


TEXTS = [
    YEAR_END,
    NIGHTS,
    "kind: Window\nname: a\ntype: blackout\nweekly: {from: fri 18:00, to: mon 06:00}\n",
    "kind: Window\nname: b\ntype: maintenance\ntimezone: America/New_York\nweekly: {days: mon-fri, from: 09:00, to: 17:00}\n",
    "kind: Window\nname: c\ntype: blackout\nmonthly: {day: last, from: 00:00, duration: 2d}\n",
    'kind: Window\nname: d\ntype: blackout\ncron: "0 */6 * * *"\nduration: 90m\n',
]


@settings(max_examples=80, deadline=None)
@given(
    chosen=st.sets(st.sampled_from(range(len(TEXTS))), min_size=1),
    moment=st.datetimes(datetime(2026, 10, 20), datetime(2027, 4, 5), timezones=st.just(UTC)),
)  # fmt: skip
def test_until_is_when_the_answer_changes_and_not_before(chosen, moment):
    found = windows("\n---\n".join(TEXTS[i] for i in sorted(chosen)))
    asked = Asked(place=PROD)
    verdict = evaluate(found, asked, moment)
    if verdict.until is None:
        assert chosen <= {0}
        return
    assert verdict.until > moment
    assert evaluate(found, asked, verdict.until).passed is not verdict.passed
    step = (verdict.until - moment) / 7
    assert all(evaluate(found, asked, moment + step * i).passed is verdict.passed for i in range(7))
    assert evaluate(found, asked, verdict.until - timedelta(seconds=1)).passed is verdict.passed


def test_upcoming_in_order_and_as_a_calendar():
    found = upcoming(windows(f"{YEAR_END}---{NIGHTS}"), utc("2026-12-19 12:00"), timedelta(days=2))
    assert [(o.policy.name, f"{o.span.start:%d %H:%M}") for o in found] == [
        ("nights", "19 21:00"),
        ("year end", "20 17:00"),
        ("nights", "20 21:00"),
    ]
    text = to_ics(found, now=utc("2026-12-19"))
    assert text.count("BEGIN:VEVENT") == 3
    assert "SUMMARY:blackout: year end" in text
    assert "DTSTART:20261220T170000Z" in text
    again = "kind: Window\ntype: blackout\nics: |\n" + "".join(f"  {line}\n" for line in text.splitlines())
    assert not judged(again, "2026-12-25").passed  # what is written can be read


def test_the_text_of_a_calendar_beside_the_policy():
    text = to_ics(upcoming(windows(YEAR_END), utc("2026-12-19"), timedelta(days=30)), now=utc("2026-12-19"))
    found = parse_policies(
        "kind: Window\ntype: blackout\nics: year.ics", "policies/w.yml", files={"policies/year.ics": text}
    )
    assert not evaluate(found.of("Window"), Asked(place=PROD), utc("2026-12-25")).passed
