"""NCRONTAB: when a timer is due. Six fields, seconds first, always UTC.

    second 0-59   minute 0-59   hour 0-23   day of month 1-31   month 1-12 or jan-dec   day of week 0-6 or sun-sat

A field is `*`, a value, a range `a-b`, a step `*/n`, `a/n` or `a-b/n`, or several of these with commas. Day of month
AND day of week must both match, unlike classic cron. Everything is checked and written out here as plain numbers;
croniter then only does the calendar arithmetic.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A checked NCRONTAB expression."""

    expression: str
    plain: str
    """The same moments with every field written as `*` or as a list of numbers."""

    def next_after(self, moment: datetime) -> datetime:
        """The first tick strictly after this moment (aware, UTC)."""
        ticks = croniter(self.plain, moment.astimezone(UTC), ret_type=datetime, second_at_beginning=True, day_or=False)
        tick: datetime = ticks.get_next()
        return tick


def parse_schedule(expression: str) -> Schedule:
    """Read an NCRONTAB expression. Raises ValueError for what Azure refuses and for a date that never comes."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"the schedule '{expression}' has {len(fields)} fields; it needs six: "
            "second, minute, hour, day of month, month, day of week"
        )
    plain = " ".join(_expand(text, field) for text, field in zip(fields, _FIELDS, strict=True))
    schedule = Schedule(expression, plain)
    _require_a_date(schedule)
    return schedule


def _expand(text: str, field: _Field) -> str:
    values = sorted({value for part in text.split(",") for value in _values(part, field)})
    everything = len(values) == field.most - field.least + 1
    return "*" if everything else ",".join(str(value) for value in values)


def _values(part: str, field: _Field) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{field.name} '{part}': {_why_not(part)}")
    first, last, step = match.groups()
    if step is not None and int(step) == 0:
        raise ValueError(f"{field.name} '{part}': a step is at least 1")
    start = field.least if first is None else _number(first, field)
    # `5/10` runs to the end of the field; `5` alone is only itself.
    open_ended = first is None or (last is None and step is not None)
    end = field.most if open_ended else _number(last or first, field)
    if end < start:
        raise ValueError(f"{field.name} '{part}': a range goes upwards")
    return range(start, end + 1, int(step or 1))


def _number(text: str, field: _Field) -> int:
    value = int(text) if text.isdecimal() else field.names.get(text.lower())
    if value is None:
        raise ValueError(f"{field.name} '{text}': {_why_not(text)}")
    if not field.least <= value <= field.most:
        raise ValueError(f"{field.name} '{text}': must be from {field.least} to {field.most}")
    return value


def _why_not(text: str) -> str:
    if re.fullmatch(r"\?|L|\w*L|L-\d+|\w*W|\w+#\d", text, re.IGNORECASE):
        return "L, W, # and ? are not part of NCRONTAB"
    return "is not a value, a range, a step or a list of them"


def _require_a_date(schedule: Schedule) -> None:
    try:
        schedule.next_after(datetime(2000, 1, 1, tzinfo=UTC) - timedelta(seconds=1))
    except CroniterBadDateError as error:
        raise ValueError(f"the schedule '{schedule.expression}' never comes") from error
