"""Orders that found nothing in a first plan: holders of what they lack move, where they can and where that pays."""

from dataclasses import replace
from random import Random

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.strategy import RuleRecord
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.first_plan import FirstPlan, unfit
from dom_core.optimizer.giving_way import give_way
from dom_core.optimizer.objective import points_by_order
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.standing import Left
from tests.builders import OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.varied import PLACES, varied_problems

NEAR, FAR, AWAY = range(3)
PORTLAND, DENVER, ATLANTA = (45.5, -122.7), (39.7, -105.0), (33.7, -84.4)
SEATTLE = (47.6, -122.3)
WHOLE_ORDERS = a_rule("partial_orders", {"partial_orders": False})
Served = dict[int, int]
"""Sources by line."""


def order(id: str, *lines: tuple[str, int]) -> OrderBuilder:
    built = an_order(id).shipping_to(*SEATTLE)
    for product_id, units in lines:
        built = built.with_line(product_id, units)
    return built


def problem_of(orders: list[OrderBuilder], stock: dict[tuple[str, str], int], *rules: RuleRecord) -> Problem:
    """Orders to Seattle, and three sources, each farther away than the last."""
    places = {"1-near": PORTLAND, "2-far": DENVER, "3-away": ATLANTA}
    builder = a_request().with_sources(*(a_source(id, at=place) for id, place in places.items()))
    builder = builder.with_orders(*orders).with_stock(stock).with_rules(*rules)
    return prepare(open_lines(builder.build())[0]).problem


def only_near(problem: Problem, *lines: int) -> Problem:
    """The same, but these lines come from the nearest source or not at all."""
    allowed = problem.allowed.copy()
    allowed[list(lines), 1:] = False
    return replace(problem, allowed=allowed)


def served(problem: Problem) -> tuple[Served, Served]:
    """Who gets what where everybody is placed in turn, and after others gave way."""
    plan = placed(problem)
    before = sources_of(plan)
    give_way(plan, Prices.none(problem), lambda: False)
    return before, sources_of(plan)


def placed(problem: Problem) -> FirstPlan:
    """Everybody placed in turn who finds something."""
    plan = FirstPlan(Pricer(problem, np.flatnonzero(problem.wanted > 0)))
    plan.complete(Prices.none(problem))
    return plan


def sources_of(plan: FirstPlan) -> Served:
    return {line: source for line, source, _ in plan.flows}


def test_a_holder_who_can_go_elsewhere_gives_way_to_an_order_that_cannot() -> None:
    stock = {("lamp", "1-near"): 1, ("lamp", "3-away"): 1}
    problem = only_near(problem_of([order("A", ("lamp", 1)), order("B", ("lamp", 1))], stock), 1)
    assert served(problem) == ({0: NEAR}, {0: AWAY, 1: NEAR})


def test_of_several_holders_the_one_moves_for_whom_it_costs_least() -> None:
    stock = {("lamp", "1-near"): 2, ("lamp", "2-far"): 1, ("lamp", "3-away"): 1}
    problem = problem_of([order(id, ("lamp", 1)) for id in "ABC"], stock)
    allowed = problem.allowed.copy()
    allowed[:2] = [[True, False, True], [True, True, False]]
    allowed[2] = [True, False, False]
    assert served(replace(problem, allowed=allowed)) == ({0: NEAR, 1: NEAR}, {0: NEAR, 1: FAR, 2: NEAR})


def test_as_many_holders_move_as_it_takes() -> None:
    stock = {("lamp", "1-near"): 3, ("lamp", "2-far"): 3}
    orders = [order(id, ("lamp", 1)) for id in "ABC"] + [order("D", ("lamp", 2))]
    before, after = served(only_near(problem_of(orders, stock), 3))
    assert before == {0: NEAR, 1: NEAR, 2: NEAR}
    assert after == {0: FAR, 1: FAR, 2: NEAR, 3: NEAR}


def test_what_a_holder_of_two_cells_leaves_serves_both_lines() -> None:
    stock = {(product, source): 1 for product in ("lamp", "desk") for source in ("1-near", "2-far")}
    orders = [order("A", ("lamp", 1), ("desk", 1)), order("B", ("lamp", 1), ("desk", 1))]
    problem = only_near(problem_of(orders, stock, WHOLE_ORDERS), 2, 3)
    assert served(problem) == ({0: NEAR, 1: NEAR}, {0: FAR, 1: FAR, 2: NEAR, 3: NEAR})


def test_who_cannot_go_elsewhere_stays() -> None:
    stock = {("lamp", "1-near"): 1}
    assert served(problem_of([order("A", ("lamp", 1)), order("B", ("lamp", 1))], stock)) == ({0: NEAR}, {0: NEAR})


