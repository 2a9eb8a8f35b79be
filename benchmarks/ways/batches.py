"""Batches of 1,500 lines one after another: what products do whose solver cannot take more.

Each batch is planned by this engine with what the batches before it left of stock and room. Orders stay whole, earliest
first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.answers import Answer, Served, served_by, within
from dom_core.domain.ids import ProductId, SourceId
from dom_core.domain.order import Order, sort_key
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver

BATCH_LINES = 1500


def one_after_another(request: PlanRequest, limit_s: float, batch_lines: int = BATCH_LINES) -> Answer:
    """Plan the batches in their order. The seconds are shared by lines."""
    left, loads = dict(request.available), dict(request.loads)
    lines = sum(len(order.lines) for order in request.orders)
    served: list[Served] = []
    for orders in batches(request.orders, batch_lines):
        share = sum(len(order.lines) for order in orders) / lines
        part = replace(request, orders=orders, available=dict(left), loads=dict(loads))
        plan = plan_once(within(part, max(1.0, limit_s * share)), CbcSolver())
        _take(left, loads, plan)
        served += served_by(plan)
    return Answer(tuple(served))


def batches(orders: Sequence[Order], most_lines: int) -> Iterator[tuple[Order, ...]]:
    """Orders gathered, earliest first, into batches of at most so many lines; a larger order stands alone."""
    gathered: list[Order] = []
    lines = 0
    for order in sorted(orders, key=sort_key):
        if gathered and lines + len(order.lines) > most_lines:
            yield tuple(gathered)
            gathered, lines = [], 0
        gathered.append(order)
        lines += len(order.lines)
    if gathered:
        yield tuple(gathered)


def _take(left: dict[tuple[ProductId, SourceId], int], loads: dict[SourceId, SourceLoad], plan: Plan) -> None:
    for line in plan.lines:
        for assignment in line.assignments:
            source_id = assignment.source_id
            cell = (line.product_id, source_id)
            left[cell] = left.get(cell, 0) - assignment.units
            load = loads.get(source_id, SourceLoad())
            loads[source_id] = SourceLoad(
                load.open_order_ids | {line.order_id}, load.order_ids_today | {line.order_id}, load.lines_today + 1
            )
