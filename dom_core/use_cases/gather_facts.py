"""Read what a run decides on: the orders to plan, the stock, and what earlier plans put on the sources."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dom_core.configuration import Configuration, RunFacts
from dom_core.domain.ids import OrderId, PlanId, ProductId, SourceId
from dom_core.domain.network import Source
from dom_core.domain.order import Line, LineAssignment, LineState, Order
from dom_core.domain.request import SourceLoad
from dom_core.domain.stock import ProductStock
from dom_core.ports import DocumentStore
from dom_core.repositories.orders import Orders
from dom_core.repositories.stock import Stock
from dom_core.side_by_side import side_by_side
from dom_core.use_cases.context import Ports
from dom_core.use_cases.sweep_reservations import Sweep, as_swept, plans_under_way, sweep

_OPEN = frozenset({LineState.ASSIGNED, LineState.PICKED})
_COUNTED_TODAY = _OPEN | {LineState.SHIPPED}


def gather_facts(
    ports: Ports,
    configuration: Configuration,
    plan_id: PlanId,
    run_id: str,
    now: datetime,
    settle: Sweep = sweep,
) -> RunFacts:
    """The facts of a run, as stored now. Reservations that nothing needs any more are given back on the way."""
    return facts_about(ports, configuration, Orders(ports.store).plannable(), plan_id, run_id, now, settle)


def facts_about(
    ports: Ports,
    configuration: Configuration,
    orders: Iterable[Order],
    plan_id: PlanId,
    run_id: str,
    now: datetime,
    settle: Sweep = sweep,
) -> RunFacts:
    """The same for these orders alone."""
    return _facts(ports, configuration, RunFacts(plan_id, run_id, now, tuple(orders), {}, {}), settle)


def facts_for(ports: Ports, configuration: Configuration, order: Order, name: str, now: datetime) -> RunFacts:
    """The facts for one order alone, as a run would find them now. Nothing is written.

    `name` takes the place of plan and run. What a stored order of the same id holds stays held.
    """
    return _facts(ports, configuration, RunFacts(name, name, now, (order,), {}, {}), as_swept)


def _facts(ports: Ports, configuration: Configuration, asked: RunFacts, settle: Sweep) -> RunFacts:
    """What is asked about, with the stock of its products and the loads of the sources."""
    store = ports.store
    stock = _stock_of(ports, {line.product_id for order in asked.orders for line in order.lines})
    under_way = plans_under_way(store)
    in_work = _orders_in_work(store, asked.now)
    stock = settle(store, stock, under_way, in_work.values())
    return replace(
        asked,
        available={(each.product_id, cell.source_id): cell.available for each in stock for cell in each.cells},
        loads=loads_of(configuration.sources, in_work.values(), asked.now),
    )


def _stock_of(ports: Ports, product_ids: Iterable[ProductId]) -> list[ProductStock]:
    at_once = ports.settings.requests_at_once_to_store
    stored = side_by_side(Stock(ports.store).find, sorted(product_ids), at_once=at_once)
    return [found.value for found in stored if found]


def _orders_in_work(store: DocumentStore, now: datetime) -> dict[OrderId, Order]:
    """Orders with an open assignment, or one made on what may be today somewhere: in UTC, today or the day before."""
    orders = Orders(store)
    found = {order.id: order for order in orders.in_work()}
    for days_ago in (0, 1):
        found |= {order.id: order for order in orders.last_assigned_on((now - timedelta(days=days_ago)).date())}
    return found


@dataclass(slots=True)
class _Load:
    """A source's load while it is counted."""

    open_order_ids: set[OrderId]
    order_ids_today: set[OrderId]
    lines_today: int = 0


def loads_of(sources: Iterable[Source], orders: Iterable[Order], now: datetime) -> dict[SourceId, SourceLoad]:
    """What these orders put on each source; "today" is the source's own calendar day."""
    by_id = {source.id: source for source in sources}
    loads: dict[SourceId, _Load] = defaultdict(lambda: _Load(set(), set()))
    for order in orders:
        for line, assignment in _assigned(order, _COUNTED_TODAY):
            load = loads[assignment.source_id]
            if line.state in _OPEN:
                load.open_order_ids.add(order.id)
            if _is_today(by_id.get(assignment.source_id), assignment.assigned_at, now):
                load.order_ids_today.add(order.id)
                load.lines_today += 1
    return {
        source_id: SourceLoad(frozenset(load.open_order_ids), frozenset(load.order_ids_today), load.lines_today)
        for source_id, load in sorted(loads.items())
        if source_id in by_id
    }


def _assigned(order: Order, states: frozenset[LineState]) -> Iterator[tuple[Line, LineAssignment]]:
    for line in order.lines:
        if line.assignment and line.state in states:
            yield line, line.assignment


def _is_today(source: Source | None, moment: datetime, now: datetime) -> bool:
    return source is not None and source.local_time(moment).date() == source.local_time(now).date()
