"""Which (line, source) pairs survive the gates and the rules, and why the others do not.

Everything here is columnar: passes per gate or rule over lines × sources, block of orders by block, no solver.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.order import Order
from dom_core.domain.reason import BoolArray, IntArray, Reason, Rejection
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.activation import ActiveRule
from dom_core.rules.base import DEFAULT_SPLIT_LIMITS, CapacityLimit, SplitLimits
from dom_core.watch import UNWATCHED, Watch

ALLOWED = -1
"""In `rejected_by`: no gate or rule objects to the pair."""

ObjectionArray = npt.NDArray[np.int16]

_BLOCK_PAIRS = 1_000_000
"""Rules are asked about so many pairs at a time: what they answer is looked at and forgotten."""


class Objection(NamedTuple):
    """What takes a pair out: the name of a gate, or a rule's kind and id."""

    code: str
    rule_id: RuleId | None


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What the rules of one iteration leave.

    `rejected_by` (L, S) indexes `objections`, ALLOWED where the pair survives; `stock` (P, S) is allocatable units;
    `steps` (L, S) is priority less one, zero without priority; `split_limits` is per order. The evidence of objections
    is not kept: the rules are asked again about the order in question.
    """

    batch: Batch
    rules: tuple[ActiveRule, ...]
    rejected_by: ObjectionArray
    objections: tuple[Objection, ...]
    stock: IntArray
    steps: IntArray
    split_limits: tuple[SplitLimits, ...]
    capacities: tuple[CapacityLimit, ...]
    evidence: dict[int, tuple[Rejection, ...]] = field(default_factory=dict)

    @property
    def allowed(self) -> BoolArray:
        """The surviving pairs (L, S)."""
        allowed: BoolArray = self.rejected_by == ALLOWED
        return allowed

    def reasons(self, line: int, source: int) -> Iterator[Reason]:
        """Every objection to a pair with its evidence, the one that counts first."""
        order = int(self.batch.order_of[line])
        if order not in self.evidence:
            self.evidence.clear()  # Whoever asks goes through the orders one after another.
            self.evidence[order] = tuple(_rejections(self.batch.of_orders(order, order + 1), self.rules))
        row = line - bisect_left(self.batch.order_of, order)
        for rejection in self.evidence[order]:
            if rejection.concerns(row, source):
                yield rejection.reason(row, source)


def generate(batch: Batch, rules: Sequence[ActiveRule], watch: Watch = UNWATCHED) -> Candidates:
    """Surviving pairs of all eligible lines under these rules. The first objection, gates first, is the reason."""
    found: dict[Objection, int] = {}
    rejected_by = np.full(batch.shape, ALLOWED, dtype=np.int16)
    steps = _no_steps(batch)
    for first, last in _blocks_of_orders(batch):
        watch.go_on()
        block = batch.of_orders(first, last)
        start = bisect_left(batch.order_of, first)
        rows = slice(start, start + len(block.lines))
        _mark(rejected_by[rows], _rejections(block, rules), found)
        ranked = _steps(block, rules)
        if ranked is not None:
            steps = steps if steps.flags.writeable else np.zeros(batch.shape, dtype=np.int32)
            steps[rows] = ranked
    return Candidates(
        batch=batch,
        rules=tuple(rules),
        rejected_by=rejected_by,
        objections=tuple(found),
        stock=_allocatable(batch, [kept for _, kept in _ring_fences(batch, rules)]),
        steps=steps,
        split_limits=_split_limits(batch, rules),
        capacities=tuple(_capacities(batch, rules)),
    )


def _blocks_of_orders(batch: Batch) -> Iterator[tuple[int, int]]:
    """Whole orders, about _BLOCK_PAIRS at a time: the first of them, and the one after the last."""
    lines = max(1, _BLOCK_PAIRS // max(1, batch.shape[1]))
    first = 0
    while first < len(batch.orders):
        start = bisect_left(batch.order_of, first)
        end = start + lines
        last = int(batch.order_of[end]) if end < len(batch.lines) else len(batch.orders)
        yield first, max(first + 1, last)
        first = max(first + 1, last)


def _mark(rejected_by: ObjectionArray, rejections: Iterable[Rejection], found: dict[Objection, int]) -> None:
    """Write the first objection to each pair of a block. `found` numbers objections as they come."""
    for rejection in rejections:
        objection = Objection(rejection.code, rejection.rule_id)
        pairs = np.broadcast_to(rejection.pairs, rejected_by.shape)
        number = found.setdefault(objection, len(found))
        np.copyto(rejected_by, np.int16(number), where=pairs & (rejected_by == ALLOWED))


def _rejections(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[Rejection]:
    yield from _gates(batch)
    yield from _by_rules(batch, rules)
    yield from _ring_fenced(batch, rules)


def _allocatable(batch: Batch, kept_back: Sequence[IntArray]) -> IntArray:
    """Units that may be promised (P, S); the available ones themselves where nothing is kept back."""
    if not kept_back:
        return batch.available
    most = reduce(np.maximum, kept_back)
    return np.where(batch.available >= UNLIMITED_UNITS, UNLIMITED_UNITS, np.maximum(batch.available - most, 0))


def _gates(batch: Batch) -> Iterator[Rejection]:
    """What is never relaxed: inactive source, foreign legal entity, no stock at all, a bar after a rejection."""
    inactive = np.array([[not source.active for source in batch.sources]], dtype=bool).reshape(1, -1)
    yield Rejection("source_inactive", inactive)
    yield from _foreign(batch)
    available = batch.available[batch.product_of]
    yield Rejection("no_stock", available < 1, batch.units[:, None], available, "units")
    if any(line.bars for line in batch.lines):
        yield _bars(batch)


def _foreign(batch: Batch) -> Iterator[Rejection]:
    source_entities = np.array([source.legal_entity for source in batch.sources], dtype=object)
    order_entities = np.array([order.legal_entity for order in batch.orders], dtype=object)
    _, numbers = np.unique(np.concatenate([order_entities, source_entities]), return_inverse=True)
    of_orders, of_sources = np.split(numbers, [len(order_entities)])
    foreign = of_orders[batch.order_of][:, None] != of_sources[None, :]
    yield Rejection("legal_entity", foreign, order_entities[batch.order_of][:, None], source_entities)


def _bars(batch: Batch) -> Rejection:
    barred = np.zeros(batch.shape, dtype=bool)
    until = np.full(batch.shape, "", dtype=object)
    position = {source.id: column for column, source in enumerate(batch.sources)}
    for row, line in enumerate(batch.lines):
        for bar in line.bars:
            column = position.get(bar.source_id)
            if column is not None and bar.until > batch.request.now:
                barred[row, column] = True
                until[row, column] = f"until {bar.until:%Y-%m-%d %H:%M} UTC"
    return Rejection("rejection_bar", barred, actual=until)


def _by_rules(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[Rejection]:
    counted = np.array([line.product_id != WRITE_IN_PRODUCT_ID for line in batch.lines], dtype=bool)[:, None]
    for active in rules:
        if active.only_ranks:
            continue
        mask = active.sources_in_force(batch)[None, :]
        if not active.rule.applies_to_write_in:
            mask = mask & counted
        for rejection in active.rule.reject_candidates(batch):
            yield replace(rejection, pairs=rejection.pairs & mask, rule_id=active.rule.id)


def _ring_fences(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[tuple[ActiveRule, IntArray]]:
    for active in rules:
        kept = active.rule.units_kept_back(batch)
        if kept is not None:
            yield active, np.where(active.sources_in_force(batch)[None, :], kept, 0)


def _ring_fenced(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[Rejection]:
    """Cells whose whole stock is kept back: the rule that keeps all of it is the reason."""
    fences = list(_ring_fences(batch, rules))
    used_up = (_allocatable(batch, [kept for _, kept in fences]) < 1) & (batch.available >= 1)
    for active, kept in fences:
        cells = used_up & (kept >= batch.available)
        yield Rejection(
            active.rule.kind,
            cells[batch.product_of],
            kept[batch.product_of],
            batch.available[batch.product_of],
            "units",
            active.rule.id,
        )


def _no_steps(batch: Batch) -> IntArray:
    """No pair is worse than another: one zero, seen everywhere."""
    return np.broadcast_to(np.int64(0), batch.shape)


def _steps(batch: Batch, rules: Sequence[ActiveRule]) -> IntArray | None:
    """How far down each pair of a block is, by the worst of its priorities; None where no rule ranks."""
    worst = None
    for active in rules:
        priorities = active.rule.priorities(batch)
        if priorities is not None:
            in_force = active.sources_in_force(batch)[None, :]
            steps = np.where(in_force, np.maximum(priorities - 1, 0), 0)
            worst = steps if worst is None else np.maximum(worst, steps)
    return worst


def _split_limits(batch: Batch, rules: Sequence[ActiveRule]) -> tuple[SplitLimits, ...]:
    linked = [
        limits
        for active in rules
        if active.in_force(batch.request) and (limits := active.rule.split_limits(batch)) is not None
    ]
    return tuple(_strictest([limits[order] for limits in linked]) for order in range(len(batch.orders)))


def _strictest(limits: Sequence[SplitLimits]) -> SplitLimits:
    if not limits:
        return DEFAULT_SPLIT_LIMITS
    strictest = limits[0]
    for other in limits[1:]:
        strictest = strictest.stricter(other)
    return strictest


def _capacities(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[CapacityLimit]:
    for active in rules:
        by_source, in_utc = active.sources_in_force(batch), active.in_force(batch.request)
        for capacity in active.rule.capacities(batch):
            # A limit that sources share is no single source's affair: its dates are UTC dates.
            alone = len(capacity.sources) == 1
            if capacity.sources and (by_source[capacity.sources[0]] if alone else in_utc):
                yield capacity


def class_weight(order: Order) -> int:
    """How many times an unfilled unit of this order counts: classes 1 to 5 weigh 16, 8, 4, 2, 1; no class 1."""
    return 2 ** (5 - order.priority_class) if order.priority_class else 1
