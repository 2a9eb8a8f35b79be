from datetime import UTC, date, datetime, time

import pytest

from dom_core.domain.network import Source, Weekday, WorkingCalendar
from dom_core.domain.reason import Reason, Verdict
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, reasons, the_rule

RULE = the_rule("working_hours")
FIVE = time(17, 0)
WORKDAYS = WorkingCalendar(
    weekdays=tuple(Weekday)[:5], closed_dates=(date(2026, 3, 4),), extra_dates=(date(2026, 3, 7),)
)


def asked_at(now: datetime, *sources: Source) -> RequestBuilder:
    return a_request().with_sources(*sources).with_orders(an_order().with_line("P")).at(now)


def closed(limit: str, actual: str) -> Reason:
    return Reason(Verdict.EXCLUDED, "working_hours", "working_hours", limit, actual)


def the_reason_at(now: datetime, source: Source) -> Reason | None:
    """The reason of the only pair, on which the check of a finished plan must agree."""
    builder = asked_at(now, source)
    reason = reasons(RULE, builder.batch()).get((0, 0))
    violated = broken(RULE, builder.build(), {("O1", "1"): (from_source(source.id),)})
    assert violated == ([("O1", "1", source.id)] if reason else [])
    return reason


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (time(16, 59, 59), None),
        (time(17, 0), closed("17:00", "2026-03-02 17:00")),
        (time(17, 5), closed("17:00", "2026-03-02 17:05")),
    ],
)
def test_a_source_is_closed_from_its_cut_off_on(clock: time, expected: Reason | None) -> None:
    now = datetime.combine(date(2026, 3, 2), clock, UTC)
    assert the_reason_at(now, a_source(cut_off=FIVE)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (2, None),
        (4, closed("working day", "2026-03-04 12:00")),
        (6, None),
        (7, None),
        (8, closed("working day", "2026-03-08 12:00")),
    ],
)
def test_a_source_works_on_its_weekdays_less_closed_dates_plus_extra_dates(day: int, expected: Reason | None) -> None:
    now = datetime(2026, 3, day, 12, tzinfo=UTC)
    assert the_reason_at(now, a_source(calendar=WORKDAYS, cut_off=FIVE)) == expected


def test_on_a_day_off_the_cut_off_is_not_the_reason() -> None:
    now = datetime(2026, 3, 8, 18, tzinfo=UTC)
    expected = closed("working day", "2026-03-08 18:00")
    assert the_reason_at(now, a_source(calendar=WORKDAYS, cut_off=FIVE)) == expected


def test_without_a_cut_off_a_source_takes_lines_all_day() -> None:
    assert the_reason_at(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), a_source()) is None


def test_the_clock_and_the_date_are_the_sources_own() -> None:
    now = datetime(2026, 3, 6, 20, tzinfo=UTC)  # Saturday 7 March, 05:00 in Tokyo; Friday 12:00 in Los Angeles
    week = WorkingCalendar(weekdays=tuple(Weekday)[:5])
    tokyo = a_source("T", time_zone="Asia/Tokyo", calendar=week, cut_off=FIVE)
    los_angeles = a_source("L", time_zone="America/Los_Angeles", calendar=week, cut_off=FIVE)
    found = reasons(RULE, asked_at(now, los_angeles, tokyo).batch())
    assert found == {(0, 1): closed("working day", "2026-03-07 05:00")}


@pytest.mark.parametrize(
    ("now", "is_closed"),
    [
        # Clocks in New York go forward on 8 March 2026: 17:00 is 22:00 UTC the day before, 21:00 UTC that day.
        (datetime(2026, 3, 7, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 7, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 8, 20, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 8, 21, 0, tzinfo=UTC), True),
        # They go back on 1 November 2026.
        (datetime(2026, 11, 1, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 22, 0, tzinfo=UTC), True),
    ],
)
def test_daylight_saving_time_does_not_move_the_cut_off(now: datetime, is_closed: bool) -> None:
    source = a_source(time_zone="America/New_York", cut_off=FIVE)
    assert (the_reason_at(now, source) is not None) is is_closed


def test_a_cut_off_at_midnight_closes_the_whole_day() -> None:
    now = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert the_reason_at(now, a_source(cut_off=time(0, 0))) == closed("00:00", "2026-03-02 00:00")


def test_a_cut_off_with_seconds_is_written_with_seconds() -> None:
    now = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
    assert the_reason_at(now, a_source(cut_off=time(17, 0, 30))) == closed("17:00:30", "2026-03-02 17:30")


def test_there_is_nothing_to_set() -> None:
    assert paths("working_hours", cut_off="17:00") == ["params.cut_off"]


def test_a_source_that_the_run_does_not_know_is_not_this_rules_business() -> None:
    request = asked_at(datetime(2026, 3, 2, 18, tzinfo=UTC), a_source("A", cut_off=FIVE)).build()
    assert broken(RULE, request, {("O1", "1"): (from_source("UNKNOWN"),)}) == []
