"""Partial orders: how far an order may be torn apart.

Three questions: from how many sources may an order ship (`max_sources`), may some of its lines wait
(`partial_orders`), and may a line be filled in part (`partial_lines`)? Each combination means something:

| `max_sources` | `partial_orders` | `partial_lines` | Meaning |
|---|---|---|---|
| 1 | false | – | all lines in full from one source, or nothing |
| 1 | true | false | some lines, each in full, all from one source |
| 1 | true | true | any quantities, all from one source |
| 2–5 | false | – | all lines in full, from at most so many sources |
| 2–5 | true | false | some lines, each in full, at most so many sources |
| 2–5 | true | true | any quantities, at most so many sources |
| null | false | – | all lines in full, any sources |
| null | true | false | some lines, each in full, any sources (also when no such rule is linked) |
| null | true | true | any quantities; the rest of a line becomes a new line (C4) |

"Partial orders" lets lines wait, it does not split lines (C5); and `partial_lines` lets a line fall short, it does not
say from how many sources a line may come: that is `max_sources_per_line`. Sources are counted within one run. "All
lines" are those lines of the order that the run takes. Write-in lines are not checked (C8).

An order is never split, that is `max_sources` is 1 for it, when its amount is below `never_split_below_cents`, or when
any of its lines has a listed product (or a variant of one) or a product of a listed category (supplementary or not).
Amount and products are those of the whole order, whatever the run takes of it.

Parameters, all optional:

- `max_sources`: 1 to 5, or null for any (default).
- `partial_orders`: default true. `partial_lines`: default false; true needs `partial_orders`.
- `max_sources_per_line`: 1 or more, or null for any (default).
- `never_split_below_cents`: an amount in cents, or null (default).
- `never_split_products`, `never_split_categories`: lists, empty by default.

```json
{"max_sources": 2, "partial_orders": true, "never_split_below_cents": 5000, "never_split_categories": ["Furniture"]}
```

Reasons: none. The limits bind the order as a whole; a pair that would break them loses to the chosen ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dom_core.domain.batch import Batch
from dom_core.domain.ids import Id, Label, ProductId, RuleId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Product
from dom_core.domain.order import Order
from dom_core.domain.plan import Plan, PlanLine
from dom_core.domain.request import PlanRequest
from dom_core.domain.units import Cents
from dom_core.rules import checking, parameters
from dom_core.rules.base import Rule, SplitLimits, Violation
from dom_core.watch import UNWATCHED, Watch


class PartialOrdersParameters(parameters.Parameters):
    """What may be torn apart, and what never is."""

    max_sources: Annotated[int, Field(ge=1, le=5)] | None = None
    partial_orders: bool = True
    partial_lines: bool = False
    max_sources_per_line: Annotated[int, Field(ge=1)] | None = None
    never_split_below_cents: Cents | None = None
    never_split_products: tuple[Id, ...] = ()
    never_split_categories: tuple[Label, ...] = ()

    @field_validator("partial_lines")
    @classmethod
    def _partial_lines_need_partial_orders(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("partial_orders") is False:
            raise PydanticCustomError(
                "whole_orders",
                "a line cannot be filled in part while orders must be whole: "
                "set partial_orders to true, or partial_lines to false",
            )
        return value


@dataclass(frozen=True, slots=True)
class PartialOrders(Rule):
    """Limits how far orders are torn apart."""

    kind: ClassVar[str] = "partial_orders"
    dated_by_source: ClassVar[bool] = False

    params: PartialOrdersParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, PartialOrdersParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Products whose orders are never split."""
        for number, product_id in enumerate(self.params.never_split_products):
            if product_id != WRITE_IN_PRODUCT_ID:
                yield f"params.never_split_products[{number}]", "product", product_id

    def split_limits(self, batch: Batch) -> tuple[SplitLimits, ...] | None:
        """The limits of each order (O): those of the rule, with one source where it is never split."""
        params = self.params
        usual = SplitLimits(
            params.max_sources, params.partial_orders, params.partial_lines, params.max_sources_per_line
        )
        whole = replace(usual, max_sources=1)
        listed = self._listed_products(batch.request.products)
        below_cents = params.never_split_below_cents or 0
        return tuple(
            whole
            if order.amount_cents < below_cents or any(line.product_id in listed for line in order.lines)
            else usual
            for order in batch.orders
        )

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments that tear an order, or a line, farther apart than allowed."""
        facts = checking.Facts.of(request)
        by_order: dict[str, list[PlanLine]] = {}
        for line in watch.each(plan.lines):
            if line.product_id != WRITE_IN_PRODUCT_ID:
                by_order.setdefault(line.order_id, []).append(line)
        for order_id, lines in watch.each(by_order.items()):
            yield from checking.once(self._problems(facts, facts.orders.get(order_id), lines))

    def _listed_products(self, products: Mapping[ProductId, Product]) -> frozenset[ProductId]:
        """Every product id whose presence keeps an order whole."""
        listed = frozenset(self.params.never_split_products)
        categories = frozenset(self.params.never_split_categories)
        touched = (
            product.id
            for product in products.values()
            if product.parent_id in listed
            or not categories.isdisjoint((*product.categories, *product.supplementary_categories))
        )
        return listed.union(touched)

    def _problems(self, facts: checking.Facts, order: Order | None, lines: Sequence[PlanLine]) -> Iterator[Violation]:
        never_split = order is not None and self._is_never_split(facts, order)
        yield from self._beyond(lines, 1 if never_split else self.params.max_sources, "order")
        for line in lines:
            yield from self._beyond([line], self.params.max_sources_per_line, "line")
        if not self.params.partial_orders:
            yield from self._short(lines, "the order is filled in part")
        if not self.params.partial_lines:
            for line in lines:
                yield from self._short([line], "the line is filled in part")

    def _beyond(self, lines: Sequence[PlanLine], limit: int | None, whole: str) -> Iterator[Violation]:
        """Assignments of these lines to sources after the first `limit` ones."""
        if limit is None:
            return
        used: list[str] = []
        pairs = [(line, assignment) for line in lines for assignment in line.assignments]
        for line, assignment in sorted(pairs, key=lambda pair: (pair[1].iteration, pair[1].round)):
            if assignment.source_id not in used:
                used.append(assignment.source_id)
            if used.index(assignment.source_id) >= limit:
                message = f"is source {used.index(assignment.source_id) + 1} of the {whole}, the limit is {limit}"
                yield checking.breach(self.id, (line, assignment), message)

    def _short(self, lines: Sequence[PlanLine], message: str) -> Iterator[Violation]:
        """Every assignment of these lines, unless all lines are full."""
        if any(line.filled_units < line.units for line in lines):
            for line in lines:
                for assignment in line.assignments:
                    yield checking.breach(self.id, (line, assignment), message)

    def _is_never_split(self, facts: checking.Facts, order: Order) -> bool:
        """The audit's own reading of what keeps an order whole."""
        threshold = self.params.never_split_below_cents
        if threshold is not None and sum(line.amount_cents for line in order.lines) < threshold:
            return True
        if not (self.params.never_split_products or self.params.never_split_categories):
            return False
        return any(self._keeps_whole(facts.product(line.product_id)) for line in order.lines)

    def _keeps_whole(self, product: Product) -> bool:
        products, categories = self.params.never_split_products, self.params.never_split_categories
        if product.id in products or product.parent_id in products:
            return True
        return any(name in categories for name in product.categories + product.supplementary_categories)