def test_who_would_lose_a_line_elsewhere_stays_unless_that_is_worth_it() -> None:
    stock = {("lamp", "1-near"): 1, ("desk", "1-near"): 1, ("desk", "2-far"): 1}
    orders = [order("A", ("lamp", 1), ("desk", 1)), order("B", ("lamp", 1))]
    problem = only_near(problem_of(orders, stock), 2)
    stays = {0: NEAR, 1: NEAR}
    assert served(problem) == (stays, stays)
    # Whoever is heavier comes first where all are placed in turn; here the others came before.
    plan = placed(problem)
    plan.problem = plan.left.problem = replace(problem, weights=np.array([1, 3]))
    plan.pricer = Pricer(plan.problem, np.arange(3))
    give_way(plan, Prices.none(problem), lambda: False)
    assert sources_of(plan) == {1: FAR, 2: NEAR}


def test_two_orders_do_not_count_on_the_same_holder() -> None:
    stock = {("lamp", "1-near"): 2, ("lamp", "2-far"): 1, ("lamp", "3-away"): 1}
    problem = only_near(problem_of([order(id, ("lamp", 1)) for id in "ABCD"], stock), 2, 3)
    allowed = problem.allowed.copy()
    allowed[1, FAR] = False
    assert served(replace(problem, allowed=allowed))[1] == {0: FAR, 1: AWAY, 2: NEAR, 3: NEAR}


def test_a_holder_who_moves_anyway_is_not_asked_again() -> None:
    """A moves for its lamp and leaves a desk, too; for the second desk B must move, who goes farther."""
    stock = {("lamp", "1-near"): 1, ("lamp", "2-far"): 1, ("desk", "1-near"): 2, ("desk", "2-far"): 1}
    orders = [order("A", ("lamp", 1), ("desk", 1)), order("B", ("desk", 1)), order("C", ("lamp", 1), ("desk", 2))]
    problem = problem_of(orders, {**stock, ("desk", "3-away"): 1}, WHOLE_ORDERS)
    allowed = problem.allowed.copy()
    allowed[2, FAR] = False
    before, after = served(only_near(replace(problem, allowed=allowed), 3, 4))
    assert before == {0: NEAR, 1: NEAR, 2: NEAR}
    assert after == {0: FAR, 1: FAR, 2: AWAY, 3: NEAR, 4: NEAR}


def test_a_holder_with_two_lines_in_a_cell_leaves_the_units_of_both() -> None:
    stock = {("lamp", "1-near"): 2, ("lamp", "2-far"): 2}
    orders = [order("A", ("lamp", 1), ("lamp", 1)), order("B", ("lamp", 2))]
    assert served(only_near(problem_of(orders, stock), 2))[1] == {0: FAR, 1: FAR, 2: NEAR}


def test_where_nobody_gives_way_the_next_source_is_asked() -> None:
    """C would have the nearest lamp, which A cannot give away; B can give way farther away."""
    stock = {("lamp", "1-near"): 1, ("lamp", "2-far"): 1, ("lamp", "3-away"): 1}
    problem = problem_of([order(id, ("lamp", 1)) for id in "ABC"], stock)
    allowed = problem.allowed.copy()
    allowed[:] = [[True, False, False], [False, True, True], [True, True, False]]
    assert served(replace(problem, allowed=allowed)) == ({0: NEAR, 1: FAR}, {0: NEAR, 1: AWAY, 2: FAR})


def test_only_the_source_where_nobody_gave_way_is_given_up() -> None:
    """C lacks both near: A cannot give the lamp away, B can the desk. Far there is a lamp, too, and no desk."""
    stock = {("lamp", "1-near"): 1, ("desk", "1-near"): 1, ("lamp", "2-far"): 1, ("desk", "3-away"): 1}
    orders = [order("A", ("lamp", 1)), order("B", ("desk", 1)), order("C", ("lamp", 1), ("desk", 1))]
    problem = problem_of(orders, stock, WHOLE_ORDERS)
    allowed = problem.allowed.copy()
    allowed[:] = [[True, False, False], [True, False, True], [True, True, False], [True, False, False]]
    assert served(replace(problem, allowed=allowed)) == ({0: NEAR, 1: NEAR}, {0: NEAR, 1: AWAY, 2: FAR, 3: NEAR})


def test_where_there_is_no_room_the_next_source_is_asked() -> None:
    """The near source has a lamp and room for one order, which has a desk from there; far the lamp has a holder."""
    stock = {("desk", "1-near"): 1, ("lamp", "1-near"): 1, ("lamp", "2-far"): 1, ("lamp", "3-away"): 1}
    full = a_rule("maximum_orders", {"lines": [{"source_id": "1-near", "limit": 1}]}, id="room")
    problem = problem_of([order("A", ("desk", 1)), order("B", ("lamp", 1)), order("C", ("lamp", 1))], stock, full)
    allowed = problem.allowed.copy()
    allowed[:] = [[True, False, False], [False, True, True], [True, True, False]]
    assert served(replace(problem, allowed=allowed)) == ({0: NEAR, 1: FAR}, {0: NEAR, 1: AWAY, 2: FAR})


