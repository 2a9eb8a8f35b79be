"""The search finds what one exact model finds, proves no more than is so, and says the same however it is done."""

from collections import Counter
from dataclasses import replace

import pytest

from dom_core.domain.plan import Ending
from dom_core.optimizer.solving import CbcSolver
from tests.engine.cases import case
from tests.engine.examining import examine
from tests.engine.judging import judged
from tests.engine.searching import Searched, SearchingCrew, whole

TINY = tuple(seed for seed in range(32) if seed % 3)
SMALL = (3, 9, 18, 21, 24, 33, 36, 42, 57, 120, 12057, 20595, 40791, 40968)
"""Seconds each. In case 120 a bound was once above the optimum: a dear unit stayed out of a short source.

In case 12057 the price of a full room rose to 2e20, and took the last digits of what a shipment costs with it. Case
20595 costs three points, and what prices prove is off by a part in 10^11: told to a thousandth, that was a gap.
In case 40791 an order of eight lines is not worth serving: its savings were nothing, counted, and not told. In
case 40968 savings proved less than a point more: any others would have been believed.
"""

SCARCE = 9
"""A case with prices in both iterations."""


@pytest.mark.parametrize("seeds", [TINY[:10], TINY[10:], SMALL[:5], SMALL[5:10], SMALL[10:]], ids=str)
def test_what_is_searched_is_the_optimum_and_its_bound_holds(seeds: tuple[int, ...]) -> None:
    """Whole and part by part, by one worker and by two, in another order; and verification refuses every lie."""
    counted = Counter[str]()
    for seed in seeds:
        found = examine(case(seed))
        assert not found.findings, f"seed {seed}: {found.findings}"
        assert not found.missed, f"seed {seed}: {found.missed}"
        counted += found.counted
    assert not counted["not proven by CBC"]
    assert counted["parts"] >= len(seeds) / 2
    assert counted["lies"] >= 5 * len(seeds)


@pytest.fixture(scope="module")
def scarce() -> Searched:
    """A block that was searched, and found to be right."""
    crew = SearchingCrew(CbcSolver())
    whole(case(SCARCE), crew)
    assert not judged(crew.searched[0]).findings
    return crew.searched[0]


def test_a_bound_above_the_optimum_is_noticed_also_on_the_way(scarce: Searched) -> None:
    best = judged(scarce).optimum
    assert best is not None
    (finding,) = judged(replace(scarce, bounds=(*scarce.bounds, best * 1.01, scarce.answer.bound))).findings
    assert finding.endswith(f"is above the optimum {best}")


def test_a_worse_plan_is_noticed_and_wrong_when_it_is_called_optimal(scarce: Searched) -> None:
    worse = replace(scarce, answer=replace(scarce.answer, flows=(), ending=Ending.UNPROVEN))
    assert judged(worse).missed
    assert not judged(worse).findings
    (finding,) = judged(replace(worse, answer=replace(worse.answer, ending=Ending.OPTIMAL))).findings
    assert "is called optimal" in finding
