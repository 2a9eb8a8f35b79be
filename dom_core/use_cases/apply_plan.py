"""Apply a plan: reserve stock product by product, then confirm order by order, some of each at a time.

Killed anywhere, applying again finishes. What was done is read from the store, never remembered:

1. An order that has an event of this plan was handled, one way or the other.
2. An order that still has the version that the plan has seen is reserved for, under (plan, order, line), then confirmed
   in one conditional write.
3. Any other order, and one whose units are gone, is in conflict: first its lines are marked, which raises its version
   so that nobody can confirm it any more; then what was reserved for it is given back, for all such orders together.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dom_core.configuration import Configuration
from dom_core.domain.holding import Claim, give_back
from dom_core.domain.ids import OrderId, ProductId, SourceId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Source
from dom_core.domain.order import Order, What
from dom_core.domain.plan import Closing, Plan, PlanLine, PlanState
from dom_core.domain.stock import Reservation
from dom_core.domain.strategy import InventoryMode, Strategy
from dom_core.domain.transitions import Cause, PlanTerms, data_conflict, handled_by
from dom_core.domain.transitions import apply_plan as apply_to_order
from dom_core.errors import IllegalTransition, NotFound, StoreConflict
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.repositories.reading import Versioned, deciding_again
from dom_core.side_by_side import side_by_side
from dom_core.telemetry.events import PlanApplied
from dom_core.telemetry.ways import order_way, run_way
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.context import Ports
from dom_core.use_cases.reserve_stock import reserve

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the plan's lines; the same when the plan is applied again."""

    confirmed_lines: int
    conflicted_lines: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a plan is applied: in whose name, and without which orders.

    `keep_alive` is called before each order and each product, by the thread that applies; what it raises ends applying.
    """

    who: str
    why: str = ""
    left_out: frozenset[OrderId] = frozenset()
    keep_alive: Callable[[], None] = lambda: None


def apply_plan(ports: Ports, plan: Plan, fence: int, terms: Terms | None = None) -> Applied:
    """Give the plan's orders what it decided. Raises LeaseLost, and Conflict for a plan that may not be applied.

    Orders left out are in conflict, like those that changed: the next run plans them anew.
    """
    with ports.telemetry.step("apply_plan", run_way(plan.run_id)):
        applied = _apply(ports, plan, fence, terms or Terms(f"strategy {plan.strategy_id}"))
    told = PlanApplied(plan.run_id, plan.strategy_id, plan.id, applied.confirmed_lines, applied.conflicted_lines)
    ports.telemetry.tell(told)
    return applied


def _apply(ports: Ports, plan: Plan, fence: int, terms: Terms) -> Applied:
    Plans(ports.store).begin_applying(plan.id)
    application = _Application.of(ports, plan, fence, terms)
    ready = application.read_ready_orders()
    claims = [claim for order in ready.values() for claim in order.claims]
    short = reserve(ports, claims, fence, terms.keep_alive)
    outcomes = application.settle_all({id: order for id, order in ready.items() if id not in short})
    closing = Closing(application.cause.at, terms.who, terms.why)
    Plans(ports.store).finish(plan.id, PlanState.APPLIED, closing)
    return application.count(outcomes)


def expire_plan(ports: Ports, plan: Plan, terms: Terms | None = None) -> Applied:
    """Undo what a killed application left half done: orders confirmed stay so, all others wait for the next run."""
    terms = terms or Terms(f"strategy {plan.strategy_id}")
    application = _Application.of(ports, plan, 0, terms)
    outcomes = application.settle_all({})
    closing = Closing(application.cause.at, terms.who, terms.why)
    Plans(ports.store).finish(plan.id, PlanState.EXPIRED, closing)
    return application.count(outcomes)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An order that can be confirmed: as it was read, as it will be, and what that takes."""

    read: Versioned[Order]
    confirmed: Order
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class _Application:
    """One attempt at applying one plan."""

    ports: Ports
    plan: Plan
    fence: int
    strategy: Strategy | None
    sources: Mapping[SourceId, Source]
    lines: Mapping[OrderId, Sequence[PlanLine]]
    left_out: frozenset[OrderId]
    keep_alive: Callable[[], None]
    cause: Cause
    terms: PlanTerms = field(repr=False)
    orders: Orders = field(repr=False)

    @classmethod
    def of(cls, ports: Ports, plan: Plan, fence: int, terms: Terms) -> "_Application":
        configuration = Configurations(ports.store).load()
        strategy = next((each for each in configuration.strategies if each.id == plan.strategy_id), None)
        return cls(
            ports=ports,
            plan=plan,
            fence=fence,
            strategy=strategy,
            sources={source.id: source for source in configuration.sources},
            lines=_by_order(plan.lines),
            left_out=terms.left_out,
            keep_alive=terms.keep_alive,
            cause=Cause(ports.clock.now(), terms.who, terms.why),
            terms=_plan_terms(configuration, plan, strategy),
            orders=Orders(ports.store),
        )

    def read_ready_orders(self) -> dict[OrderId, _Ready]:
        """The orders that can be confirmed as far as they themselves are concerned."""
        found = self.for_each(self.lines, lambda order_id: self.ready(self.orders.find(order_id)))
        return {order_id: ready for order_id, ready in found.items() if ready}

    def for_each(self, ids: Iterable[T], work: Callable[[T], R]) -> dict[T, R]:
        """What `work` makes of each id; some at a time where the store is a service."""
        ids = list(ids)
        at_once = self.ports.settings.requests_at_once_to_store
        return dict(zip(ids, side_by_side(work, ids, at_once=at_once, before=self.keep_alive), strict=True))

    def ready(self, stored: Versioned[Order] | None) -> _Ready | None:
        """How to confirm the order, if it still is what the plan has seen. Whoever handled it raised its version."""
        if stored is None or stored.value.id in self.left_out:
            return None
        lines = self.lines[stored.value.id]
        if any(line.order_version != stored.value.version for line in lines):
            return None
        try:
            confirmed = apply_to_order(stored.value, lines, self.terms, self.cause)
        except (IllegalTransition, NotFound):
            return None
        return _Ready(stored, confirmed, self.claims(confirmed)) if self.is_configured(lines) else None

    def is_configured(self, lines: Sequence[PlanLine]) -> bool:
        """Whether the strategy, and every source that the plan chose, still exist."""
        return self.strategy is not None and all(
            assignment.source_id in self.sources for line in lines for assignment in line.assignments
        )

    def claims(self, order: Order) -> tuple[Claim, ...]:
        """The units that the order's lines need under this plan, wherever stock is counted."""
        return tuple(
            Claim(
                line.product_id,
                line.assignment.source_id,
                Reservation(self.plan.id, order.id, line.id, line.units),
            )
            for line in order.lines
            if line.assignment
            and line.assignment.plan_id == self.plan.id
            and self.counts_stock(line.assignment.source_id, line.product_id)
        )

    def counts_stock(self, source_id: SourceId, product_id: ProductId) -> bool:
        """Whether units of the product are counted at the source (C7); write-in products never are (C8)."""
        if product_id == WRITE_IN_PRODUCT_ID:
            return False
        if self.strategy and self.strategy.inventory_mode is not InventoryMode.INHERIT:
            return self.strategy.inventory_mode is InventoryMode.REAL
        source = self.sources.get(source_id)
        return source is not None and source.use_real_inventory

    def settle_all(self, ready: Mapping[OrderId, _Ready]) -> dict[OrderId, What | None]:
        """Bring every order to its end under this plan, those that are ready by confirming them."""
        outcomes = self.for_each(self.lines, lambda order_id: self.settle(order_id, ready.get(order_id)))
        self.give_back({order_id for order_id, what in outcomes.items() if what is not What.PLANNED})
        return outcomes

    def settle(self, order_id: OrderId, ready: _Ready | None) -> What | None:
        """Bring the order to its end under this plan, and say which. None: the order is gone."""
        with self.ports.telemetry.step("apply_to_order", order_way(order_id)):
            return self._settle(order_id, ready)

    def _settle(self, order_id: OrderId, ready: _Ready | None) -> What | None:
        outcome = self.confirm(order_id, ready) if ready else self.handled(order_id)
        return outcome or deciding_again(lambda: self.mark_conflict(order_id))

    def confirm(self, order_id: OrderId, ready: _Ready) -> What | None:
        """Write the confirmed order if it is still as it was read; otherwise look what became of it."""
        try:
            self.orders.replace(ready.confirmed, ready.read.etag)
        except StoreConflict:
            return self.handled(order_id)
        return What.PLANNED

    def handled(self, order_id: OrderId) -> What | None:
        """What this plan already did to the order."""
        stored = self.orders.find(order_id)
        return handled_by(stored.value, self.plan.id) if stored else None

    def mark_conflict(self, order_id: OrderId) -> What | None:
        """Mark the planned lines, unless somebody was faster in applying this plan."""
        stored = self.orders.find(order_id)
        if stored is None:
            return None
        known = handled_by(stored.value, self.plan.id)
        if known is None:
            line_ids = [line.line_id for line in self.lines[order_id]]
            marked = data_conflict(stored.value, line_ids, self.plan.id, self.cause)
            self.orders.replace(marked, stored.etag)
        return known or What.DATA_CONFLICT

    def give_back(self, order_ids: Collection[OrderId]) -> None:
        """Release whatever this plan reserved for the orders, each product in one write."""
        lines = (line for order_id in order_ids for line in self.lines[order_id] if line.assignments)
        by_product: dict[ProductId, set[OrderId]] = defaultdict(set)
        for line in lines:
            by_product[line.product_id].add(line.order_id)

        def release(product_id: ProductId) -> None:
            theirs = by_product[product_id]
            change_stock(self.ports.store, product_id, lambda stock: give_back(stock, self.plan.id, theirs))

        self.for_each(sorted(by_product), release)

    def count(self, outcomes: Mapping[OrderId, What | None]) -> Applied:
        """Lines by what became of their order."""
        confirmed = sum(len(self.lines[order_id]) for order_id, what in outcomes.items() if what is What.PLANNED)
        return Applied(confirmed, len(self.plan.lines) - confirmed)


def _plan_terms(configuration: Configuration, plan: Plan, strategy: Strategy | None) -> PlanTerms:
    return PlanTerms(
        plan_id=plan.id,
        strategy_id=plan.strategy_id,
        max_attempts=strategy.max_attempts if strategy else 1,
        manual_accept=frozenset(source.id for source in configuration.sources if source.manual_accept),
    )


def _by_order(lines: Iterable[PlanLine]) -> dict[OrderId, list[PlanLine]]:
    """Lines by order, in the order of ids."""
    grouped: dict[OrderId, list[PlanLine]] = defaultdict(list)
    for line in lines:
        grouped[line.order_id].append(line)
    return {order_id: grouped[order_id] for order_id in sorted(grouped)}
