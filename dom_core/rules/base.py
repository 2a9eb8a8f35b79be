"""What a rule is: hooks whose default is "no objection".

A rule overrides the hooks that it needs; hard or soft is not its business.

The stages call the hooks; `optimizer/candidates.py` is the caller of most. Dates are not the rule's business either:
the stages ask only rules in force, and mask sources on whose calendar a rule is not.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from dom_core.domain.batch import Batch
from dom_core.domain.ids import OrderId, RuleId, SourceId, SourceListId
from dom_core.domain.network import Product, Source
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Plan
from dom_core.domain.reason import IntArray, Reason, Rejection
from dom_core.domain.request import PlanRequest
from dom_core.watch import UNWATCHED, Watch


@dataclass(frozen=True, slots=True)
class SplitLimits:
    """How far one order may be torn apart. `None` is any number. Field by field, the stricter of several wins."""

    max_sources: int | None = None
    partial_orders: bool = True
    partial_lines: bool = True
    max_sources_per_line: int | None = None

    def stricter(self, other: "SplitLimits") -> "SplitLimits":
        """Both limits together."""
        return SplitLimits(
            _least(self.max_sources, other.max_sources),
            self.partial_orders and other.partial_orders,
            self.partial_lines and other.partial_lines,
            _least(self.max_sources_per_line, other.max_sources_per_line),
        )


DEFAULT_SPLIT_LIMITS = SplitLimits(partial_lines=False)
"""Without a partial-orders rule: any sources, some lines may wait, each line in full."""


@dataclass(frozen=True, slots=True)
class CapacityLimit:
    """Room left at a group of sources together: at most `remaining` more orders (or lines).

    `counted` holds (order position, source position) pairs that earlier plans already count: they need no room.
    `taken_by` says who of earlier plans has the room that is gone, orders outside the batch among them: evidence, which
    makes no other limit.
    """

    sources: tuple[int, ...]
    remaining: int
    per_line: bool
    counted: frozenset[tuple[int, int]] = frozenset()
    rule_id: RuleId = ""
    taken_by: tuple[tuple[OrderId, SourceId], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Network:
    """What is there before any order is: sources, the members of each source list, and the catalogue."""

    sources: tuple[Source, ...]
    members: Mapping[SourceListId, frozenset[SourceId]]
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken by an assignment of a plan. Without an order it concerns the source as a whole."""

    rule_id: RuleId
    message: str
    order_id: str | None = None
    line_id: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rule(ABC):
    """A business constraint of one kind, with its parameters understood.

    `never_relaxed`: binds in iteration 2 whatever its flag. `applies_to_write_in`: concerns products outside the
    catalogue too. `dated_by_source`: its dates are those of each source's calendar, otherwise UTC. `shares_room`: what
    it limits is taken by other plans too, so it is looked at again when a plan is approved.
    """

    kind: ClassVar[str]
    never_relaxed: ClassVar[bool] = False
    applies_to_write_in: ClassVar[bool] = False
    dated_by_source: ClassVar[bool] = True
    shares_room: ClassVar[bool] = False

    id: RuleId

    @classmethod
    @abstractmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe. Raises InvalidInput with a path for each problem."""

    def references(self) -> Iterator[tuple[str, str, str]]:
        """What the parameters name, as (path, kind of object, id): checked when a configuration is saved."""
        return iter(())

    def sources_out(self, network: Network) -> frozenset[SourceId]:
        """Sources that serve nothing at all under this rule, whatever the line and the hour: to warn before saving."""
        return frozenset()

    def hold_line(self, request: PlanRequest, order: Order, line: Line) -> Reason | None:
        """Why this line may not be planned now at all."""
        return None

    def reject_candidates(self, batch: Batch) -> Iterable[Rejection]:
        """Pairs that this rule takes out. The batch is some orders of the run, or one of them: what the answer says of
        a pair hangs on no other line.
        """
        return ()

    def units_kept_back(self, batch: Batch) -> IntArray | None:
        """Units per product and source (P, S) that may not be promised."""
        return None

    def priorities(self, batch: Batch) -> IntArray | None:
        """Priority per pair (L, S), 1 best to 10, 0 for none. The batch is some orders of the run."""
        return None

    def split_limits(self, batch: Batch) -> tuple[SplitLimits, ...] | None:
        """How far each order (O) may be torn apart."""
        return None

    def capacities(self, batch: Batch) -> Iterable[CapacityLimit]:
        """Room left at sources."""
        return ()

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterable[Violation]:
        """What of a plan breaks this rule, found without looking at how the plan was made.

        Raises Cancelled soon after the watch asks to stop: loops over the lines of a plan are `watch.each`.
        """
        return ()


def _least(one: int | None, other: int | None) -> int | None:
    given = [value for value in (one, other) if value is not None]
    return min(given) if given else None
