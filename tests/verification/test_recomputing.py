"""L(prices) never exceeds the best plan, whatever the prices; and the cheapest pattern is the cheapest."""

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest

from dom_core.domain.plan import Ending, Plan
from dom_core.domain.prices import CellPrice, PriceTable, RoomPrice
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.optimizer import pattern_costs, savings
from dom_core.optimizer.audit import recount
from dom_core.optimizer.audit.subject import Subject
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.prices import DIVISORS, Prices
from dom_core.optimizer.pricing import PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.rebuilding import rebuild
from dom_core.optimizer.savings import raised
from dom_core.optimizer.solving import CbcSolver
from dom_core.verification import recomputing
from dom_core.verification.cheapest import cheapest
from dom_core.verification.recomputing import Recomputation, Recomputed
from tests.optimizer.varied import long_orders
from tests.oracle.generation import generate


def recomputed(request: PlanRequest, plan: Plan) -> Recomputed:
    by_cost = bool(request.costs_in_force())
    rates = recount.cost_rates(request, plan) if by_cost else recount.level_rates(request, plan.largest_distance_km)
    return Recomputation(Subject.of(request, plan), rates, plan.proofs).run(lambda _: None)


def at_random_prices(request: PlanRequest, plan: Plan, random: Random) -> Plan:
    """The plan with any prices for any cells and limits in its proofs."""
    products = sorted({line.product_id for line in plan.lines})
    rooms = [rule.id for rule in request.rules if rule.kind == "maximum_orders"]
    points = (1.0, 700.0, 12_000.0, 80_000.0)

    def table() -> PriceTable:
        cells = [(p, s.id, t) for p in products for s in request.sources for t in (1, 2, 3) if random.random() < 0.4]
        return PriceTable(
            tuple(CellPrice(*cell, random.choice(points)) for cell in cells),
            tuple(RoomPrice(id, place, random.choice(points)) for id in rooms for place in (0, 1)),
        )

    proofs = tuple(
        replace(proof, parts=tuple(replace(part, prices=table()) for part in proof.parts)) for proof in plan.proofs
    )
    return replace(plan, proofs=proofs)


@pytest.mark.parametrize("first", range(0, 150, 50))
def test_no_prices_prove_more_than_the_best_plan_of_a_part(first: int) -> None:
    met = 0
    for seed in range(first, first + 50):
        request, random = generate(seed), Random(seed)
        if request.strategy.objective_mode is ObjectiveMode.STRICT:
            continue
        plan = plan_once(request, CbcSolver())
        for _ in range(4):
            found = recomputed(request, at_random_prices(request, plan, random))
            for report, proof in zip(plan.iterations, plan.proofs, strict=True):
                for number, part in enumerate(proof.parts):
                    if report.ending is Ending.OPTIMAL and report.ending_limit == "":
                        assert found.bounds[report.number, number] <= part.bound + 1e-6 * max(1, part.bound), seed
                        met += 1
    assert met > 50


def some_prices(problem: Problem, lines: IntArray, random: Random) -> Prices:
    """Any prices of what these lines could take."""
    products = sorted(set(problem.batch.product_of[lines].tolist()))
    cells = [
        (product, source, divisor)
        for product in products
        for source in range(problem.batch.shape[1])
        for divisor in DIVISORS
        if random.random() < 0.3
    ]
    points = np.array([random.choice((1.0, 500.0, 3000.0, 20_000.0)) for _ in cells])
    columns = np.array(cells, dtype=np.float64).reshape(-1, 3).T
    room = np.array([random.choice((0.0, 400.0, 9000.0)) for _ in problem.capacities])
    return Prices.of(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2], points, room)


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_engine_and_verification_agree_on_what_any_prices_prove(first: int) -> None:
    """Parts are those of the plan; in iteration 2 much is used, counted and paid for before."""
    for seed in range(first, first + 50):
        request, random = generate(seed), Random(seed)
        plan = plan_once(request, CbcSolver())
        expected: dict[tuple[int, int], float] = {}
        proofs = []
        for proof, result in zip(plan.proofs, rebuild(request, plan).results, strict=True):
            parts = []
            for number, part in enumerate(proof.parts):
                mine = np.array([proof.part(line) == number for line in range(len(plan.lines))])
                problem = result.problem
                lines = np.flatnonzero(mine & (problem.wanted > 0))
                prices = some_prices(problem, lines, random)
                expected[proof.number, number] = Pricer(problem, lines).price(prices).bound
                parts.append(replace(part, prices=prices.told(problem)))
            proofs.append(replace(proof, parts=tuple(parts)))
        found = recomputed(request, replace(plan, proofs=tuple(proofs)))
        assert {key: found.bounds[key] for key in expected} == pytest.approx(expected, rel=1e-9), seed


