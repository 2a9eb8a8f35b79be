"""A second opinion: how rules look at a finished plan.

Plain loops over orders, plan lines and assignments. Nothing here is shared with the arrays that the plan was made
from, so that a mistake there does not hide itself: scopes are matched a second time, on purpose.

Assignments are looked at iteration by iteration: where a limit on a sum is exceeded, the later assignments exceed it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from dom_core.domain.ids import OrderId, ProductId, RuleId, SourceId, SourceListId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Product, Source
from dom_core.domain.order import Order
from dom_core.domain.plan import Plan, PlanAssignment, PlanLine
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import InventoryMode
from dom_core.rules.base import Violation
from dom_core.rules.parameters import PlaceScope, Scope
from dom_core.watch import Watch

ScopedLine = TypeVar("ScopedLine", bound=Scope)
Assigned = tuple[PlanLine, PlanAssignment]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check looks up in a request."""

    request: PlanRequest
    orders: Mapping[OrderId, Order]
    sources: Mapping[SourceId, Source]
    members: Mapping[SourceListId, frozenset[SourceId]]

    @classmethod
    def of(cls, request: PlanRequest) -> Self:
        """The facts of a request."""
        return cls(
            request,
            {order.id: order for order in request.orders},
            {source.id: source for source in request.sources},
            {source_list.id: frozenset(source_list.source_ids) for source_list in request.source_lists},
        )

    def product(self, product_id: ProductId) -> Product:
        """The product; one without categories where the catalogue has none."""
        known = self.request.products.get(product_id)
        return Product(product_id) if known is None else known

    def counts_stock(self, source_id: SourceId) -> bool:
        """Whether stock at this source is real in this run."""
        mode = self.request.strategy.inventory_mode
        if mode is InventoryMode.INHERIT:
            source = self.sources.get(source_id)
            return source is None or source.use_real_inventory
        return mode is InventoryMode.REAL


def assignments(plan: Plan, watch: Watch, *, with_write_in: bool = False) -> Iterator[Assigned]:
    """Assignments with their lines, first iteration and first round first. Write-in lines only where asked for (C8).

    Raises Cancelled.
    """
    found = [
        (line, assignment)
        for line in watch.each(plan.lines)
        if with_write_in or line.product_id != WRITE_IN_PRODUCT_ID
        for assignment in line.assignments
    ]
    return watch.each(sorted(found, key=lambda pair: (pair[1].iteration, pair[1].round)))


def holds_at(facts: Facts, place: PlaceScope, source_id: SourceId) -> bool:
    """Whether a parameter line holds at a source."""
    if place.source_id is not None:
        return place.source_id == source_id
    return place.source_list_id is None or source_id in facts.members.get(place.source_list_id, ())


class ScopedLines(Generic[ScopedLine]):
    """The parameter lines of one rule, ready to be asked about a product at a source."""

    def __init__(self, facts: Facts, lines: Iterable[ScopedLine]) -> None:
        self._facts = facts
        self._by_product: defaultdict[ProductId, list[ScopedLine]] = defaultdict(list)
        self._general: list[ScopedLine] = []
        for line in lines:
            # A rule may have a line per product: only those of the product in question are then looked at.
            (self._general if line.product_id is None else self._by_product[line.product_id]).append(line)

    def for_product(self, product_id: ProductId) -> list[ScopedLine]:
        """Every line that holds for a product, wherever."""
        product = self._facts.product(product_id)
        named = dict.fromkeys([product.id, product.parent_id or product.id])
        found = [line for name in named for line in self._by_product.get(name, ())]
        return found + [line for line in self._general if _holds_for(line, product)]

    def matching(self, product_id: ProductId, source_id: SourceId) -> list[ScopedLine]:
        """Every line that holds for a product at a source."""
        return [line for line in self.for_product(product_id) if holds_at(self._facts, line, source_id)]

    def deciding(self, product_id: ProductId, source_id: SourceId) -> list[ScopedLine]:
        """The most specific of the matching lines: several, when they are equally specific."""
        found = self.matching(product_id, source_id)
        best = max((_specificity(line, product_id) for line in found), default=None)
        return [line for line in found if _specificity(line, product_id) == best]


def once(violations: Iterable[Violation]) -> Iterator[Violation]:
    """The first violation of each order, line and source."""
    seen: set[tuple[str | None, ...]] = set()
    for violation in violations:
        place = (violation.order_id, violation.line_id, violation.source_id)
        if place not in seen:
            seen.add(place)
            yield violation


def breach(rule_id: RuleId, assigned: Assigned, message: str) -> Violation:
    """One assignment that breaks a rule."""
    line, assignment = assigned
    return Violation(rule_id, message, line.order_id, line.line_id, assignment.source_id)


def _holds_for(scope: Scope, product: Product) -> bool:
    if scope.supplementary_category is not None:
        return scope.supplementary_category in product.supplementary_categories
    return scope.category is None or scope.category in product.categories


def _specificity(scope: Scope, product_id: ProductId) -> tuple[bool, ...]:
    return (
        scope.product_id == product_id,
        scope.product_id is not None,
        scope.supplementary_category is not None,
        scope.category is not None,
        scope.source_id is not None,
        scope.source_list_id is not None,
    )
