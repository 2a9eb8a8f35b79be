"""Pieces of a pass over all pairs, priced elsewhere, say the very bytes that the whole pass says here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from dom_core.errors import InvalidInput
from dom_core.optimizer import blocks, pattern_costs, promising, restriction, rounds, task_wire, workers
from dom_core.optimizer.performing import LocalCrew, answered, perform
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.promising import Kept, Known, priced_here
from dom_core.optimizer.rounds import Piece
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.tasks import PriceTask, Task
from dom_core.optimizer.working_set import WorkingSet
from tests.optimizer.test_passes import all_of, bytes_of
from tests.optimizer.test_prices import pricer_of
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import rivals
from tests.optimizer.test_task_wire import crowded
from tests.optimizer.varied import varied_problems
from tests.oracle.generation import generate
from tests.plans import comparable


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few orders are a block, two blocks a piece, and few sources promising: what is known matters."""
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 40)
    monkeypatch.setattr(rounds, "BLOCKS_OF_A_PIECE", 2)
    monkeypatch.setattr(promising, "KEPT_OF_LINE", 2)
    monkeypatch.setattr(promising, "KEPT_OF_SUBSET", 1)


@dataclass
class PricesFromFar:
    """Performs tasks here, and prices pieces of a pass from what comes out of the wire."""

    solver: CbcSolver = field(default_factory=CbcSolver)
    pieces: int = 0

    @property
    def name(self) -> str:
        return self.solver.name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """One after the other, each with its passes from far."""
        return (perform(task, self.solver, self) for task in list(tasks))

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        found: list[PricedBlock[Kept]] = []
        for piece in rounds.pieces(pricer):
            self.pieces += 1
            found += piece.found(answered(task_wire.task_of(piece.asked(prices, known)), self.solver))
        return found


def grown(one: Problem, prices: Prices, price_all: Callable[..., Any]) -> list[tuple[bytes, ...]]:
    """A working set that grew twice, and what the passes said."""
    working = WorkingSet(pricer_of(one), price_all)
    found = [working.grow(Prices.none(one)), working.grow(prices)]
    return [*map(bytes_of, found), *map(all_of, working.tables)]


