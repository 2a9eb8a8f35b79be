"""All patterns within a gap of their group's best: those, no others, and in the same order every time."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from dom_core.domain.reason import FloatArray
from dom_core.optimizer.cheapest import NOWHERE, cheapest_patterns
from dom_core.optimizer.near_best import Found, NearBest, TooMany
from dom_core.optimizer.pattern_costs import Kind

GROUPS, CASES, CHUNK, PLENTY = 2, 150, 50, 10**6


@dataclass(frozen=True)
class Case:
    """Two groups of one kind with whole costs, some pairs of which are no candidates, and a gap."""

    kind: Kind
    together: FloatArray
    alone: FloatArray
    helpers: FloatArray | None
    gap: float

    def found(self, most: int = PLENTY) -> Found:
        return NearBest(self.kind, self.together, self.alone, self.helpers).within(self.gap, most)

    def cost(self, group: int, places: tuple[int, ...]) -> float:
        """What a pattern costs by its definition: its lines alone, each of its sources once, a helper if in one."""
        visited = {place for place in places if place != NOWHERE}
        alone = sum(self.alone[group, line, place] for line, place in enumerate(places) if place != NOWHERE)
        helped = self.helpers is not None and len(visited) == 1 and NOWHERE not in places
        helper = self.helpers[group, places[0]] if helped and self.helpers is not None else 0.0
        return float(alone + sum(self.together[group, place] for place in visited) + helper)

    def allowed(self) -> list[tuple[int, ...]]:
        """All ways to place the lines of a group of this kind."""
        size, most, may_wait = self.kind
        ways = product(range(NOWHERE, self.together.shape[1]), repeat=size)
        return [
            way
            for way in ways
            if len(set(way) - {NOWHERE}) <= most and (may_wait or NOWHERE not in way or set(way) == {NOWHERE})
        ]

    def expected(self) -> list[list[int]]:
        """The patterns within the gap, by trying everything; group, then places."""
        rows = []
        for group in range(GROUPS):
            costs = {way: self.cost(group, way) for way in self.allowed()}
            best = min(costs.values())
            rows += [[group, *way] for way, cost in costs.items() if cost <= best + self.gap and set(way) != {NOWHERE}]
        return sorted(rows)


def a_case(seed: int) -> Case:
    random = np.random.default_rng(seed)
    size, sources = int(random.integers(1, 5)), int(random.integers(1, 5))
    kind = (size, int(random.integers(1, size + 1)), bool(random.integers(2)))
    together = random.integers(0, 10, (GROUPS, sources)).astype(np.float64)
    alone = random.integers(-12, 4, (GROUPS, size, sources)).astype(np.float64)
    alone[random.random(alone.shape) < 0.2] = np.inf
    helpers = random.integers(0, 6, (GROUPS, sources)).astype(np.float64) if random.random() < 0.3 else None
    return Case(kind, together, alone, helpers, float(random.integers(0, 15)))


def table(found: Found) -> list[list[int]]:
    return [[int(row), *places] for row, places in zip(found.rows, found.places.tolist(), strict=True)]


@pytest.mark.parametrize("first", range(0, CASES, CHUNK))
def test_exactly_the_patterns_within_the_gap_are_found_each_once(first: int) -> None:
    for seed in range(first, first + CHUNK):
        case = a_case(seed)
        assert sorted(table(case.found())) == case.expected(), seed


def test_the_cases_have_every_kind() -> None:
    kinds = {(waits, most < size) for size, most, waits in (a_case(seed).kind for seed in range(CASES))}
    assert kinds == {(waits, binds) for waits in (False, True) for binds in (False, True)}
    assert any(np.isinf(a_case(seed).alone).all(axis=2).any() for seed in range(CASES))
    assert any(not a_case(seed).expected() for seed in range(CASES))


def test_with_no_gap_the_cheapest_pattern_is_among_those_found() -> None:
    for seed in range(CHUNK):
        case = a_case(seed)
        tight = Case(case.kind, case.together, case.alone, case.helpers, 0.0)
        best = cheapest_patterns(case.kind, case.together, case.alone, case.helpers)
        rows = table(tight.found())
        for group in np.flatnonzero(best.worth < 0).tolist():
            assert [group, *best.places[group].tolist()] in rows, seed


def test_they_come_by_group_and_then_by_their_places_every_time() -> None:
    for seed in range(CHUNK):
        rows = table(a_case(seed).found())
        assert rows == sorted(rows), seed
        assert rows == table(a_case(seed).found()), seed


def test_as_many_as_were_allowed_are_found_and_one_more_is_too_many() -> None:
    # One line, three sources: three patterns, each begun once, besides the one that waits.
    case = Case((1, 1, True), np.zeros((1, 3)), np.full((1, 1, 3), -1.0), None, 0.0)
    assert table(case.found(most=3)) == [[0, 0], [0, 1], [0, 2]]
    with pytest.raises(TooMany):
        case.found(most=2)


def test_who_begins_far_too_many_gives_up_before_they_are_all_made() -> None:
    # Six lines that may each go to any of a thousand sources: nobody could hold them all.
    case = Case((6, 6, False), np.zeros((1, 1000)), np.full((1, 6, 1000), -1.0), None, 0.0)
    with pytest.raises(TooMany):
        case.found(most=10)
