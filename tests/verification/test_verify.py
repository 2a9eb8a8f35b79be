"""A plan is verified from its request alone: honest ones pass, and each figure that is not is refused by name."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Ending, IterationReport, Plan
from dom_core.domain.prices import CellPrice, RoomPrice, Saving
from dom_core.domain.proof import IterationProof, PartProof
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import RoadTable, place_of
from dom_core.domain.strategy import Objective, ObjectiveMode
from dom_core.messages.reading import read_value, write_value
from dom_core.optimizer import blocks
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.use_cases.verify_plan import solve_again, verify_plan
from dom_core.verification import verify
from tests.builders import a_request, a_rule, a_source, an_order
from tests.optimizer import test_whole_patterns
from tests.optimizer.test_savings import of_twelve_lines
from tests.oracle.generation import generate

SEATTLE, NEW_YORK, ATLANTA, CHICAGO = (47.6, -122.3), (40.7, -74.0), (33.7, -84.4), (41.9, -87.6)
PLACES = (SEATTLE, NEW_YORK, ATLANTA, CHICAGO)


def planned(request: PlanRequest, monkeypatch: pytest.MonkeyPatch, *, by_search: bool) -> Plan:
    """The plan of a request, by the exact model or by search."""
    with monkeypatch.context() as patch:
        if by_search:
            patch.setattr(blocks, "EXACT_PAIRS", 0)
        return plan_once(request, CbcSolver())


@pytest.mark.parametrize("first", range(0, 150, 30))
def test_plans_of_every_kind_are_verified_and_searched_ones_prove_no_more_than_is_so(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_iterations = Counter[bool]()
    for seed in range(first, first + 30):
        request = generate(seed)
        exact, found = (planned(request, monkeypatch, by_search=by_search) for by_search in (False, True))
        for plan in (exact, found):
            assert not verify(request, plan).findings, seed
            second_iterations[plan is found] += any(a.iteration == 2 for line in plan.lines for a in line.assignments)
        if request.strategy.objective_mode is not ObjectiveMode.STRICT:
            best, report = exact.iterations[0].total, found.iterations[0]
            assert report.bound - 1e-6 * max(1, best) <= best <= report.total, seed
    assert second_iterations[False]
    assert second_iterations[True]


def scarce() -> PlanRequest:
    """Rivals for one product that is short everywhere and for room in Chicago; one order wants eight products."""
    builder = a_request().with_sources(*(a_source(f"S{number}", at=at) for number, at in enumerate(PLACES)))
    for number in range(14):
        order = an_order(f"O{number:02}").shipping_to(*PLACES[number % 4]).with_line("P1", 2)
        builder = builder.with_orders(order.with_line(f"P{2 + number % 3}", 1 + number % 3))
    long = an_order("O99").shipping_to(*ATLANTA)
    for number in range(1, 9):
        long = long.with_line(f"P{number}", 1)
    builder = builder.with_orders(long)
    builder = builder.with_stock({(f"P{p}", f"S{s}"): 3 + (p * s) % 4 for p in range(1, 9) for s in range(4)})
    return builder.with_rules(a_rule("maximum_orders", {"lines": [{"source_id": "S3", "limit": 2}]})).build()


@pytest.fixture(scope="module")
def searched() -> tuple[PlanRequest, Plan]:
    """A plan by search, with prices for stock and for room."""
    request = scarce()
    with pytest.MonkeyPatch.context() as patch:
        plan = planned(request, patch, by_search=True)
    prices = plan.proofs[0].parts[0].prices
    assert prices.cells
    assert prices.rooms
    return request, plan


def test_a_plan_by_search_with_prices_of_stock_and_room_is_verified(searched: tuple[PlanRequest, Plan]) -> None:
    assert not verify_plan(searched[1], searched[0]).findings


def of_part(change: Callable[[PartProof], PartProof]) -> Callable[[Plan], Plan]:
    """A plan of which the first part of iteration 1 proves something else."""

    def changed(plan: Plan) -> Plan:
        first, *rest = plan.proofs
        return replace(plan, proofs=(replace(first, parts=(change(first.parts[0]), *first.parts[1:])), *rest))

    return changed


def of_cells(change: Callable[[tuple[CellPrice, ...]], tuple[CellPrice, ...]]) -> Callable[[Plan], Plan]:
    """A plan with other prices of cells."""
    return of_part(lambda part: replace(part, prices=replace(part.prices, cells=change(part.prices.cells))))


def of_savings(change: Callable[[tuple[Saving, ...]], tuple[Saving, ...]]) -> Callable[[Plan], Plan]:
    """A change of savings of the first part."""
    return of_part(lambda part: replace(part, prices=replace(part.prices, savings=change(part.prices.savings))))


def of_rooms(change: Callable[[tuple[RoomPrice, ...]], tuple[RoomPrice, ...]]) -> Callable[[Plan], Plan]:
    """A plan with other prices of room."""
    return of_part(lambda part: replace(part, prices=replace(part.prices, rooms=change(part.prices.rooms))))


def of_report(change: Callable[[IterationReport], IterationReport]) -> Callable[[Plan], Plan]:
    """A plan that reports something else of iteration 1."""
    return lambda plan: replace(plan, iterations=(change(plan.iterations[0]), *plan.iterations[1:]))


def half_proven(plan: Plan) -> Plan:
    """A plan that tells an honest bound, half as high, and calls that within the gap of nothing that was asked for."""
    first, *rest = plan.proofs
    halved = replace(first, parts=tuple(replace(part, bound=part.bound / 2, priced=None) for part in first.parts))
    before = sum(part.bound for part in first.parts)
    told = of_report(
        lambda r: replace(
            r,
            bound=r.bound - before / 2,
            gap=(r.total - r.bound + before / 2) / r.total,
            ending=Ending.WITHIN_GAP,
            ending_limit="gap",
        )
    )
    return replace(told(plan), proofs=(halved, *rest))


def with_part_of(row: bytes, line: int = 0) -> Callable[[Plan], Plan]:
    """A plan of which one line is said to be in another part."""

    def changed(plan: Plan) -> Plan:
        first, *rest = plan.proofs
        rows = (*first.part_of[:line], row, *first.part_of[line + 1 :])
        return replace(plan, proofs=(replace(first, part_of=rows), *rest))

    return changed


def overfull(plan: Plan) -> Plan:
    """A plan that fills its first assigned line twice over."""
    lines = list(plan.lines)
    at = next(number for number, line in enumerate(lines) if line.assignments)
    assignment = lines[at].assignments[0]
    lines[at] = replace(lines[at], assignments=(replace(assignment, units=assignment.units * 2),))
    return replace(plan, lines=tuple(lines))


def farther(plan: Plan) -> Plan:
    """A plan whose first assignment is said to be a hundred kilometres farther away."""
    lines = list(plan.lines)
    at = next(number for number, line in enumerate(lines) if line.assignments)
    first, *rest = lines[at].assignments
    first = replace(first, distance_m=(first.distance_m or 0) + 100_000)
    lines[at] = replace(lines[at], assignments=(first, *rest))
    return replace(plan, lines=tuple(lines))


def raised(cells: tuple[CellPrice, ...]) -> tuple[CellPrice, ...]:
    """The first price ten times as high."""
    return (replace(cells[0], points=cells[0].points * 10), *cells[1:])


BY_PRICES = "points proven by prices, its prices prove"

MUTATIONS: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "a price raised": (of_cells(raised), BY_PRICES),
    "prices halved": (of_cells(lambda cells: tuple(replace(c, points=c.points / 2) for c in cells)), BY_PRICES),
    "all prices of cells removed": (of_cells(lambda _: ()), BY_PRICES),
    "a negative price": (
        of_cells(lambda cells: (replace(cells[0], points=-cells[0].points), *cells[1:])),
        "prices are above zero",
    ),
    "a price that is no number": (
        of_cells(lambda cells: (replace(cells[0], points=float("nan")), *cells[1:])),
        "prices are above zero",
    ),
    "a price twice": (of_cells(lambda cells: (*cells, cells[0])), "has two prices"),
    "a price of an unknown product": (
        of_cells(lambda cells: (*cells, CellPrice("nothing", "S1", 1, 10.0))),
        "no line of the part could take it",
    ),
    "a price at an unknown source": (
        of_cells(lambda cells: (*cells, CellPrice("P1", "nowhere", 1, 10.0))),
        "no line of the part could take it",
    ),
    "a price with divisor zero": (
        of_cells(lambda cells: (*cells, CellPrice("P1", "S1", 0, 10.0))),
        "no line of the part could take it",
    ),
    "a price with a divisor below one": (
        of_cells(lambda cells: (*cells, CellPrice("P1", "S1", 0.5, 10.0))),
        "no line of the part could take it",
    ),
    "a price of room raised": (
        of_rooms(lambda rooms: (replace(rooms[0], points=rooms[0].points * 50), *rooms[1:])),
        BY_PRICES,
    ),
    "prices of room removed": (of_rooms(lambda _: ()), BY_PRICES),
    "a price of a limit that is not there": (
        of_rooms(lambda rooms: (*rooms, RoomPrice("no-rule", 0, 5.0))),
        "has a price and is not there",
    ),
    "what prices prove, raised": (of_part(lambda part: replace(part, priced=(part.priced or 0) + 50)), BY_PRICES),
    "the bound of a part": (of_part(lambda part: replace(part, bound=part.bound - 50)), "its parts prove"),
    "a bound that is no number": (of_part(lambda part: replace(part, bound=float("nan"))), "has a bound of nan"),
    "the bound raised": (of_report(lambda r: replace(r, bound=r.bound + 50)), "gap of"),
    "bound and gap raised": (
        of_report(lambda r: replace(r, bound=r.bound - 50, gap=(r.total - r.bound + 50) / r.total)),
        "its parts prove",
    ),
    "the gap": (of_report(lambda r: replace(r, gap=r.gap + 0.01)), "reports a gap of"),
    "the value": (of_report(lambda r: replace(r, total=r.total - 1)), "reports a total of"),
    "a level": (
        of_report(lambda r: replace(r, levels=(replace(r.levels[0], amount=r.levels[0].amount + 1), *r.levels[1:]))),
        "there are",
    ),
    "an ending without its limit": (
        of_report(lambda r: replace(r, ending=Ending.UNPROVEN, ending_limit="")),
        "no limit is said to have ended it",
    ),
    "optimal, and a limit": (
        of_report(lambda r: replace(r, ending=Ending.OPTIMAL, ending_limit="rounds")),
        "optimal",
    ),
    "within a gap that is none": (
        of_report(lambda r: replace(r, ending=Ending.WITHIN_GAP, ending_limit="")),
        "is called within",
    ),
    "within a gap that is wider than what was asked for": (half_proven, "is called within the gap of"),
    "the units of an assignment": (overfull, "units"),
    "a distance": (farther, "m away, it is"),
    "the largest distance": (lambda plan: replace(plan, largest_distance_km=9000), "points"),
    "a line in another part": (with_part_of((7).to_bytes(4, "little")), "a line is in part 7"),
    "a line in no part": (with_part_of(IterationProof.NO_PART.to_bytes(4, "little")), "are in 2 parts"),
    "a part for too few lines": (
        lambda plan: replace(plan, proofs=(replace(plan.proofs[0], part_of=()), *plan.proofs[1:])),
        "lines have parts",
    ),
    "what stays unfilled": (
        lambda plan: replace(plan, proofs=(replace(plan.proofs[0], unfilled_at_least=999), *plan.proofs[1:])),
        "999 units at least stay unfilled",
    ),
    "no proof of iteration 2": (lambda plan: replace(plan, proofs=plan.proofs[:1]), "proves the bounds of iterations"),
    "no proof at all": (lambda plan: replace(plan, proofs=()), "an older engine made it"),
}


def test_prices_on_one_and_a_half_units_are_verified_as_a_document_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    request = test_whole_patterns.scarce(8).build()
    plan = planned(request, monkeypatch, by_search=True)
    stored = read_value(json.loads(json.dumps(write_value(plan, Plan))), Plan, "plan")
    cells = [cell for part in stored.proofs[0].parts for cell in part.prices.cells]
    assert 1.5 in {cell.divisor for cell in cells}
    assert not verify_plan(stored, request).findings

    def dearer(cells: tuple[CellPrice, ...]) -> tuple[CellPrice, ...]:
        return tuple(replace(cell, points=cell.points * (10 if cell.divisor == 1.5 else 1)) for cell in cells)

    assert BY_PRICES in "\n".join(verify_plan(of_cells(dearer)(stored), request).findings)


@pytest.fixture(scope="module")
def saved() -> tuple[PlanRequest, Plan]:
    """A plan by search of two long orders, whose lines have savings."""
    request = of_twelve_lines(orders=2).build()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "EXACT_PAIRS_OF_LONG_ORDERS", 0)
        plan = plan_once(request, CbcSolver())
    assert len(plan.proofs[0].parts[0].prices.savings) == len(plan.lines)
    return request, plan


def test_what_savings_prove_is_verified_as_a_document_has_them(saved: tuple[PlanRequest, Plan]) -> None:
    request, plan = saved
    stored = read_value(json.loads(json.dumps(write_value(plan, Plan))), Plan, "plan")
    verified = verify_plan(stored, request)
    assert not verified.findings
    without = of_savings(lambda _: ())(stored)
    assert "too much" in "\n".join(verify_plan(without, request).findings)


OF_SAVINGS: dict[str, tuple[Callable[[tuple[Saving, ...]], tuple[Saving, ...]], str]] = {
    "more is saved": (lambda all: tuple(replace(one, points=2 * one.points) for one in all), "too much"),
    "below zero": (lambda all: (replace(all[0], points=-1.0), *all[1:]), "savings are above zero"),
    "no number": (lambda all: (replace(all[0], points=float("nan")), *all[1:]), "savings are above zero"),
    "twice": (lambda all: (*all, all[0]), "has two savings"),
    "of no line": (lambda all: (*all, Saving("O0", "99", 1.0)), "is no line of a long order"),
    "of no order": (lambda all: (*all, Saving("O9", "1", 1.0)), "is no line of a long order"),
}


@pytest.mark.parametrize("name", OF_SAVINGS)
def test_savings_that_were_tampered_with_are_refused(name: str, saved: tuple[PlanRequest, Plan]) -> None:
    request, plan = saved
    change, sentence = OF_SAVINGS[name]
    assert sentence in "\n".join(verify_plan(of_savings(change)(plan), request).findings)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_plan_that_was_tampered_with_is_refused(name: str, searched: tuple[PlanRequest, Plan]) -> None:
    request, plan = searched
    change, sentence = MUTATIONS[name]
    tampered = change(plan)
    assert tampered != plan
    assert sentence in "\n".join(verify_plan(tampered, request).findings)


def test_a_request_that_was_tampered_with_is_refused(searched: tuple[PlanRequest, Plan]) -> None:
    request, plan = searched
    other = replace(request, available={**request.available, ("P1", "S1"): 99})
    assert "was not made from the request beside it" in verify_plan(plan, other).findings[0]
    assert verify(other, plan).findings, "the prices say so, too"


def test_an_unfilled_unit_that_counts_too_much_is_refused() -> None:
    seed = next(s for s in range(500) if _by_cost_without_rate(generate(s)))
    request = generate(seed)
    plan = plan_once(request, CbcSolver())

    def dearer(report: IterationReport) -> IterationReport:
        first = report.levels[0]
        levels = (replace(first, rate=first.rate + 1000), *report.levels[1:])
        total = sum(level.points for level in levels)
        return replace(report, levels=levels, total=total, bound=float(total), gap=0.0)

    tampered = replace(plan, iterations=tuple(map(dearer, plan.iterations)))
    assert "an unfilled unit counts" in "\n".join(verify(request, tampered).findings)


def _by_cost_without_rate(request: PlanRequest) -> bool:
    strategy = request.strategy
    return (
        strategy.objective is Objective.COST
        and bool(request.costs_in_force())
        and strategy.rates.unfilled_unit is None
        and strategy.objective_mode is ObjectiveMode.RATES
    )


def test_distances_by_road_are_verified_from_the_table_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(Location(*SEATTLE))
    table = RoadTable("measured", 130, ("S1",), (place,), ((4_000_000).to_bytes(4, "little"),))
    request = replace(scarce(), roads=table)
    assert not verify(request, planned(request, monkeypatch, by_search=True)).findings


def rivals() -> PlanRequest:
    """Two orders for one lamp: without a price both could have it."""
    builder = a_request().with_sources(a_source("S0", at=SEATTLE)).with_stock({("lamp", "S0"): 1})
    orders = (an_order(id).shipping_to(*CHICAGO).with_line("lamp", 1) for id in ("O1", "O2"))
    return builder.with_orders(*orders).build()


def test_what_rests_on_the_solver_is_told_and_solved_again() -> None:
    request = rivals()
    plan = plan_once(request, CbcSolver())
    verified = verify(request, plan)
    assert not verified.findings
    (support, _) = verified.supports
    assert support.by_solver > 0
    assert support.by_prices + support.by_solver == pytest.approx(plan.iterations[0].bound)
    assert all(again.confirmed for again in solve_again(plan, request, verified.supports, CbcSolver()))


def test_solving_again_refuses_a_bound_that_no_search_can_have_proven() -> None:
    request = rivals()
    plan = plan_once(request, CbcSolver())
    first, second = plan.proofs
    liar = replace(first, parts=tuple(replace(part, bound=part.bound + 1000.0) for part in first.parts))
    support, rest = verify(request, plan).supports
    again = list(solve_again(replace(plan, proofs=(liar, second)), request, (support, rest), CbcSolver()))
    assert [found.confirmed for found in again] == [False] * len(support.by_search)
    assert again[0].complete
    assert "is its best plan" in str(again[0])
