"""When a timer is due."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.ncrontab import parse_schedule

MONDAY = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        ("* * * * * *", ["2026-03-02T12:00:01", "2026-03-02T12:00:02"]),
        ("0 */15 * * * *", ["2026-03-02T12:15:00", "2026-03-02T12:30:00"]),
        ("30 5 * * * *", ["2026-03-02T12:05:30", "2026-03-02T13:05:30"]),
        ("0 0 9-17/4 * * *", ["2026-03-02T13:00:00", "2026-03-02T17:00:00", "2026-03-03T09:00:00"]),
        ("0 50/5 * * * *", ["2026-03-02T12:50:00", "2026-03-02T12:55:00", "2026-03-02T13:50:00"]),
        ("0 0 0 1,15 * *", ["2026-03-15T00:00:00", "2026-04-01T00:00:00"]),
        ("0 0 8 * * MON-fri", ["2026-03-03T08:00:00", "2026-03-04T08:00:00"]),
        ("0 0 8 * * 0", ["2026-03-08T08:00:00", "2026-03-15T08:00:00"]),
        ("0 0 0 1 jan *", ["2027-01-01T00:00:00", "2028-01-01T00:00:00"]),
        ("0 0 0 29 2 *", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        ("0 0 0 31 * *", ["2026-03-31T00:00:00", "2026-05-31T00:00:00"]),
        ("0/70 0 0 * * *", ["2026-03-03T00:00:00", "2026-03-04T00:00:00"]),
    ],
)
def test_ticks_come_at_the_moments_that_the_expression_names(expression: str, ticks: list[str]) -> None:
    schedule, moment = parse_schedule(expression), MONDAY
    for tick in ticks:
        moment = schedule.next_after(moment)
        assert moment == datetime.fromisoformat(tick + "+00:00")


def test_day_of_month_and_day_of_week_must_both_match() -> None:
    schedule = parse_schedule("0 0 0 13 * fri")
    first = schedule.next_after(MONDAY)
    assert [first, schedule.next_after(first)] == [
        datetime(2026, 3, 13, tzinfo=UTC),
        datetime(2026, 11, 13, tzinfo=UTC),
    ]


def test_a_moment_within_a_second_does_not_repeat_its_tick() -> None:
    schedule = parse_schedule("0 0 12 * * *")
    assert schedule.next_after(MONDAY + timedelta(microseconds=1)) == MONDAY + timedelta(days=1)
    assert schedule.next_after(MONDAY - timedelta(microseconds=1)) == MONDAY


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("*/5 * * * *", "5 fields; it needs six"),
        ("00:05:00", "1 fields"),
        ("@daily", "1 fields"),
        ("0 0 0 L * *", "L, W, # and ?"),
        ("0 0 0 15W * *", "L, W, # and ?"),
        ("0 0 0 * * 5L", "L, W, # and ?"),
        ("0 0 0 * * fri#2", "L, W, # and ?"),
        ("0 0 0 ? * *", "L, W, # and ?"),
        ("0 0 0 * * 7", "must be from 0 to 6"),
        ("60 * * * * *", "must be from 0 to 59"),
        ("0 0 24 * * *", "must be from 0 to 23"),
        ("0 0 0 0 * *", "must be from 1 to 31"),
        ("0 0 0 * 13 *", "must be from 1 to 12"),
        ("0 0 0 * mon *", "is not a value"),
        ("0 0 0 jan * *", "is not a value"),
        ("0 10-5 * * * *", "a range goes upwards"),
        ("0 */0 * * * *", "a step is at least 1"),
        ("0 1,,2 * * * *", "is not a value"),
        ("0 -1 * * * *", "is not a value"),
        ("0 0 0 ٣ * *", "is not a value"),
        ("0 h * * * *", "is not a value"),
        ("0 0 0 31 2 *", "never comes"),
    ],
)
def test_what_azure_refuses_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_schedule(expression)


@settings(max_examples=60, deadline=None)
@given(
    hours=st.sets(st.integers(0, 23), min_size=1),
    days=st.sets(st.integers(1, 28), min_size=1),
    months=st.sets(st.integers(1, 12), min_size=1),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis wants naive bounds
)
def test_the_next_tick_is_the_first_hour_that_a_plain_search_finds(
    hours: set[int], days: set[int], months: set[int], weekdays: set[int], start: datetime
) -> None:
    fields = [",".join(str(value) for value in sorted(values)) for values in (hours, days, months, weekdays)]
    tick = parse_schedule(f"0 0 {' '.join(fields)}").next_after(start)
    hour = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    while not (hour.hour in hours and hour.day in days and hour.month in months and hour.isoweekday() % 7 in weekdays):
        hour += timedelta(hours=1)
    assert tick == hour
