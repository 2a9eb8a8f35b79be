"""Instances of the literature as the optimizer's own problem, and its answers to them.

What a line costs from a source, and what using a source costs, are given as charges of a cost factor: these instances
have no places. Amounts are counted in hundredths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.literature import Table
from dom_core.domain.network import Address, Location, Product, Source, SourceList, SourceType
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Ending, Level
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import RuleRecord, SolverLimits, Strategy
from dom_core.optimizer import pipeline, relaxation
from dom_core.optimizer.costs import FactorCharges, PairCosts
from dom_core.optimizer.objective import total_of
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.relaxation import Prepared
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver

HUNDREDTHS = 100
_NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
_SOMEWHERE = Location(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Solved:
    """What was found: `value` and `bound` in the instance's own amounts, `complete` when every line is served."""

    value: float
    bound: float
    ending: Ending
    complete: bool


def solver_of(way: str) -> Solver:
    """The solver of one of the engine's ways."""
    return HighsSolver() if way == "engine-highs" else CbcSolver()


def solve(table: Table, solver: Solver, limit_s: float) -> Solved:
    """The engine's answer to an instance."""
    result = relaxation.solve_both(prepared(table, limit_s), LocalCrew(solver)).first
    value = total_of(result.report.levels) / HUNDREDTHS
    complete = result.report.filled_lines == result.report.lines
    return Solved(value, result.report.bound / HUNDREDTHS, result.report.ending, complete)


def prepared(table: Table, limit_s: float) -> Prepared:
    """The instance as the engine takes it: charges come from the table, not from places."""
    batch, _ = pipeline.open_lines(_request(table, limit_s))
    found = relaxation.prepare(batch)
    each_line = _hundredths(table.costs)
    each_source = np.broadcast_to(_hundredths(table.fixed), each_line.shape)
    charges = FactorCharges("table", np.zeros_like(each_line), each_source, each_line)
    costs = PairCosts(batch, (charges,), np.arange(len(batch.lines)))
    rates = {Level.UNFILLED_UNITS: _unfilled_rate(table), Level.COST_CENTS: 1}
    rates |= {Level.PRIORITY_STEPS: 0, Level.DISTANCE_KM: 0}
    return replace(found, problem=replace(found.problem, costs=costs, rates=rates))


def _hundredths(amounts: FloatArray) -> IntArray:
    return np.rint(amounts * HUNDREDTHS).astype(np.int64)


def _unfilled_rate(table: Table) -> int:
    """More than serving can ever cost: a single line where some may wait, else the whole order."""
    if table.whole:
        dearest = _hundredths(table.costs).max(axis=1).sum() + _hundredths(table.fixed).sum()
        return int(dearest) // int(table.units.sum()) + 1
    return int(_hundredths(table.costs).max() + _hundredths(table.fixed).max()) + 1


def _request(table: Table, limit_s: float) -> PlanRequest:
    """Lines, sources and stock; ids are numbers of equal length, so that positions stay as they are in the table."""
    lines = [
        Line(f"{number:05}", "item", units, Address(), _SOMEWHERE, "standard")
        for number, units in enumerate(table.units.tolist())
    ]
    sources = tuple(
        Source(f"{number:05}", SourceType.WAREHOUSE, location=_SOMEWHERE, use_real_inventory=table.stock is not None)
        for number in range(table.costs.shape[1])
    )
    held = [] if table.stock is None else table.stock.tolist()
    return PlanRequest(
        plan_id="plan",
        run_id="run",
        now=_NOW,
        strategy=Strategy("literature", "all", rule_ids=("split",), limits=SolverLimits(solve_limit_s=limit_s)),
        sources=sources,
        source_lists=(SourceList("all", tuple(source.id for source in sources)),),
        products={"item": Product("item")},
        rules=(RuleRecord("split", "partial_orders", _split(table)),),
        orders=_orders(lines, one_order=table.one_order),
        available={("item", sources[number].id): units for number, units in enumerate(held)},
        loads={},
    )


def _split(table: Table) -> dict[str, Any]:
    return {
        "max_sources": table.max_sources,
        "partial_orders": not table.whole,
        "partial_lines": False,
        "max_sources_per_line": 1,
    }


def _orders(lines: Sequence[Line], *, one_order: bool) -> tuple[Order, ...]:
    if one_order:
        return (Order("00000", 1, _NOW, tuple(lines)),)
    return tuple(Order(line.id, 1, _NOW, (line,)) for line in lines)
