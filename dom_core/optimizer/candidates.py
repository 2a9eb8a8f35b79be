"""Which (line, source) pairs survive the gates and the rules, and why the others do not.

Everything here is columnar: one pass per gate or rule over lines × sources, no solver.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.order import Order
from dom_core.domain.reason import BoolArray, IntArray, Rejection
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.activation import ActiveRule
from dom_core.rules.base import DEFAULT_SPLIT_LIMITS, CapacityLimit, SplitLimits

ALLOWED = -1
"""In `rejected_by`: no gate or rule objects to the pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What the rules of one iteration leave.

    `rejected_by` (L, S) indexes `rejections`, ALLOWED where the pair survives; `stock` (P, S) is allocatable units;
    `steps` (L, S) is priority less one, zero without priority; `split_limits` is per order.
    """

    batch: Batch
    rejected_by: IntArray
    rejections: tuple[Rejection, ...]
    stock: IntArray
    steps: IntArray
    split_limits: tuple[SplitLimits, ...]
    capacities: tuple[CapacityLimit, ...]

    @property
    def allowed(self) -> BoolArray:
        """The surviving pairs (L, S)."""
        allowed: BoolArray = self.rejected_by == ALLOWED
        return allowed


def generate(batch: Batch, rules: Sequence[ActiveRule]) -> Candidates:
    """Surviving pairs of all eligible lines under these rules. The first objection, gates first, is the reason."""
    kept_back = _kept_back(batch, rules)
    stock = np.where(batch.available >= UNLIMITED_UNITS, UNLIMITED_UNITS, np.maximum(batch.available - kept_back, 0))
    rejections = (*_gates(batch), *_by_rules(batch, rules), *_ring_fenced(batch, rules, stock))
    rejected_by = np.full(batch.shape, ALLOWED, dtype=np.int64)
    for number, rejection in enumerate(rejections):
        rejected_by[(rejected_by == ALLOWED) & np.broadcast_to(rejection.pairs, batch.shape)] = number
    return Candidates(
        batch=batch,
        rejected_by=rejected_by,
        rejections=rejections,
        stock=stock,
        steps=_steps(batch, rules),
        split_limits=_split_limits(batch, rules),
        capacities=tuple(_capacities(batch, rules)),
    )


def _gates(batch: Batch) -> Iterator[Rejection]:
    """What is never relaxed: inactive source, foreign legal entity, no stock at all, a bar after a rejection."""
    inactive = np.array([[not source.active for source in batch.sources]], dtype=bool).reshape(1, -1)
    yield Rejection("source_inactive", inactive)
    source_entities = np.array([source.legal_entity for source in batch.sources], dtype=object)
    order_entities = np.array([order.legal_entity for order in batch.orders], dtype=object)
    line_entities = order_entities[batch.order_of][:, None]
    yield Rejection(
        "legal_entity", (line_entities != source_entities[None, :]).astype(bool), line_entities, source_entities
    )
    available = batch.available[batch.product_of]
    yield Rejection("no_stock", available < 1, batch.units[:, None], available, "units")
    yield _bars(batch)


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


def _kept_back(batch: Batch, rules: Sequence[ActiveRule]) -> IntArray:
    most = np.zeros_like(batch.available)
    for _, kept in _ring_fences(batch, rules):
        most = np.maximum(most, kept)
    return most


def _ring_fences(batch: Batch, rules: Sequence[ActiveRule]) -> Iterator[tuple[ActiveRule, IntArray]]:
    for active in rules:
        kept = active.rule.units_kept_back(batch)
        if kept is not None:
            yield active, np.where(active.sources_in_force(batch)[None, :], kept, 0)


def _ring_fenced(batch: Batch, rules: Sequence[ActiveRule], stock: IntArray) -> Iterator[Rejection]:
    """Cells whose whole stock is kept back: the rule that keeps all of it is the reason."""
    used_up = (stock < 1) & (batch.available >= 1)
    for active, kept in _ring_fences(batch, rules):
        cells = used_up & (kept >= batch.available)
        yield Rejection(
            active.rule.kind,
            cells[batch.product_of],
            kept[batch.product_of],
            batch.available[batch.product_of],
            "units",
            active.rule.id,
        )


def _steps(batch: Batch, rules: Sequence[ActiveRule]) -> IntArray:
    worst = np.zeros(batch.shape, dtype=np.int64)
    for active in rules:
        priorities = active.rule.priorities(batch)
        if priorities is not None:
            in_force = active.sources_in_force(batch)[None, :]
            worst = np.maximum(worst, np.where(in_force, np.maximum(priorities - 1, 0), 0))
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
