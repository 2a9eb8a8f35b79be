"""A pass over all pairs says the same bytes, in however many blocks and threads it is made."""

from threading import Event, current_thread

import numpy as np
import pytest

from dom_core.errors import Cancelled
from dom_core.optimizer import pattern_costs, workers
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Priced, PricedGroups, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.working_set import Table, WorkingSet
from dom_core.watch import Watch
from tests.optimizer.test_prices import pricer_of
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import rivals
from tests.optimizer.varied import varied_problems


def bytes_of(found: Priced) -> tuple[bytes, ...]:
    """All that a pass says."""
    bound = np.array([found.bound])
    return tuple(array.tobytes() for array in (found.chosen, bound, found.capacity_use, found.worth))


def all_of(table: Table) -> tuple[bytes, ...]:
    """All of a table of a working set."""
    groups = table.groups
    arrays = (groups.lines, groups.sources, groups.together, groups.alone, groups.shares, groups.unit_gains)
    more = (groups.limited, table.offered, table.cells, *table.taken, groups.helpers, groups.short)
    return (repr(groups.kind).encode(), *(b"" if array is None else array.tobytes() for array in (*arrays, *more)))


def promising(one: Problem, prices: Prices) -> list[tuple[bytes, ...]]:
    """The sources of every group in a set that grew twice, and what its lines pay alone there."""
    working = WorkingSet(pricer_of(one))
    working.grow(Prices.none(one))
    working.grow(prices)
    return [
        (np.where(table.offered, table.groups.sources, -1).tobytes(), table.groups.alone.tobytes())
        for table in sorted(working.tables, key=lambda table: table.groups.kind)
    ]


def grown(one: Problem, prices: Prices) -> list[tuple[bytes, ...]]:
    """A working set that grew twice, and what the passes said."""
    working = WorkingSet(pricer_of(one))
    found = [working.grow(Prices.none(one)), working.grow(prices)]
    return [*map(bytes_of, found), *map(all_of, working.tables)]


def test_however_many_threads_work_on_the_blocks_a_pass_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 40)
    blocks = 0
    for seed, one, prices in varied_problems():
        blocks = max(blocks, len(pricer_of(one).costs.ranges()))
        said = []
        for count in (1, 2, 3):
            monkeypatch.setattr(workers, "WORKERS", count)
            said.append((grown(one, prices), bytes_of(pricer_of(one).price(prices, stock=one.stock // 2))))
        assert said[0] == said[1] == said[2], seed
    assert blocks > 5


def test_patterns_and_promising_sources_do_not_depend_on_the_size_of_the_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed, one, prices in varied_problems():
        whole = pricer_of(one).price(prices)
        with monkeypatch.context() as patch:
            patch.setattr(pattern_costs, "BLOCK_PAIRS", 30)
            found = pricer_of(one).price(prices)
            in_blocks = promising(one, prices)
        assert in_blocks == promising(one, prices), seed
        assert bytes_of(found)[:2] == bytes_of(whole)[:2], seed
        assert found.worth.tobytes() == whole.worth.tobytes(), seed
        assert found.capacity_use == pytest.approx(whole.capacity_use), seed


def test_blocks_are_at_work_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 1)
    begun = {name: Event() for name in ("one", "other")}

    def wait_for_the_other(priced: PricedGroups) -> bool:
        one, other = (
            begun[name] for name in (("one", "other") if priced.groups.lines.min() == 0 else ("other", "one"))
        )
        one.set()
        return other.wait(60)

    one = problem_of(rivals(2))
    assert all(block.seen == [True] for block in pricer_of(one).blocks(Prices.none(one), wait_for_the_other))


def test_what_fails_in_a_thread_comes_out_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 1)
    one, looked = problem_of(rivals(60)), list[int]()

    def fail(priced: PricedGroups) -> None:
        looked.append(1)
        raise LookupError(str(priced.groups.lines.min()))

    with pytest.raises(LookupError, match="0"):
        pricer_of(one).blocks(Prices.none(one), fail)
    assert len(looked) <= 2 * workers.WORKERS


def test_a_pass_is_stopped_between_blocks_by_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 1)
    one, asked, looked = problem_of(rivals(60)), list[object](), list[int]()

    def stop() -> bool:
        asked.append(current_thread())
        return len(asked) > 5

    pricer = Pricer(one, np.flatnonzero(one.wanted > 0), Watch(stop_asked=stop))
    with pytest.raises(Cancelled):
        pricer.blocks(Prices.none(one), lambda _: looked.append(1))
    assert len(looked) <= 5
    assert set(asked) == {current_thread()}
