"""Working hours: a source takes new lines only on its working days, before its cut-off.

Calendar, cut-off and time zone are the source's own; its clock on the wall counts, so a change to or from daylight
saving time moves nothing. At the cut-off itself the source is closed. Without a cut-off it takes lines all day.

Parameters: none.

```json
{}
```

Reasons: limit `17:00` (the cut-off) or `working day`, actual the source's local time, `2026-03-02 17:05`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.network import Source, Weekday
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Rejection
from dom_core.domain.request import PlanRequest
from dom_core.rules import checking, parameters
from dom_core.rules.base import Rule, Violation
from dom_core.watch import UNWATCHED, Watch


class WorkingHoursParameters(parameters.Parameters):
    """Nothing: the source knows its hours."""


@dataclass(frozen=True, slots=True)
class WorkingHours(Rule):
    """Keeps out sources that are closed now."""

    kind: ClassVar[str] = "working_hours"

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        parameters.read(params, WorkingHoursParameters, id)
        return cls(id)

    def reject_candidates(self, batch: Batch) -> Iterator[Rejection]:
        """Every pair of a source that is closed now."""
        now = batch.request.now
        limits = [_why_closed(source, source.local_time(now)) for source in batch.sources]
        closed = np.array([limit != "" for limit in limits], dtype=np.bool_)
        if closed.any():
            actual = [f"{source.local_time(now):%Y-%m-%d %H:%M}" for source in batch.sources]
            yield Rejection(self.kind, closed[np.newaxis, :], _texts(limits), _texts(actual), rule_id=self.id)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments to sources that are closed now."""
        sources = checking.Facts.of(request).sources
        for line, assignment in checking.assignments(plan, watch):
            source = sources.get(assignment.source_id)
            if source and not _takes_lines_at(source, request.now):
                yield checking.breach(self.id, (line, assignment), "is closed now")


def _why_closed(source: Source, local: datetime) -> str:
    if not source.calendar.is_working_day(local.date()):
        return "working day"
    if source.cut_off is None or local.time() < source.cut_off:
        return ""
    return _clock_text(source.cut_off)


def _clock_text(clock: time) -> str:
    return clock.isoformat("seconds" if clock.second else "minutes")


def _texts(values: list[str]) -> np.ndarray[Any, np.dtype[Any]]:
    return np.array([values], dtype=object)


def _takes_lines_at(source: Source, now: datetime) -> bool:
    """The audit's own reading of calendar and clock."""
    local = now.astimezone(ZoneInfo(source.time_zone))
    calendar = source.calendar
    usual = tuple(Weekday)[local.isoweekday() - 1] in calendar.weekdays and local.date() not in calendar.closed_dates
    working = usual or local.date() in calendar.extra_dates
    if source.cut_off is None:
        return working
    cut_off = datetime.combine(local.date(), source.cut_off)
    return working and local.replace(tzinfo=None) < cut_off