def in_a_second(seed: int) -> PlanRequest:
    """Some long orders, whose plan may be any."""
    request = long_orders(seed).build()
    return replace(request, strategy=replace(request.strategy, limits=SolverLimits(solve_limit_s=1)))


@pytest.mark.parametrize("first", [0, 80])
def test_they_agree_on_savings_too(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every order of more than one line counts as long here, in both iterations; and there are long ones, with room."""
    requests = [*map(generate, range(first, first + 40)), *map(in_a_second, range(first, first + 4))]
    monkeypatch.setattr(pattern_costs, "GROUP_LINES", 1)
    monkeypatch.setattr(recomputing, "GROUP_LINES", 1)
    monkeypatch.setattr(savings, "SHARES_OF_PRICES", ())
    told = 0
    for number, request in enumerate(requests):
        plan, random = plan_once(request, CbcSolver()), Random(number)
        expected: dict[tuple[int, int], float] = {}
        proofs = []
        for proof, result in zip(plan.proofs, rebuild(request, plan).results, strict=True):
            parts = []
            for place, part in enumerate(proof.parts):
                problem = result.problem
                mine = np.array([proof.part(line) == place for line in range(len(plan.lines))])
                pricer = Pricer(problem, np.flatnonzero(mine & (problem.wanted > 0)))
                prices = some_prices(problem, pricer.costs.lines, random).times(random.choice((0.01, 0.1, 1.0)))
                found = pricer.price(prices)
                best = raised(pricer, PricedBest(prices, found.bound, found), lambda: False)
                expected[proof.number, place] = best.best.bound
                told += len(best.savings.lines)
                parts.append(replace(part, prices=best.told(problem)))
            proofs.append(replace(proof, parts=tuple(parts)))
        again = recomputed(request, replace(plan, proofs=tuple(proofs)))
        assert {key: again.bounds[key] for key in expected} == pytest.approx(expected, rel=1e-9), number
        assert not again.findings
    assert told > 20


@pytest.mark.parametrize("seed", range(60))
def test_the_cheapest_pattern_is_the_best_of_all(seed: int) -> None:
    random = Random(seed)
    lines, sources, most = random.randint(1, 4), random.randint(1, 4), random.randint(1, 4)
    together = np.array([random.choice((0.0, 1.0, 5.0)) for _ in range(sources)])
    alone = np.array([[random.choice((-9.0, -6.0, -1.0, np.inf)) for _ in range(sources)] for _ in range(lines)])
    helper = np.array([random.choice((0.0, 2.0, 8.0)) for _ in range(sources)])
    may_wait = random.random() < 0.5
    worths = [
        _worth(places, together, alone, helper, most)
        for places in product([*range(sources), -1], repeat=lines)
        if len(set(places) - {-1}) <= most and (may_wait or -1 not in places)
    ]
    assert cheapest(together, alone, helper, most, may_wait=may_wait) == min([0.0, *worths])


def _worth(places: tuple[int, ...], together: np.ndarray, alone: np.ndarray, helper: np.ndarray, most: int) -> float:
    """One pattern, line by line: who comes all from one place pays a helper, or for a second visit."""
    visited = set(places) - {-1}
    worth = sum(float(together[source]) for source in visited)
    worth += sum(float(alone[line, source]) for line, source in enumerate(places) if source >= 0)
    if len(visited) == 1 and -1 not in places:
        (source,) = visited
        second = float(together[source]) if most > 1 and len(places) > 1 else float("inf")
        worth += min(float(helper[source]), second)
    return worth
