"""Fewest splits, then nearest, order by order: the best that can be done without looking at other orders.

Every order takes its cheapest pattern over what is left, by the same points as the optimizer: exact up to six lines;
beyond, again and again the source that holds most of what is missing, and of those the nearest.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from benchmarks.answers import Answer
from benchmarks.ways.ledger import Ledger, order_by_order
from dom_core.domain.plan import Level
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest

EXACT_LINES = 6

Pattern: TypeAlias = tuple[tuple[int, int], ...]
"""Sets of the order's lines, as bits, each with the source that ships them."""


def planned(request: PlanRequest, _limit_s: float) -> Answer:
    """Serve the orders, earliest first, each as well as it can be."""
    return order_by_order(request, _serve)


def _serve(ledger: Ledger, lines: list[int]) -> None:
    pattern = _cheapest(ledger, lines) if len(lines) <= EXACT_LINES else _cover(ledger, lines)
    for members, source in pattern:
        for line in _chosen(lines, members):
            if ledger.holders(line, ledger.wanted(line))[source]:
                ledger.take(line, source, ledger.wanted(line))
    # Lines that no single source can fill, or that lost against a line of the same order for the same product.
    everywhere = np.ones(ledger.stock.shape[1], dtype=bool)
    for line in lines:
        if ledger.missing(line):
            ledger.fill(line, everywhere)


def _chosen(lines: list[int], members: int) -> Iterator[int]:
    return (line for bit, line in enumerate(lines) if members >> bit & 1)


def _cheapest(ledger: Ledger, lines: list[int]) -> Pattern:
    """The pattern of fewest points: unfilled units, shipments, priority, kilometres."""
    ships = dict(_shipments(ledger, lines))
    loss = [_unfilled_points(ledger, line) for line in lines]
    everything = (1 << len(lines)) - 1
    best: dict[int, tuple[float, Pattern]] = {0: (0.0, ())}
    for _ in range(ledger.limits.max_sources or len(lines)):
        longer = dict(best)
        for served, (points, pattern) in best.items():
            for members, (charge, source) in ships.items():
                together = served | members
                if not served & members and points + charge < longer.get(together, (np.inf, ()))[0]:
                    longer[together] = (points + charge, (*pattern, (members, source)))
        best = longer

    def total(served: int) -> float:
        return best[served][0] + sum(loss[bit] for bit in range(len(lines)) if not served >> bit & 1)

    if not ledger.limits.partial_orders:
        return best[everything][1] if everything in best else ()
    return best[min(best, key=lambda served: (total(served), served))][1]


def _shipments(ledger: Ledger, lines: list[int]) -> Iterator[tuple[int, tuple[float, int]]]:
    """For each set of lines that some source holds, the cheapest such source with its charge."""
    held, charges = _held(ledger, lines), _charges(ledger, lines)
    for members in range(1, 1 << len(lines)):
        holders = np.flatnonzero(held & members == members)
        if len(holders):
            source = int(holders[charges[holders].argmin()])
            yield members, (float(charges[source]), source)


def _held(ledger: Ledger, lines: list[int]) -> IntArray:
    """For each source (S), the lines that it holds in full, as bits."""
    held = np.zeros(ledger.stock.shape[1], dtype=np.int64)
    for bit, line in enumerate(lines):
        held |= ledger.holders(line, ledger.wanted(line)).astype(np.int64) << bit
    return held


def _charges(ledger: Ledger, lines: list[int]) -> IntArray:
    """Points of a shipment from each source (S), as if all lines had one destination and one priority."""
    rates, problem = ledger.problem.rates, ledger.problem
    charges: IntArray = rates[Level.SHIPMENTS] + problem.km[lines[0]] * rates[Level.DISTANCE_KM]
    charges += problem.steps[lines[0]] * rates[Level.PRIORITY_STEPS]
    return charges


def _unfilled_points(ledger: Ledger, line: int) -> int:
    weight = int(ledger.problem.weights[ledger.problem.batch.order_of[line]])
    return ledger.wanted(line) * weight * ledger.problem.rates[Level.UNFILLED_UNITS]


def _cover(ledger: Ledger, lines: list[int]) -> Pattern:
    held, charges = _held(ledger, lines), _charges(ledger, lines)
    units = np.array([ledger.wanted(line) for line in lines])
    pattern: list[tuple[int, int]] = []
    missing = (1 << len(lines)) - 1
    for _ in range(ledger.limits.max_sources or len(lines)):
        covers = sum(((held & missing) >> bit & 1) * units[bit] for bit in range(len(lines)))
        source = int(np.lexsort((charges, -np.asarray(covers)))[0])
        members = int(held[source]) & missing
        if not members:
            break
        pattern.append((members, source))
        missing &= ~members
    return tuple(pattern)