def test_nobody_moves_where_it_costs_as_much_as_it_gains() -> None:
    stock = {("lamp", "1-near"): 1, ("lamp", "3-away"): 1}
    far_off = an_order("B").shipping_to(*DENVER).with_line("lamp", 1)
    problem = only_near(problem_of([order("A", ("lamp", 1)), far_off], stock), 1)
    km = int(problem.km[0, AWAY] - problem.km[0, NEAR] + problem.km[1, NEAR])
    for unfilled, after in ((km, {0: NEAR}), (km + 1, {0: AWAY, 1: NEAR})):
        rates = {Level.UNFILLED_UNITS: unfilled, Level.PRIORITY_STEPS: 0, Level.SHIPMENTS: 0, Level.DISTANCE_KM: 1}
        assert served(replace(problem, rates=rates)) == ({0: NEAR}, after)


def test_a_holder_goes_where_there_is_room() -> None:
    stock = {("lamp", "1-near"): 1, ("lamp", "2-far"): 1, ("lamp", "3-away"): 1}
    full = a_rule("maximum_orders", {"lines": [{"source_id": "2-far", "limit": 0}]}, id="room")
    orders = [order("A", ("lamp", 1)), order("B", ("lamp", 1))]
    assert served(only_near(problem_of(orders, stock, full), 1))[1] == {0: AWAY, 1: NEAR}
    assert served(only_near(problem_of(orders, stock), 1))[1] == {0: FAR, 1: NEAR}


def test_nobody_moves_to_where_there_is_room_for_a_part_of_them() -> None:
    stock = {("lamp", "1-near"): 2, ("lamp", "2-far"): 2}
    orders = [order("A", ("lamp", 1)), order("B", ("lamp", 1)), order("C", ("lamp", 2))]
    full = a_rule("maximum_orders", {"lines": [{"source_id": "2-far", "limit": 1}]}, id="room")
    assert served(only_near(problem_of(orders, stock, full), 2))[1] == {0: NEAR, 1: NEAR}
    assert served(only_near(problem_of(orders, stock), 2))[1] == {0: FAR, 1: FAR, 2: NEAR}


def crowds(seed: int) -> RequestBuilder:
    """Orders of one to three lines, which want more than there is."""
    chance = Random(seed)
    sources = [a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)]
    builder = a_request().with_sources(*sources)
    for number in range(60):
        placed = an_order(f"O{number:03}").shipping_to(*chance.choice(PLACES))
        for product in chance.sample(range(8), chance.choice((1, 1, 2, 3))):
            placed = placed.with_line(f"P{product}", chance.randint(1, 2))
        builder = builder.with_orders(placed)
    return builder.with_stock({(f"P{p}", f"S{s}"): chance.randint(0, 3) for p in range(8) for s in range(6)})


def test_plans_never_become_dearer_and_break_nothing() -> None:
    fewer = 0
    problems = [one for _, one, _ in varied_problems()]
    problems += [prepare(open_lines(crowds(seed).build())[0]).problem for seed in range(20)]
    for number, problem in enumerate(problems):
        chance = np.random.default_rng(number)
        problem = replace(problem, allowed=problem.allowed & (chance.random(problem.allowed.shape) < 0.7))
        plan = placed(problem)
        before = points_by_order(problem, plan.flows).sum()
        waiting = plan.waiting.sum()
        give_way(plan, Prices.none(problem), lambda: False)
        assert points_by_order(problem, plan.flows).sum() <= before
        fewer += waiting > plan.waiting.sum()
        left = Left(problem, plan.flows)
        assert (left.stock == plan.left.stock).all()
        assert left.room == plan.left.room
        assert (left.stock >= 0).all()
        assert min(left.room, default=0) >= 0
        assert len({line for line, _, _ in plan.flows}) == len(plan.flows)
        assert all(
            problem.allowed[line, source] and units == problem.wanted[line] for line, source, units in plan.flows
        )
        assert not plan.waiting[[line for line, _, _ in plan.flows]].any()
        chosen = np.full(len(problem.wanted), NOWHERE)
        for line, source in sources_of(plan).items():
            chosen[line] = source
        assert not unfit(plan.pricer, chosen).any()
    assert fewer >= 10


def test_time_that_is_up_ends_it() -> None:
    stock = {("lamp", "1-near"): 1, ("lamp", "3-away"): 1}
    problem = only_near(problem_of([order("A", ("lamp", 1)), order("B", ("lamp", 1))], stock), 1)
    plan = placed(problem)
    give_way(plan, Prices.none(problem), lambda: True)
    assert plan.flows == [(0, NEAR, 1)]
