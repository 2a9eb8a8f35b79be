"""Guesses how far the best plan is from the bound: each answer is a proof, whatever the guesses are."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from threading import Event

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import Cancelled, SolverFailed
from dom_core.optimizer import (
    decomposition,
    deepening,
    fixing,
    formulation,
    narrowing,
    neighbourhoods,
    search,
    solving,
    workers,
)
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.course import Course
from dom_core.optimizer.fixing import Proven
from dom_core.optimizer.linear import LinearAnswer, LinearProgram, WholeAnswer
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.optimizer.standing import Standing
from dom_core.watch import Stage, Watch, WatchedLimits, watch_of
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.optimizer.test_prices import pricer_of, random_prices
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import PLACES, rivals
from tests.optimizer.test_watch import a_solver_that, is_running
from tests.optimizer.test_whole_patterns import WHOLE_LINES, broken_rules, problems, several_lines

PATIENCE_S = 60.0
"""How long a solver of these tests waits at most for what must happen."""

needs_highs = pytest.mark.skipif(find_spec("highspy") is None, reason="the second solver is not installed")


@cache
def cases() -> Sequence[tuple[int, Problem, Standing]]:
    """Small problems that patterns express, with their seeds and their best plans."""
    return [(seed, one, best_of(one)) for first in (0, 20) for seed, one in problems(first)]


def best_of(one: Problem) -> Standing:
    """A best plan, by the exact model of pairs."""
    model = formulation.build(one, decomposition.independent_parts(one))
    answer = CbcSolver().solve(model, SolverLimits())
    assert answer.ending is Ending.OPTIMAL
    return Standing(one, answer.flows)


@dataclass(frozen=True)
class Contested:
    """Sixteen orders for too few units: a problem, the best prices that a search finds, and its best plan."""

    problem: Problem
    prices: Prices
    best: Standing

    @property
    def gap(self) -> float:
        """Points that prices do not prove."""
        return self.best.total - priced(self.problem, self.prices).bound


@cache
def contested() -> Contested:
    """Prices leave a gap, so that with few patterns for the first guess it takes seven."""
    random = Random(22)
    sources = [a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)]
    builder = a_request().with_sources(*sources).with_rules(WHOLE_LINES)
    for number in range(16):
        order = an_order(f"O{number:02}").shipping_to(*random.choice(PLACES))
        for product in random.sample("PQRS", random.randint(1, 3)):
            order = order.with_line(product, random.randint(1, 4))
        builder = builder.with_orders(order)
    stock = {(product, source.id): random.randint(0, 5) for product in "PQRS" for source in sources}
    one = problem_of(builder.with_stock(stock))
    found = search.priced_best(pricer_of(one), CbcSolver(), SolverLimits(), float("inf"))
    return Contested(one, found.priced.prices, best_of(one))


def prices_of(one: Problem, seed: int) -> Prices:
    """No prices, or any: so good that hardly a guess is needed they never are."""
    return random_prices(one, seed) if seed % 3 else Prices.none(one)


def priced(one: Problem, prices: Prices) -> PricedBest:
    found = pricer_of(one).price(prices)
    return PricedBest(prices, found.bound, found)


def without_end(one: Problem, limits: SolverLimits, flows: Sequence[Flow] = ()) -> Course:
    """A course that no clock ends."""
    return Course(limits, float("inf"), Standing(one, flows))


def deepened(
    one: Problem,
    prices: Prices,
    flows: Sequence[Flow] = (),
    solver: Solver | None = None,
    limits: SolverLimits | None = None,
    course: Course | None = None,
) -> Proven:
    """What guesses make of a plan with these flows, in all the time that they need."""
    course = course or without_end(one, limits or SolverLimits(), flows)
    return deepening.deepen(pricer_of(one), priced(one, prices), Standing(one, flows), solver or CbcSolver(), course)


@dataclass(slots=True)
class Counting(CbcSolver):
    """CBC, and what it was asked: each time the columns, and below which value."""

    asked: list[tuple[int, float]] = field(default_factory=list)

    def solve_whole(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        self.asked.append((len(program.costs), below))
        return self.answer(program, limits, below)

    def answer(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        return CbcSolver.solve_whole(self, program, limits, below)


class Forbidden(Counting):
    """Nobody may ask."""

    def answer(self, *_: object) -> WholeAnswer:
        raise AssertionError("there is nothing to guess")


class Failing(Counting):
    """Fails each time."""

    def answer(self, *_: object) -> WholeAnswer:
        raise SolverFailed("broken")


@dataclass(slots=True)
class StoppedAtNodes(Counting):
    """Ends by its nodes before anything is proven: its bound is some points too low, and it may have no choice."""

    points: float = 1000.0
    says_choice: bool = True

    def answer(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        whole = CbcSolver.solve_whole(self, program, limits, below)
        bound = min(whole.bound, below) - self.points
        taken = whole.taken if self.says_choice else None
        return WholeAnswer(taken, bound, Ending.NO_PLAN if taken is None else Ending.UNPROVEN)


@dataclass(slots=True)
class Heard(Course):
    """A course, and the bounds that it was told one after the other."""

    bounds: list[float] = field(default_factory=list)

    def prove(self, bound: float) -> None:
        self.bounds.append(bound)
        Course.prove(self, bound)


Constants = tuple[int, float, int]
MANY = 160_000
HASTY, PATIENT, FEW, SLOW = (12, 2.5, MANY), (2, 4.0, MANY), (1, 2.5, 40), (3, 1.2, MANY)
"""Patterns a line of the first guess, growth, patterns at most."""


def use(constants: Constants, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guess with other patterns a line, other growth, and so many patterns at most."""
    names = ("FIRST_PATTERNS_PER_LINE", "GROWTH", "MOST_PATTERNS")
    for name, value in zip(names, constants, strict=True):
        monkeypatch.setattr(deepening, name, value)


