"""What is worked out block by block, or in arrays, is what plain loops over everything say."""

from collections.abc import Iterator

import numpy as np
import pytest

from dom_core.domain.batch import PlaceTable
from dom_core.domain.reason import Reason
from dom_core.optimizer import activation, candidates, decomposition
from dom_core.optimizer.candidates import ALLOWED, Candidates
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.relaxation import prepare
from dom_core.rules.base import CapacityLimit
from tests.oracle.generation import generate

SEEDS = range(150)


def found_for(seed: int) -> Candidates:
    request = generate(seed)
    return candidates.generate(open_lines(request)[0], activation.in_iteration(request, 1))


def told(found: Candidates) -> list[list[tuple[str, str | None] | None]]:
    """What takes each pair out."""
    return [[None if by == ALLOWED else found.objections[by] for by in row] for row in found.rejected_by.tolist()]


def test_rules_say_the_same_of_every_order_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    together = [found_for(seed) for seed in SEEDS]
    monkeypatch.setattr(candidates, "_BLOCK_PAIRS", 1)
    for seed, whole in zip(SEEDS, together, strict=True):
        alone = found_for(seed)
        assert told(alone) == told(whole), seed
        assert alone.steps.tolist() == whole.steps.tolist(), seed
        assert alone.stock.tolist() == whole.stock.tolist(), seed


def test_the_first_evidence_is_that_of_what_took_the_pair_out() -> None:
    for seed in SEEDS:
        found = found_for(seed)
        for (line, source), by in np.ndenumerate(found.rejected_by):
            first: Reason | None = next(found.reasons(line, source), None)
            code = (first.code, first.rule_id) if first else None
            assert code == (found.objections[by] if by != ALLOWED else None), (seed, line, source)


def test_a_place_table_answers_like_the_array_that_it_stands_for() -> None:
    table = PlaceTable(np.array([1, 0, 1]), np.array([[1, 2], [3, 2**31 - 1]], dtype=np.int32))
    whole = table.astype(np.int64)
    assert whole.tolist() == [[3, 2**31 - 1], [1, 2], [3, 2**31 - 1]]
    rows, columns = np.array([2, 1]), np.array([1, 0])
    for index in (0, slice(1, 3), rows, (2, 1), (rows, columns), np.ix_(rows, columns), np.array([True, False, True])):
        assert np.array_equal(table[index], whole[index])
    assert int(table[0, 1] * 1000) == (2**31 - 1) * 1000
    assert table.shape == whole.shape


def competing(problem: Problem) -> Iterator[set[int]]:
    """The orders at each cell and capacity that can bind, one by one."""
    reach = problem.allowed & (problem.wanted > 0)[:, None]
    batch = problem.batch
    for product, source in np.ndindex(*problem.stock.shape):
        lines = [line for line in range(batch.shape[0]) if batch.product_of[line] == product and reach[line, source]]
        if sum(int(problem.wanted[line]) for line in lines) > problem.stock[product, source]:
            yield {int(batch.order_of[line]) for line in lines}
    for capacity in problem.capacities:
        if len(visitors(problem, capacity)) > capacity.remaining:
            rows = reach[:, list(capacity.sources)].any(axis=1)
            yield {int(order) for order in batch.order_of[rows]}


def visitors(problem: Problem, capacity: CapacityLimit) -> set[tuple[int, int]]:
    reach = problem.allowed & (problem.wanted > 0)[:, None]
    found = set()
    for line, source in np.argwhere(reach).tolist():
        if source in capacity.sources:
            found.add((line if capacity.per_line else int(problem.batch.order_of[line]), source))
    return found if capacity.per_line else found - capacity.counted


def test_parts_are_those_that_joining_one_by_one_gives() -> None:
    for seed in SEEDS:
        problem = prepare(open_lines(generate(seed))[0]).problem
        part_of = {order: {order} for order in range(len(problem.batch.orders))}
        for orders in competing(problem):
            joined = set().union(*(part_of[order] for order in orders))
            part_of |= dict.fromkeys(joined, joined)
        expected = []
        for orders in {min(part): part for part in part_of.values()}.values():
            lines = [line for line, order in enumerate(problem.batch.order_of.tolist()) if order in orders]
            if problem.allowed[lines].any():
                expected.append(lines)
        assert [part.tolist() for part in decomposition.independent_parts(problem)] == sorted(expected), seed


@pytest.mark.parametrize("pairs", [1, 1_000_000], ids=["order by order", "at once"])
def test_the_dearest_shipment_is_that_of_plain_sums(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dom_core.optimizer.costs._BLOCK_PAIRS", pairs)
    charged = 0
    for seed in SEEDS:
        prepared = prepare(open_lines(generate(seed))[0])
        costs, found = prepared.problem.costs, prepared.relaxed
        if costs is None:
            continue
        charged += 1
        batch, dearest = costs.batch, 0
        for order in range(len(batch.orders)):
            for source in range(batch.shape[1]):
                lines = np.flatnonzero((batch.order_of == order) & found.allowed[:, source])
                legs: dict[int, int] = {}
                for line in lines.tolist():
                    group = int(costs.travel_group_of[line])
                    legs[group] = max(legs.get(group, 0), int(costs.leg_cents[line, source]))
                cents = sum(legs.values()) + sum(int(costs.part_cents[line, source]) for line in lines)
                dearest = max(
                    dearest, cents + max((int(costs.shipment_cents[line, source]) for line in lines), default=0)
                )
        assert costs.dearest_shipment_cents(found) == dearest, seed
    assert charged > 10