def test_what_comes_from_far_is_what_is_found_here_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines in parts, write-in lines, long orders, costs, capacities, what an earlier iteration uses: all of it."""
    far, seen = PricesFromFar(), list[Problem]()
    for seed, one, prices in varied_problems():
        monkeypatch.setattr(workers, "WORKERS", 1 + seed % 3)
        monkeypatch.setattr(restriction, "LINES_BY_PLACE", 1 if seed % 2 else 1000)
        assert grown(one, prices, far.price_all) == grown(one, prices, priced_here), seed
        seen.append(one)
    assert far.pieces > 4 * len(seen)
    assert any(one.costs for one in seen)
    assert any(one.used.line_sources for one in seen)
    assert any(capacity.counted for one in seen for capacity in one.capacities)
    assert any(capacity.per_line for one in seen for capacity in one.capacities)
    assert any(one.batch.is_write_in(line) for one in seen for line in range(len(one.wanted)))
    assert max(int(np.bincount(one.batch.order_of).max()) for one in seen) > pattern_costs.GROUP_LINES


def test_the_run_prices_a_piece_itself_as_anybody_else_would() -> None:
    for _, one, prices in varied_problems(9):
        pricer = pricer_of(one)
        working = WorkingSet(pricer)
        working.grow(Prices.none(one))
        here = [block for piece in rounds.pieces(pricer) for block in piece.priced_here(prices, {})]
        assert bytes_of(pricer.together(here, prices)) == bytes_of(pricer.price(prices))


def test_a_plan_by_search_is_the_same_with_prices_from_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    far = PricesFromFar()
    for request in [*map(generate, range(0, 60, 6)), crowded(), rivals(18).build()]:
        here = plan_once(request, CbcSolver(), crew=LocalCrew(CbcSolver()))
        assert comparable(plan_once(request, CbcSolver(), crew=far)) == comparable(here)
    assert far.pieces > 20


def a_piece() -> tuple[Piece, Prices, Known]:
    """The second piece of a part with prices, and what is known of it."""
    one = problem_of(rivals(30))
    cells = np.argwhere(one.stock > 0)
    prices = Prices.of(cells[:, 0], cells[:, 1], np.ones(len(cells)), np.arange(len(cells)) / 4, np.zeros(0))
    working = WorkingSet(pricer_of(one))
    known: list[Known] = []

    def price_all(pricer: Pricer, prices: Prices, before: Known) -> Sequence[PricedBlock[Kept]]:
        known.append(dict(before))
        return priced_here(pricer, prices, before)

    working = WorkingSet(pricer_of(one), price_all)
    working.grow(Prices.none(one))
    working.grow(prices)
    return rounds.pieces(pricer_of(one))[1], prices, known[-1]


def test_a_price_task_comes_back_as_it_was() -> None:
    piece, prices, known = a_piece()
    task = task_wire.task_of(piece.asked(prices, known))
    assert isinstance(task, PriceTask)
    assert len(task.prices.points)
    assert task.known
    assert all((sources >= 0).any() for sources in task.known.values())
    again = task_wire.task_of(task_wire.price_bytes(piece.problem, task.ends, task.prices, task.known))
    assert isinstance(again, PriceTask)
    for name in ("products", "sources", "divisors", "points", "capacity"):
        one, other = getattr(task.prices, name), getattr(again.prices, name)
        assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())
    assert {kind: table.tolist() for kind, table in task.known.items()} == {
        kind: table.tolist() for kind, table in again.known.items()
    }


def asked(**changed: Any) -> bytes:
    """What is asked of a piece, with some arrays of the prices changed."""
    piece, prices, known = a_piece()
    small = task_wire.task_of(piece.asked(prices, known))
    assert isinstance(small, PriceTask)
    wrong = {name: changed[name] for name in changed if name not in ("known", "ends")}
    ends, known = changed.get("ends", small.ends), changed.get("known", small.known)
    return task_wire.price_bytes(piece.problem, ends, replace(small.prices, **wrong), known)


def number_of_prices() -> int:
    task = task_wire.task_of(asked())
    assert isinstance(task, PriceTask)
    return len(task.prices.points)


@pytest.mark.parametrize(
    "make",
    [
        lambda: asked()[:-40],
        lambda: asked()[:9],
        lambda: asked()[:300],
        lambda: b"prices\n" + (10**12).to_bytes(8) + asked()[15:],
        lambda: asked(points=np.zeros(1)),
        lambda: asked(points=np.zeros(number_of_prices(), dtype=np.int64)),
        lambda: asked(points=np.zeros((number_of_prices(), 1))),
        lambda: asked(products=np.full(number_of_prices(), 99)),
        lambda: asked(sources=np.full(number_of_prices(), -1)),
        lambda: asked(divisors=np.full(number_of_prices(), 4.0)),
        lambda: asked(capacity=np.zeros(5)),
        lambda: asked(known={(1, 1, True): np.full((2, 2), 77)}),
        lambda: asked(ends=()),
        lambda: asked(ends=(1, 2)),
        lambda: asked(ends=(2, 1, 5)),
        lambda: asked(ends=(3, 99)),
        lambda: asked(known={(1, 1, True): np.zeros(4, dtype=np.int64)}),
        lambda: a_piece()[0].problem,
    ],
)
def test_what_is_no_price_task_is_refused(make: Callable[[], bytes]) -> None:
    raw = make()
    with pytest.raises(InvalidInput):
        task_wire.task_of(raw)


def test_sources_known_of_other_groups_are_refused() -> None:
    for known in ({(1, 1, True): np.zeros((99, 1), dtype=np.int64)}, {(5, 5, True): np.zeros((1, 1), dtype=np.int64)}):
        with pytest.raises(InvalidInput, match="other groups"):
            answered(task_wire.task_of(asked(known=known)), CbcSolver())


def found(**changed: Callable[[Any], Any]) -> bytes:
    """An answer with some of its arrays changed, or taken out."""
    piece, prices, known = a_piece()
    raw = answered(task_wire.task_of(piece.asked(prices, known)), CbcSolver())
    arrays = {name: changed.get(name, lambda array: array)(array) for name, array in np.load(BytesIO(raw)).items()}
    packed = BytesIO()
    np.savez(packed, **{name: array for name, array in arrays.items() if array is not None})
    return packed.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"PK and then nothing",
        lambda: found()[:-30],
        lambda: found(worth=lambda _: None),
        lambda: found(worth=lambda worth: worth[1:]),
        lambda: found(worth=lambda worth: np.append(worth, 0.0)),
        lambda: found(worth=lambda worth: worth.astype(object)),
        lambda: found(chosen=lambda chosen: chosen + 6),
        lambda: found(chosen=lambda chosen: chosen - 9),
        lambda: found(sources=lambda sources: sources + 6),
        lambda: found(counts=lambda counts: counts + 1),
        lambda: found(counts=lambda counts: -counts),
        lambda: found(alone=lambda alone: alone.reshape(1, -1)),
        lambda: found(helped=lambda helped: ~helped),
    ],
)
def test_what_is_no_answer_to_a_price_task_is_refused(make: Callable[[], bytes]) -> None:
    raw, (piece, _, _) = make(), a_piece()
    with pytest.raises(InvalidInput):
        piece.found(raw)
