"""A golden case: a run small enough to be worked out by hand, as a file.

`case.json` holds a comment that works the total out, the totals themselves (one per iteration), and the input in the
formats of the outside: sources and rules as configured, orders as taken in, stock as reported. `plan.json` holds what
the optimizer made of it, without what changes from machine to machine.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from dom_core.domain.network import STRICT, Source
from dom_core.domain.order import Bar, ExceptionKind, Line, LineState, Order
from dom_core.domain.plan import IterationReport, Plan, PlanAssignment
from dom_core.domain.request import PlanRequest
from dom_core.domain.stock import StockLevel
from dom_core.domain.strategy import Relaxation, RuleRecord, Strategy
from dom_core.domain.units import UtcTime
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json
from tests.builders import NOW

CASES = Path(__file__).with_name("cases")


@dataclass(frozen=True)
class GoldenBar:
    """A source that refused a line may not be tried again for it before `until`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    order_id: str
    line_id: str
    source_id: str
    until: UtcTime


@dataclass(frozen=True)
class GoldenCase:
    """What `case.json` says."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    comment: tuple[str, ...]
    total_by_hand: tuple[int, int]
    sources: tuple[Source, ...]
    orders: tuple[IntakeOrder, ...]
    stock: tuple[StockLevel, ...]
    rules: tuple[RuleRecord, ...] = ()
    bars: tuple[GoldenBar, ...] = ()
    relaxation: Relaxation = Relaxation.ALL_SOFT
    bound_by_hand: tuple[int, int] | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """What is proven: the totals themselves, unless the case says otherwise."""
        return self.bound_by_hand or self.total_by_hand

    def request(self) -> PlanRequest:
        """The run that the case asks for: a plain strategy over all its sources, linking all its rules."""
        return PlanRequest(
            plan_id="golden",
            run_id="golden",
            now=NOW,
            strategy=Strategy(
                "golden", "all", rule_ids=tuple(rule.id for rule in self.rules), relaxation=self.relaxation
            ),
            sources=self.sources,
            source_lists=(),
            products={},
            rules=self.rules,
            orders=tuple(_barred(order.to_order(NOW, "golden"), self.bars) for order in self.orders),
            available={(level.product_id, level.source_id): level.on_hand for level in self.stock},
            loads={},
        )


def read_case(folder: Path) -> GoldenCase:
    """The case in this folder."""
    return read_json((folder / "case.json").read_bytes(), GoldenCase, str(folder))


def text_of(plan: Plan) -> str:
    """The plan as `plan.json` keeps it."""
    lines = [
        {
            "line": f"{line.order_id}/{line.line_id}",
            "units": line.units,
            "fulfillment": line.fulfillment,
            "exception": line.exception,
            "assignments": [_assignment(assignment) for assignment in line.assignments],
            "reasons": {source: str(reason) for source, reason in plan.reasons.of_line(position)},
        }
        for position, line in enumerate(plan.lines)
    ]
    shown = {"lines": lines, "iterations": [_iteration(report) for report in plan.iterations]}
    return json.dumps(shown, indent=2) + "\n"


def _barred(order: Order, bars: Sequence[GoldenBar]) -> Order:
    def with_bars(line: Line) -> Line:
        mine = tuple(Bar(b.source_id, b.until) for b in bars if (b.order_id, b.line_id) == (order.id, line.id))
        if not mine:
            return line
        return replace(line, bars=mine, state=LineState.EXCEPTION, exception=ExceptionKind.REJECTED, rejects=len(mine))

    return replace(order, lines=tuple(with_bars(line) for line in order.lines))


def _assignment(assignment: PlanAssignment) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "source": assignment.source_id,
        "units": assignment.units,
        "distance_m": assignment.distance_m,
        "iteration": assignment.iteration,
    }
    if assignment.round > 1:
        shown["round"] = assignment.round
    if assignment.relaxed_rule_ids:
        shown["relaxed_rules"] = list(assignment.relaxed_rule_ids)
    return shown


def _iteration(report: IterationReport) -> dict[str, Any]:
    return {
        "lines": f"{report.filled_lines} of {report.lines} filled",
        "units": f"{report.filled_units} of {report.units} filled",
        "levels": {value.level: f"{value.amount} x {value.rate} = {value.points}" for value in report.levels},
        "total": report.total,
        "bound": report.bound,
        "ending": report.ending,
    }
