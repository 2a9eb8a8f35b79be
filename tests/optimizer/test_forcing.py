"""A choice made in a plan: what a large part answers with rivals alone is what the whole of it answers, or no less."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from dom_core.domain.explanation import Counterfactual
from dom_core.domain.plan import Ending, Plan
from dom_core.domain.reason import Verdict
from dom_core.errors import SolverFailed
from dom_core.optimizer import forcing
from dom_core.optimizer.counterfactual import what_if
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.rebuilding import flows_of
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.standing import Left
from dom_core.optimizer.tasks import Task
from tests.optimizer.planned import Planned, planned
from tests.optimizer.stand_in import stand_in
from tests.optimizer.two_coasts import a_case, late
from tests.optimizer.varied import long_orders
from tests.oracle.generation import generate

LONGEST_ORDER = 16


def choices(first: int) -> Iterator[tuple[int, Planned, int, str]]:
    """Lines of generated plans, each with a source that could have served it and does not."""
    for seed in range(first, first + 10):
        request = generate(seed)
        case = Planned(request, plan_once(request, CbcSolver()))
        for position, _ in enumerate(case.plan.lines[:3]):
            for source_id, reason in list(case.plan.reasons.of_line(position))[:3]:
                if reason.verdict in (Verdict.DEARER, Verdict.TAKEN):
                    yield seed, case, position, source_id


def asked(case: Planned, position: int, source_id: str) -> Counterfactual | None:
    """The answer; None where no plan keeps to the choice."""
    try:
        return what_if(case.request, case.plan, case.plan.lines[position], source_id, CbcSolver())
    except SolverFailed:
        return None


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_with_room_for_everybody_rivals_alone_answer_what_the_whole_part_does(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, case, position, source_id in choices(first):
        whole = asked(case, position, source_id)
        with monkeypatch.context() as small:
            small.setattr(forcing, "WHOLE_PAIRS", 0)
            alone = asked(case, position, source_id)
        assert (whole is None) == (alone is None), (seed, position, source_id)
        if whole and alone and not whole.refused:
            assert (alone.total_after, alone.lifted) == (whole.total_after, whole.lifted), (seed, position, source_id)
            assert (whole.rivals_only, alone.proven) == (None, False)
            assert alone.rivals_only


def forced_problem(plan: Plan, problem: Problem, line: int, source: int) -> Problem:
    allowed = problem.allowed.copy()
    allowed[line, source] = True
    assert (line, source) not in {flow[:2] for flow in flows_of(plan, problem.batch, 1)}
    return replace(problem, allowed=allowed, forced=((line, source),))


@pytest.mark.parametrize(("lines", "sources"), [(1, 24), (12, 4)])
def test_whoever_is_no_rival_keeps_what_he_has_and_all_still_fits(
    lines: int, sources: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forcing, "WHOLE_PAIRS", 0)
    monkeypatch.setattr(forcing, "RIVAL_LINES", lines)
    monkeypatch.setattr(forcing, "RIVALS_AT", sources)
    request = long_orders(3).build()
    plan = plan_once(request, CbcSolver())
    problem = prepare(open_lines(request)[0]).problem
    before = flows_of(plan, problem.batch, 1)
    kept = 0
    for line in range(0, len(problem.wanted), 10):
        served = {source for other, source, _ in before if other == line}
        source = next(one for one in np.flatnonzero(problem.allowed[line]).tolist() if one not in served)
        made = forcing.solve(forced_problem(plan, problem, line, source), plan, LocalCrew(CbcSolver()))
        assert not made.whole
        moved = {flow[0] for flow in set(before) ^ set(made.flows)}
        assert len(moved) <= made.lines <= max(lines, LONGEST_ORDER)
        assert Left(problem, ()).fits(made.flows)
        assert made.is_kept == any(flow[:2] == (line, source) for flow in made.flows)
        kept += made.is_kept
    assert kept


def test_those_who_have_what_the_order_needs_there_are_rivals_before_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All would have WEST, two do: only who has EAST can make room there, and takes what the order leaves."""
    monkeypatch.setattr(forcing, "WHOLE_PAIRS", 0)
    monkeypatch.setattr(forcing, "RIVAL_LINES", 4)
    monkeypatch.setattr(forcing, "RIVALS_AT", 1)
    orders = [late(f"L{number}").with_line("P", 1) for number in range(6)]
    case = planned(a_case().with_stock({("P", "EAST"): 4, ("P", "WEST"): 2}).with_orders(*orders))
    at_east = {line.order_id for line in case.plan.lines if line.assignments[0].source_id == "EAST"}
    answer = case.forced("EAST", next(order.id for order in case.request.orders if order.id not in at_east))
    assert (answer.total_after - answer.total_before, answer.lifted) == (0, ())
    assert [change.order_id in at_east for change in answer.displaced] == [True]


