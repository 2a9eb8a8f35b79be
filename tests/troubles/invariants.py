"""What must hold of stored state (docs/architecture.md, "What must always hold"), read from the store alone.

`broken` holds at any moment, also right after a process was killed; `unfinished` besides, once nobody is at work;
`went_back` compares two moments. Each answers with a list of sentences, empty when all is well.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dom_core.domain.dead_letter import DeadLetter
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.order import Event, Line, LineState, Order, What
from dom_core.domain.plan_header import PlanHeader
from dom_core.domain.run import Lease, Run, RunState
from dom_core.domain.stock import ProductStock
from dom_core.ports import Container, DocumentStore
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.dead_letters import DeadLetters
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.repositories.reading import every, read_stored
from dom_core.repositories.runs import Runs
from dom_core.repositories.stock import Stock

HOLDS_UNITS = frozenset({LineState.ASSIGNED, LineState.PICKED})
WITH_ASSIGNMENT = HOLDS_UNITS | {LineState.SHIPPED}

NOT_ENDED = frozenset({RunState.QUEUED, RunState.RUNNING})

Key = tuple[str, str, str, str]
"""Source, plan, order, line."""


@dataclass(frozen=True)
class Stored:
    """Everything that is stored, as values. Orders with all of their history."""

    orders: Mapping[str, Order]
    stock: Mapping[str, ProductStock]
    plans: Mapping[str, PlanHeader]
    runs: Mapping[str, Run]
    letters: tuple[DeadLetter, ...]
    lease: Lease | None
    under_way: frozenset[str]
    uncounted: frozenset[str]


@dataclass
class Expected:
    """What the outside knows: units by product of every order that was accepted, and units that were delivered."""

    orders: dict[str, Counter[str]] = field(default_factory=dict)
    delivered: dict[tuple[str, str], int] = field(default_factory=dict)


def stored(store: DocumentStore) -> Stored:
    """The state now."""
    found = every(store, Container.ORDERS, where={"kind": "order"})
    moved = {each.partition for each in every(store, Container.ORDERS, where={"kind": "history"})}
    orders = (read_stored(each.body["order"], Order, each.partition) for each in found)
    sources = Configurations(store).load().sources
    return Stored(
        orders={each.id: Orders(store).whole_history(each) if each.id in moved else each for each in orders},
        stock={each.product_id: each for each in Stock(store).every()},
        plans={each.id: each for each in Plans(store).every()},
        runs={each.value.id: each.value for each in Runs(store).every()},
        letters=tuple(each.value for each in DeadLetters(store).every()),
        lease=Runs(store).lease(),
        under_way=frozenset(each.id for each in Plans(store).being_applied()),
        uncounted=frozenset(source.id for source in sources if not source.use_real_inventory),
    )


def broken(now: Stored, expected: Expected | None = None) -> list[str]:
    """What is wrong, whoever is at work and whoever was killed."""
    expected = expected or Expected()
    return [
        *_units_that_are_not_those_of_the_order(now, expected),
        *_lines_in_the_wrong_state(now),
        *_stock_promised_twice(now),
        *_assignments_without_stock(now),
        *_units_that_came_from_nowhere(now, expected),
        *_rejections_counted_twice(now),
        *_plans_applied_twice(now),
        *_fences_above_the_lease(now),
    ]


def unfinished(now: Stored, expected: Expected) -> list[str]:
    """What is still open although everything was handled and a run came after it."""
    return [
        *(f"order {id} was accepted and is nowhere" for id in sorted(set(expected.orders) - _known(now))),
        *(f"line {order.id}/{line.id} waits for nobody" for order, line in _lines(now) if _is_forgotten(order, line)),
        *(f"{key} is reserved for nothing" for key, units in _reserved(now).items() if _needed(now).get(key) != units),
        *(f"plan {id} is half applied" for id in sorted(now.under_way)),
        *(f"run {run.id} never ended" for run in now.runs.values() if run.state in NOT_ENDED),
    ]


def went_back(before: Stored, now: Stored) -> list[str]:
    """What may only grow, and shrank: somebody wrote with an old fence, or lost what was stored."""
    fences = {id: (each.fence, now.stock[id].fence if id in now.stock else -1) for id, each in before.stock.items()}
    versions = {id: (o.version, now.orders[id].version if id in now.orders else -1) for id, o in before.orders.items()}
    lease = (before.lease.fence if before.lease else 0, now.lease.fence if now.lease else 0)
    return [
        *(f"the fence of {id} fell from {old} to {new}" for id, (old, new) in fences.items() if new < old),
        *(f"order {id} fell from version {old} to {new}" for id, (old, new) in versions.items() if new < old),
        *([f"the fence of the lease fell from {lease[0]} to {lease[1]}"] if lease[1] < lease[0] else []),
    ]


def decided(now: Stored) -> object:
    """What sending a message again must leave as it is."""
    return now.orders, {id: each.cells for id, each in now.stock.items()}, now.letters


def _units_that_are_not_those_of_the_order(now: Stored, expected: Expected) -> Iterator[str]:
    """Units of a line in two assignments would be units that nobody ordered: lines are split, never copied."""
    for id, order in now.orders.items():
        ids = Counter(line.id for line in order.lines)
        yield from (f"order {id} has line {line} twice" for line, times in ids.items() if times > 1)
        units: Counter[str] = Counter()
        for line in order.lines:
            units[line.product_id] += line.units
        if id in expected.orders and units != expected.orders[id]:
            yield f"order {id} has {dict(units)} instead of {dict(expected.orders[id])}"


def _lines_in_the_wrong_state(now: Stored) -> Iterator[str]:
    for order, line in _lines(now):
        if (line.assignment is not None) != (line.state in WITH_ASSIGNMENT):
            yield f"line {order.id}/{line.id} is {line.state} {'with' if line.assignment else 'without'} an assignment"
        if (line.exception is None) and line.state is LineState.EXCEPTION:
            yield f"line {order.id}/{line.id} is in exception without a reason"


def _stock_promised_twice(now: Stored) -> Iterator[str]:
    for stock in now.stock.values():
        for cell in stock.cells:
            if cell.reserved > cell.on_hand:
                yield f"{stock.product_id} at {cell.source_id}: {cell.reserved} reserved, {cell.on_hand} on hand"


def _assignments_without_stock(now: Stored) -> Iterator[str]:
    reserved = _reserved(now)
    for key, units in _needed(now).items():
        if reserved[key] < units:
            yield f"{key} has {units} units and {reserved[key]} reserved"


def _units_that_came_from_nowhere(now: Stored, expected: Expected) -> Iterator[str]:
    """Delivered = on hand + shipped, where what is shipped and still reserved has yet to leave the books."""
    reserved, left = _reserved(now), Counter[tuple[str, str]]()
    for order, line in _lines(now):
        if line.assignment and line.state is LineState.SHIPPED:
            waits = reserved[(line.assignment.source_id, line.assignment.plan_id, order.id, line.id)]
            left[line.product_id, line.assignment.source_id] += 0 if waits else line.units
    for (product_id, source_id), delivered in expected.delivered.items():
        on_hand = now.stock[product_id].cell(source_id).on_hand if product_id in now.stock else 0
        shipped = left[product_id, source_id]
        if on_hand + shipped != delivered:
            yield f"{product_id} at {source_id}: {on_hand} on hand and {shipped} shipped of {delivered} delivered"


def _rejections_counted_twice(now: Stored) -> Iterator[str]:
    for order in now.orders.values():
        refused = [event for event in order.history if event.what == What.REJECTED]
        times = Counter(_rejection(event) for event in refused)
        yield from (f"order {order.id} counts rejection {key} twice" for key, count in times.items() if count > 1)
        for line in order.lines:
            if line.rejects > len(refused):
                yield f"line {order.id}/{line.id} has {line.rejects} rejects; {len(refused)} are in the history"


def _rejection(event: Event) -> tuple[object, ...]:
    return event.line_id, event.source_id, event.plan_id, event.units, event.reference


def _plans_applied_twice(now: Stored) -> Iterator[str]:
    """A plan has one event for a whole order: planned, or conflict."""
    for order in now.orders.values():
        times = Counter(event.plan_id for event in order.history if event.plan_id and event.line_id is None)
        yield from (f"plan {id} handled order {order.id} {count} times" for id, count in times.items() if count > 1)


def _fences_above_the_lease(now: Stored) -> Iterator[str]:
    highest = now.lease.fence if now.lease else 0
    for stock in now.stock.values():
        if stock.fence > highest:
            yield f"{stock.product_id} was reserved with fence {stock.fence}; the lease has {highest}"


def _lines(now: Stored) -> Iterator[tuple[Order, Line]]:
    for order in now.orders.values():
        for line in order.lines:
            yield order, line


def _reserved(now: Stored) -> Counter[Key]:
    reserved: Counter[Key] = Counter()
    for stock in now.stock.values():
        for cell in stock.cells:
            for kept in cell.reservations:
                reserved[cell.source_id, kept.plan_id, kept.order_id, kept.line_id] += kept.units
    return reserved


def _needed(now: Stored) -> dict[Key, int]:
    return {
        (line.assignment.source_id, line.assignment.plan_id, order.id, line.id): line.units
        for order, line in _lines(now)
        if line.assignment
        and line.state in HOLDS_UNITS
        and line.assignment.source_id not in now.uncounted
        and line.product_id != WRITE_IN_PRODUCT_ID
    }


def _known(now: Stored) -> set[str]:
    """Orders that are stored, and those that somebody finds among the dead letters."""
    return {*now.orders, *filter(None, map(_order_in, now.letters))}


def _order_in(letter: DeadLetter) -> str | None:
    try:
        body = json.loads(letter.raw)
    except ValueError:
        return None
    return body.get("id") if isinstance(body, dict) else None


def _is_forgotten(order: Order, line: Line) -> bool:
    """No run has looked at the line, and neither a hold nor a cancellation says why."""
    return line.state is LineState.UNASSIGNED and not order.on_hold and not order.cancelled