def is_valid(one: Problem, found: Proven, total: int) -> bool:
    """Whether the plan keeps all rules, and what is said of it and of all plans is so."""
    honest = found.bound <= total + 1e-6 and found.plan.total >= total
    return honest and not broken_rules(one, found.plan.flows)


def one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """No guess is worked on beside another."""
    monkeypatch.setattr(workers, "WORKERS", 1)


@pytest.mark.parametrize("from_best", [False, True], ids=["from nothing", "from the best"])
@pytest.mark.parametrize(("constants", "always"), [(HASTY, True), (PATIENT, True), (FEW, False), (SLOW, False)])
def test_whatever_is_guessed_the_bound_holds_and_what_is_proven_is_the_best(
    constants: Constants, always: bool, from_best: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(constants, monkeypatch)
    proven = 0
    for seed, one, best in cases()[from_best::4]:
        found = deepened(one, prices_of(one, seed), best.flows if from_best else ())
        assert is_valid(one, found, best.total), seed
        assert found.plan.total == best.total or not (from_best or always), seed
        proven += found.bound == best.total
    assert proven == len(cases()[from_best::4]) if always else proven > 5


def test_several_guesses_are_made_each_larger_than_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    one_after_another(monkeypatch)
    case, solver, course = contested(), Counting(), Heard(SolverLimits(), float("inf"))
    found = deepened(case.problem, case.prices, solver=solver, course=course)
    assert (found.bound, found.plan.total) == (case.best.total, case.best.total)
    sizes, bounds = [size for size, _ in solver.asked], course.bounds
    assert len(sizes) > 4
    assert sizes == sorted(set(sizes))
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == case.best.total
    assert len(bounds) == len(sizes)


def test_how_many_guesses_are_at_work_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    for seed, one, _ in cases()[1::9]:
        found = []
        for count in (1, 2, 3):
            monkeypatch.setattr(workers, "WORKERS", count)
            one_found = deepened(one, prices_of(one, seed))
            found.append((one_found.bound, sorted(one_found.plan.flows)))
        assert found[0] == found[1] == found[2], seed


@needs_highs
def test_both_solvers_prove_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    for seed, one, best in cases()[::4]:
        found = deepened(one, prices_of(one, seed), solver=HighsSolver())
        assert (found.bound, found.plan.total) == (best.total, best.total), seed


@pytest.mark.parametrize("units", [1, 5])
def test_no_more_is_claimed_than_a_guess_that_lacks_the_best_pattern_can_prove(
    units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The near source has far too high a price, so that the first guesses see only the other, where nobody competes.

    With one unit there, the gap is what the best pattern costs more at prices: not a point more is proven without it.
    """
    use((1, 2.5, MANY), monkeypatch)
    sources = (a_source("A", at=PLACES[0]), a_source("B", at=PLACES[2]))
    order = an_order().shipping_to(*PLACES[0]).with_line("P")
    builder = a_request().with_sources(*sources).with_rules(WHOLE_LINES).with_orders(order)
    one, far = problem_of(builder.with_stock({("P", "A"): units, ("P", "B"): 5})), [(0, 1, 1)]
    total = best_of(one).total
    for points in range(4000, 20_000, 400):
        course = Heard(SolverLimits(), float("inf"))
        found = deepened(one, Prices.of_cells(np.array([[points, 0.0]]), np.zeros(0)), far, course=course)
        assert (found.bound, found.plan.total) == (total, total)
        assert max(course.bounds) <= total, points


# What stops it.


def untouched(one: Problem, prices: Prices, found: Proven, flows: Sequence[Flow] = ()) -> bool:
    """Whether the plan and the bound are those that were there before."""
    return list(found.plan.flows) == list(flows) and found.bound == priced(one, prices).bound


@pytest.mark.parametrize("constants", [(0, 2.5, MANY), (1, 2.5, MANY)], ids=str)
def test_where_the_first_guess_would_hold_too_many_patterns_none_is_made(
    constants: Constants, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(constants, monkeypatch)
    case = contested()
    assert untouched(case.problem, case.prices, deepened(case.problem, case.prices, solver=Forbidden()))


def test_a_guess_holds_as_many_patterns_as_a_strategy_has_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty of eight megabytes each; without a limit so many that the plan is proven."""
    use((2, 2.5, MANY), monkeypatch)
    monkeypatch.setattr(deepening, "KB_OF_A_PATTERN", 8_000)
    case, solver = contested(), Counting()
    found = deepened(case.problem, case.prices, solver=solver, limits=SolverLimits(memory_limit_mb=640))
    assert found.bound < case.best.total == deepened(case.problem, case.prices).bound
    assert max(size for size, _ in solver.asked) <= 80


@pytest.mark.parametrize("constants", [(2, 1.01, MANY), (2, 2.5, 80), (4, 0.5, MANY)], ids=str)
def test_where_the_next_guess_would_hold_too_many_patterns_the_bound_that_was_reached_stays(
    constants: Constants, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(constants, monkeypatch)
    case, solver = contested(), Counting()
    found = deepened(case.problem, case.prices, solver=solver)
    assert priced(case.problem, case.prices).bound < found.bound < case.best.total
    assert not found.plan.flows
    assert max(size for size, _ in solver.asked) <= constants[2]


@pytest.mark.parametrize("says_choice", [False, True])
def test_a_guess_that_ends_by_its_nodes_leaves_a_plan_and_a_bound_and_is_the_last(
    says_choice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_after_another(monkeypatch)
    case, solver = contested(), StoppedAtNodes(says_choice=says_choice)
    found = deepened(case.problem, case.prices, solver=solver)
    assert is_valid(case.problem, found, case.best.total)
    assert priced(case.problem, case.prices).bound < found.bound < found.plan.total
    assert len(solver.asked) == 1
    assert says_choice == bool(found.plan.flows)


def test_a_choice_within_a_point_of_its_bound_is_proven_because_points_are_whole() -> None:
    case = contested()
    found = deepened(case.problem, case.prices, solver=StoppedAtNodes(points=0.75))
    assert (found.bound, found.plan.total) == (case.best.total, case.best.total)


def test_a_solver_that_fails_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one_after_another(monkeypatch)
    case, solver = contested(), Failing()
    assert untouched(case.problem, case.prices, deepened(case.problem, case.prices, solver=solver))
    assert len(solver.asked) == 1


def test_without_time_nothing_is_guessed() -> None:
    case = contested()
    course = Course(SolverLimits(), time.monotonic(), Standing(case.problem, ()))
    assert untouched(case.problem, case.prices, deepened(case.problem, case.prices, solver=Forbidden(), course=course))
    assert course.was_cut


def test_a_plan_within_the_gap_that_was_asked_for_is_good_enough() -> None:
    case = contested()
    flows, limits = case.best.flows, SolverLimits(relative_gap=1.01 * case.gap / case.best.total)
    found = deepened(case.problem, case.prices, flows, Forbidden(), limits)
    assert untouched(case.problem, case.prices, found, flows)


def test_a_gap_that_was_asked_for_saves_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    one_after_another(monkeypatch)
    case, asked = contested(), []
    for gap in (0.0, 0.5 * case.gap / case.best.total):
        solver = Counting()
        found = deepened(case.problem, case.prices, case.best.flows, solver, SolverLimits(relative_gap=gap))
        assert case.best.total - found.bound <= gap * case.best.total
        asked.append(len(solver.asked))
    assert 0 < asked[1] < asked[0]


def test_of_larger_parts_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = contested()
    lines = len(pricer_of(case.problem).costs.lines)
    monkeypatch.setattr(deepening, "LARGEST_LINES", lines - 1)
    assert untouched(case.problem, case.prices, deepened(case.problem, case.prices, solver=Forbidden()))
    monkeypatch.setattr(deepening, "LARGEST_LINES", lines)
    assert deepened(case.problem, case.prices).bound == case.best.total


@pytest.mark.parametrize("builder", [several_lines(7), rivals(16)], ids=["a long order", "lines in parts"])
def test_where_patterns_do_not_say_everything_nothing_is_guessed(builder: RequestBuilder) -> None:
    one = problem_of(builder)
    prices = random_prices(one, 1)
    assert untouched(one, prices, deepened(one, prices, solver=Forbidden()))


# Who follows it.


def watched(watch: Watch) -> WatchedLimits:
    return WatchedLimits.of(SolverLimits(solve_limit_s=600), watch)


def test_after_each_guess_the_gap_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    case, stages = contested(), list[Stage]()
    deepened(case.problem, case.prices, limits=watched(Watch(stages.append)))
    gaps = [stage.gap for stage in stages[1:] if stage.gap is not None]
    assert len(gaps) == len(stages) - 1 > 4
    assert gaps == sorted(set(gaps), reverse=True)
    assert gaps[-1] == 0.0
    assert {stage.name for stage in stages} == {"guesses"}


def test_who_stops_the_run_stops_all_guesses_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(PATIENT, monkeypatch)
    case = contested()
    a_solver_that("echo $$ > own.$$; exec sleep 600", tmp_path, monkeypatch)

    def at_work() -> list[int]:
        return [int(text) for path in tmp_path.glob("own.*") if (text := path.read_text().strip())]

    limits = watched(Watch(stop_asked=lambda: len(at_work()) == 2))
    with pytest.raises(Cancelled):
        deepened(case.problem, case.prices, limits=limits)
    assert len(at_work()) == 2
    assert not any(map(is_running, at_work()))


@dataclass(slots=True)
class LargerNeverEnds(Counting):
    """The smaller of two guesses has its answer when the other is at work, which never ends unless it is stopped."""

    both: Event = field(default_factory=Event)
    stopped: int = 0

    def answer(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        if len(self.asked) == 2:
            self.both.set()
        assert self.both.wait(PATIENCE_S)
        if len(program.costs) == min(size for size, _ in self.asked):
            return CbcSolver.solve_whole(self, program, limits, below)
        for _ in range(int(PATIENCE_S / solving.LOOK_EVERY_S)):
            if watch_of(limits).stop_asked():
                self.stopped += 1
                raise Cancelled("nobody needs it any more")
            Event().wait(solving.LOOK_EVERY_S)
        raise AssertionError("nobody stopped it")


def test_a_larger_guess_at_work_is_stopped_when_the_smaller_one_has_the_best_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(HASTY, monkeypatch)
    case, solver = contested(), LargerNeverEnds()
    found = deepened(case.problem, case.prices, solver=solver)
    assert (found.bound, found.plan.total) == (case.best.total, case.best.total)
    assert (len(solver.asked), solver.stopped) == (2, 1)


@dataclass(slots=True)
class SlowInShares(Counting):
    """Takes its time over every linear program; how many there were."""

    programs: int = 0

    def solve_linear(self, program: LinearProgram, limits: SolverLimits) -> LinearAnswer:
        self.programs += 1
        Event().wait(0.4)
        return CbcSolver.solve_linear(self, program, limits)


def test_a_guess_that_is_narrowed_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "FEW", 0)
    monkeypatch.setattr(deepening, "LEAST_LIMIT_S", 0.1)
    one_after_another(monkeypatch)
    case, solver = contested(), SlowInShares()
    course = Course(SolverLimits(solve_limit_s=1.0), time.monotonic() + 1.0, Standing(case.problem, ()))
    found = deepened(case.problem, case.prices, solver=solver, course=course)
    assert is_valid(case.problem, found, case.best.total)
    assert solver.programs <= 2
    assert not solver.asked
    assert course.was_cut


# What a search says of it.


def solved(one: Problem) -> Answer:
    return search.solve_large(one, CbcSolver(), LocalCrew(CbcSolver()), SolverLimits(solve_limit_s=600))


def nothing_helps_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither neighbourhoods nor what they leave prove anything."""
    monkeypatch.setattr(neighbourhoods, "ROUNDS", 0)
    monkeypatch.setattr(neighbourhoods, "ROUNDS_PER_ORDER", 0)
    monkeypatch.setattr(fixing, "LARGEST_SHARE", -1.0)


def test_guesses_alone_prove_the_best_plan_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_helps_later(monkeypatch)
    case = contested()
    answer = solved(case.problem)
    assert (answer.ending, answer.limit, answer.bound) == (Ending.OPTIMAL, "", case.best.total)
    assert Standing(case.problem, answer.flows).total == case.best.total
    assert answer.priced is not None
    assert answer.priced < answer.bound


CUTS = {"prices": (search, "PRICES_UNTIL"), "first plan": (search, "FIRST_PLAN_UNTIL"), "guesses": (deepening, "UNTIL")}


@pytest.mark.parametrize("stage", CUTS)
def test_a_search_that_had_to_end_a_stage_for_lack_of_time_says_so(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cut it is rounds that end it, because no guess may be made."""
    nothing_helps_later(monkeypatch)
    monkeypatch.setattr(deepening, "FIRST_PATTERNS_PER_LINE", 0)
    case = contested()
    answer = solved(case.problem)
    assert (answer.ending, answer.limit) == (Ending.UNPROVEN, "rounds")
    monkeypatch.setattr(*CUTS[stage], -1.0)
    cut = solved(case.problem)
    assert (cut.ending, cut.limit) == (Ending.UNPROVEN, "seconds")
    assert cut.bound <= case.best.total


def test_a_search_that_proves_its_plan_names_no_limit_though_a_stage_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PRICES_UNTIL", -1.0)
    case = contested()
    answer = solved(case.problem)
    assert (answer.ending, answer.limit, answer.bound) == (Ending.OPTIMAL, "", case.best.total)


def test_a_guess_that_used_up_the_time_was_cut() -> None:
    case = contested()
    course = without_end(case.problem, SolverLimits())

    class Slow(Counting):
        def answer(self, *_: object) -> WholeAnswer:
            course.stage_ends = time.monotonic()
            return WholeAnswer(None, float("-inf"), Ending.NO_PLAN)

    found = deepened(case.problem, case.prices, solver=Slow(), course=course)
    assert untouched(case.problem, case.prices, found)
    assert course.was_cut