NOTHING = Answer((), Ending.NO_PLAN, 0.0, "seconds", 0.0)
TWO_SHIPMENTS = replace(NOTHING, flows=((0, 0, 1), (0, 1, 1)), ending=Ending.UNPROVEN)


@dataclass(frozen=True)
class OutOfTime:
    """A crew whose first task ends so."""

    first: Answer
    asked: list[Task] = field(default_factory=list)
    name: str = "out of time"

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        self.asked.extend(tasks)
        return iter([self.first]) if len(self.asked) == 1 else LocalCrew(CbcSolver()).perform(self.asked[-1:])

    def price_all(self, *_: object) -> NoReturn:
        raise AssertionError("nothing is priced")


@pytest.mark.parametrize("first", [NOTHING, TWO_SHIPMENTS])
def test_the_order_and_its_rivals_answer_where_the_whole_part_takes_too_long(first: Answer) -> None:
    case = planned(a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2)))
    problem = prepare(open_lines(case.request)[0]).problem
    crew = OutOfTime(first)
    made = forcing.solve(forced_problem(case.plan, problem, 0, 0), case.plan, crew)
    assert (made.flows, made.whole, made.is_kept) == (((0, 0, 2),), False, True)
    asked, whole = crew.asked[0].limits, case.request.strategy.limits
    assert asked.solve_limit_s == whole.solve_limit_s * forcing.WHOLE_SHARE


def test_nobody_is_asked_about_what_the_plan_does_already() -> None:
    case = planned(a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2)))
    problem = replace(prepare(open_lines(case.request)[0]).problem, forced=((0, 1),))
    crew = OutOfTime(NOTHING)
    made = forcing.solve(problem, case.plan, crew)
    assert (made.flows, made.ending, made.whole, made.is_kept) == (((0, 1, 2),), Ending.OPTIMAL, True, True)
    assert not crew.asked


def test_no_answer_in_time_is_no_word_about_splitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = planned(a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2)))
    asks: list[None] = []
    stand_in(tmp_path, monkeypatch, 'for last; do :; done\necho "Stopped on time (no integer solution)" > "$last"')
    solve = forcing.solve

    def counted(*arguments: object) -> forcing.Forced:
        asks.append(None)
        return solve(*arguments)  # type: ignore[arg-type]  # handed on as they are

    monkeypatch.setattr(forcing, "solve", counted)
    with pytest.raises(SolverFailed, match=re.escape("no plan with the forced choice was found within the strategy's")):
        case.forced("EAST", "B")
    assert len(asks) == 1


def test_prices_of_a_plan_are_read_as_they_were_told() -> None:
    request = long_orders(5).build()
    problem = prepare(open_lines(request)[0]).problem
    products, sources = np.nonzero(problem.stock > 0)
    some = np.ones(len(products))
    prices = Prices.of(products, sources, some * 1.5, some * 7 + products, np.arange(1.0, 1 + len(problem.capacities)))
    again = Prices.of_table(problem, prices.told(problem))
    for name in ("products", "sources", "divisors", "points", "capacity"):
        assert getattr(again, name).tolist() == getattr(prices, name).tolist(), name
