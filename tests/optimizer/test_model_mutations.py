"""Break the model in one place, and the audit refuses its plan: nothing wrong leaves the optimizer unseen.

Each mutation has a request of its own that it spoils. The same request is planned unbroken first, without a finding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from dom_core.domain.network import WorkingCalendar
from dom_core.domain.plan import Level, PlanAssignment
from dom_core.domain.request import SourceLoad
from dom_core.domain.strategy import Objective
from dom_core.errors import PlanRejected
from dom_core.optimizer import (
    activation,
    candidates,
    costs,
    decomposition,
    eligibility,
    formulation,
    interpretation,
    objective,
    problem,
    relaxation,
)
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.problem import Problem, Used
from dom_core.optimizer.solving import CbcSolver
from tests.builders import NOW, RequestBuilder, a_cost_factor, a_request, a_rule, a_source, an_order

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch], None]


# Ways to break the model


def problem_with(change: Callable[[Problem], dict[str, Any]]) -> Mutation:
    """The model is built of another problem than the one that was asked."""
    build = formulation.build

    def mutate(patch: Patch) -> None:
        patch.setattr(formulation, "build", lambda asked, parts: build(replace(asked, **change(asked)), parts))

    return mutate


def limits_with(**changes: Any) -> Mutation:
    return problem_with(
        lambda asked: {"split_limits": tuple(replace(limits, **changes) for limits in asked.split_limits)}
    )


def without_rows(dropped: Callable[[formulation.Terms, str, float], bool]) -> Mutation:
    """The model lacks some of its constraints."""
    require = formulation._Builder._require

    def mutate(patch: Patch) -> None:
        def unless(self: Any, terms: formulation.Terms, sense: str, right: float) -> None:
            if not dropped(terms, sense, right):
                require(self, terms, sense, right)

        patch.setattr(formulation._Builder, "_require", unless)

    return mutate


def replaced(owner: Any, name: str, other: Any) -> Mutation:
    return lambda patch: patch.setattr(owner, name, other)


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing, whatever is asked."""


def every_pair_allowed(patch: Patch) -> None:
    patch.setattr(candidates.Candidates, "allowed", property(lambda found: np.ones(found.batch.shape, dtype=bool)))


def stock_of_before(patch: Patch) -> None:
    next_problem = problem.next_problem

    def forgetful(
        first: Problem, relaxed: candidates.Candidates, flows: Sequence[costs.Flow], **tried: bool
    ) -> Problem:
        return replace(next_problem(first, relaxed, flows, **tried), stock=relaxed.stock)

    patch.setattr(relaxation, "next_problem", forgetful)


def rooms_for_more(asked: Problem) -> dict[str, Any]:
    return {"capacities": tuple(replace(room, remaining=room.remaining + 1) for room in asked.capacities)}


def doubled_flows(patch: Patch) -> None:
    flows = formulation.Model.flows

    def doubled(self: formulation.Model) -> tuple[costs.Flow, ...]:
        return tuple((line, source, 2 * units) for line, source, units in flows(self))

    patch.setattr(formulation.Model, "flows", doubled)


def doubled_assignments(patch: Patch) -> None:
    def doubled(units: int, **fields: Any) -> PlanAssignment:
        return PlanAssignment(units=2 * units, **fields)

    patch.setattr(interpretation, "PlanAssignment", doubled)


def each_order_a_part_of_its_own(patch: Patch) -> None:
    patch.setattr(decomposition, "_binding_groups", lambda _: iter(()))
    patch.setattr(decomposition, "BLOCK_LINES", 1)


def second_iteration_first(patch: Patch) -> None:
    rules = activation.in_iteration
    patch.setattr(activation, "in_iteration", lambda request, _: rules(request, 2))


def no_rules_in_iteration_two(patch: Patch) -> None:
    rules = activation.in_iteration
    patch.setattr(activation, "in_iteration", lambda request, number: rules(request, 1) if number == 1 else ())


def misreported(level: Level) -> Mutation:
    told = objective.levels_of

    def mutate(patch: Patch) -> None:
        def less(*arguments: Any) -> tuple[Any, ...]:
            return tuple(
                replace(value, amount=value.amount + 1) if value.level is level else value for value in told(*arguments)
            )

        patch.setattr(relaxation, "levels_of", less)

    return mutate


def a_cent_lost(patch: Patch) -> None:
    spread = costs.spread
    patch.setattr(costs, "spread", lambda cents, weights: spread(max(0, cents - 1), weights))


def costs_on_the_wrong_source(patch: Patch) -> None:
    items = costs.PairCosts.items

    def swapped(self: costs.PairCosts, flows: Sequence[costs.Flow]) -> Any:
        positions = range(len(flows))
        found = items(self, flows)
        return {position: found[other] for position, other in zip(positions, reversed(positions), strict=True)}

    patch.setattr(costs.PairCosts, "items", swapped)


# Requests that such a break spoils

DENVER = (39.74, -104.99)
SOON = NOW + timedelta(days=1)


def two_sources() -> RequestBuilder:
    """S1 in Seattle, where every order goes, and S2 in Denver, 1,638 km away."""
    return a_request().with_sources(a_source("S1"), a_source("S2", at=DENVER))


def one_line() -> RequestBuilder:
    return two_sources().with_stock({("A", "S1"): 1}).with_orders(an_order().with_line("A"))


def one_line_far_away() -> RequestBuilder:
    """Only Denver has it."""
    return two_sources().with_stock({("A", "S2"): 1}).with_orders(an_order().with_line("A"))


def rivals() -> RequestBuilder:
    """Two orders, one unit."""
    return one_line().with_orders(an_order("O2").with_line("A"))


def scattered_lines() -> RequestBuilder:
    """An order of A and B; A is in Seattle, B in Denver."""
    stock = {("A", "S1"): 1, ("B", "S2"): 1}
    return two_sources().with_stock(stock).with_orders(an_order().with_line("A").with_line("B"))


def scattered_units() -> RequestBuilder:
    """A line of two units; one is in Seattle, one in Denver."""
    return two_sources().with_stock({("A", "S1"): 1, ("A", "S2"): 1}).with_orders(an_order().with_line("A", units=2))


def half_a_line() -> RequestBuilder:
    """A line of two units; there is one."""
    return two_sources().with_stock({("A", "S1"): 1}).with_orders(an_order().with_line("A", units=2))


def half_an_order() -> RequestBuilder:
    """An order of two A and two B; of B there is one in Seattle and one in Denver, and another order wants it."""
    stock = {("A", "S1"): 2, ("B", "S1"): 1, ("B", "S2"): 1}
    rival = an_order("O2", priority_class=1).with_line("B")
    return two_sources().with_stock(stock).with_orders(an_order().with_line("A", units=2).with_line("B", 2), rival)


def a_late_unit(source_id: str = "S2") -> RequestBuilder:
    """B is kept back by a soft rule, so that only iteration 2 sends it, from here; A goes in iteration 1 from S1."""
    fence = {"lines": [{"product_id": "B", "units": 1}]}
    return (
        two_sources()
        .with_stock({("A", "S1"): 1, ("B", source_id): 1})
        .with_rules(a_rule("minimum_inventory", fence, hard=False))
    )


def split(**params: Any) -> Any:
    return a_rule("partial_orders", params)


def room(**line: Any) -> Any:
    return a_rule("maximum_orders", {"lines": [line]})


def full(line: dict[str, Any], **load: Any) -> RequestBuilder:
    """Seattle has what is asked, and no room left."""
    return one_line().with_rules(room(**line)).with_load("S1", SourceLoad(**load))


def by_cost(builder: RequestBuilder) -> RequestBuilder:
    handling = a_cost_factor("handling", {"lines": [{"source_id": "S1", "per_order_cents": 100}]})
    return builder.with_strategy(objective=Objective.COST).with_cost_factors(handling)


def barred() -> RequestBuilder:
    stock = {("A", "S1"): 1}
    return two_sources().with_stock(stock).with_orders(an_order().with_line("A").rejected_by("S1", SOON))


@dataclass(frozen=True)
class Broken:
    """A mutation, a request that it spoils, and what the audit says about it."""

    mutation: Mutation
    request: RequestBuilder
    finding: str


NO_ROOM_LIMITS = problem_with(lambda _: {"capacities": ()})
NO_MEMORY = problem_with(lambda _: {"used": Used()})

MUTATIONS: dict[str, Broken] = {
    # Stock
    "no stock rows": Broken(
        replaced(formulation._Builder, "_limit_stock", nothing), rivals(), "S1 gives 2 units of A and has 1"
    ),
    "a unit more in each cell": Broken(
        problem_with(lambda asked: {"stock": asked.stock + 1}), half_a_line(), "S1 gives 2 units of A and has 1"
    ),
    "kept-back units given away": Broken(
        problem_with(lambda asked: {"stock": asked.batch.available}),
        two_sources()
        .with_stock({("A", "S1"): 2})
        .with_rules(a_rule("minimum_inventory", {"lines": [{"units": 1}]}))
        .with_orders(an_order().with_line("A", units=2)),
        "rule minimum_inventory: order O1 line 1 from S1 gives 2 of 1 units",
    ),
    "stock of iteration 1 given again": Broken(
        stock_of_before,
        a_late_unit()
        .with_stock({("B", "S1"): 3})
        .with_orders(an_order("O1").with_line("B", units=2), an_order("O2").with_line("B", units=2)),
        "S1 gives 4 units of B and has 3",
    ),
    "parts that are not independent": Broken(each_order_a_part_of_its_own, rivals(), "S1 gives 2 units of A and has 1"),
    # Demand
    "no demand rows": Broken(
        without_rows(lambda _, sense, right: sense == "<=" and right > 0),
        two_sources().with_stock({("A", "S1"): 1, ("A", "S2"): 1}).with_orders(an_order().with_line("A")),
        "order O1 line 1 gets 2 of 1 units",
    ),
    "units wanted again in iteration 2": Broken(
        problem_with(lambda asked: {"wanted": asked.batch.units}),
        two_sources()
        .with_stock({("A", "S1"): 3})
        .with_rules(a_rule("minimum_inventory", {"lines": [{"units": 2}]}, hard=False), split(partial_lines=True))
        .with_orders(an_order().with_line("A", units=2)),
        "order O1 line 1 gets 3 of 2 units",
    ),
    "no opening rows": Broken(
        without_rows(lambda _, sense, right: sense == "<=" and right == 0),
        scattered_units().with_rules(split(max_sources=1)),
        "rule partial_orders",
    ),
    # Split limits
    "no limit of sources": Broken(
        limits_with(max_sources=None), scattered_lines().with_rules(split(max_sources=1)), "rule partial_orders"
    ),
    "no limit of sources for an order that is never split": Broken(
        limits_with(max_sources=None),
        scattered_lines().with_rules(split(never_split_below_cents=100)),
        "rule partial_orders",
    ),
    "no limit of sources for a line": Broken(
        limits_with(max_sources_per_line=None),
        scattered_units().with_rules(split(max_sources_per_line=1)),
        "rule partial_orders",
    ),
    "no rows for split limits": Broken(
        replaced(formulation._Builder, "_limit_sources", nothing),
        scattered_lines().with_rules(split(max_sources=1)),
        "rule partial_orders",
    ),
    "some lines of an order that must be whole": Broken(
        limits_with(partial_orders=True),
        two_sources()
        .with_stock({("A", "S1"): 1})
        .with_rules(split(partial_orders=False))
        .with_orders(an_order().with_line("A").with_line("B")),
        "rule partial_orders",
    ),
    "no rows for whole orders": Broken(
        replaced(formulation._Builder, "_all_or_nothing", nothing),
        half_an_order().with_rules(split(partial_orders=False)),
        "rule partial_orders",
    ),
    "a line in part by rule": Broken(
        limits_with(partial_lines=True), half_a_line().with_rules(split(partial_lines=False)), "rule partial_orders"
    ),
    "a line in part without a rule": Broken(
        limits_with(partial_lines=True), half_a_line(), "filled in part, and no rule allows it"
    ),
    "sources of iteration 1 forgotten": Broken(
        NO_MEMORY,
        a_late_unit().with_rules(split(max_sources=1)).with_orders(an_order().with_line("A").with_line("B")),
        "rule partial_orders",
    ),
    "sources of a line in iteration 1 forgotten": Broken(
        NO_MEMORY,
        a_late_unit()
        .with_stock({("B", "S1"): 2, ("B", "S2"): 4})
        .with_rules(a_rule("offline_location", {"places": [{"source_id": "S2"}]}, hard=False))
        .with_rules(split(partial_lines=True, max_sources_per_line=1))
        .with_orders(an_order().with_line("B", units=3)),
        "rule partial_orders",
    ),
    # Room
    "no rows for room": Broken(
        replaced(formulation._Builder, "_limit_capacities", nothing),
        one_line().with_stock({("A", "S1"): 2}).with_rules(room(limit=1)).with_orders(an_order("O2").with_line("A")),
        "is beyond the limit of 1 orders",
    ),
    "no room limit by open orders": Broken(
        NO_ROOM_LIMITS, full({"limit": 1}, open_order_ids=frozenset({"O9"})), "is beyond the limit of 1 orders"
    ),
    "no room limit by orders of the day": Broken(
        NO_ROOM_LIMITS,
        full({"limit": 1, "basis": "calendar_day"}, order_ids_today=frozenset({"O9"})),
        "is beyond the limit of 1 orders",
    ),
    "no room limit by lines of the day": Broken(
        NO_ROOM_LIMITS, full({"limit": 2, "basis": "lines_per_day"}, lines_today=2), "beyond the limit of 2 lines a day"
    ),
    "no room limit of several sources": Broken(
        NO_ROOM_LIMITS,
        scattered_lines().with_rules(room(limit=1, per="total")),
        "is beyond the limit of 1 orders",
    ),
    "room for one more": Broken(problem_with(rooms_for_more), full({"limit": 0}), "is beyond the limit of 0 orders"),
    "room of iteration 1 given again": Broken(
        replaced(problem, "_after", lambda capacities, *_: capacities),
        a_late_unit("S1")
        .with_rules(room(limit=1))
        .with_orders(an_order("O1").with_line("A"), an_order("O2").with_line("B")),
        "is beyond the limit of 1 orders",
    ),
    # Pairs that are out
    "a source that is not active": Broken(
        every_pair_allowed, one_line().with_sources(a_source("S1", active=False)), "the source is not active"
    ),
    "a source of another entity": Broken(
        every_pair_allowed, one_line().with_sources(a_source("S1", legal_entity="other")), "the source belongs to other"
    ),
    "a source that refused": Broken(every_pair_allowed, barred(), "the source refused the line and is barred"),
    "a source that is offline": Broken(
        every_pair_allowed,
        one_line().with_rules(a_rule("offline_location", {"places": [{"source_id": "S1"}]})),
        "rule offline_location",
    ),
    "a source too far away": Broken(
        every_pair_allowed,
        one_line_far_away().with_rules(a_rule("maximum_distance", {"lines": [{"km": 1000}]})),
        "rule maximum_distance",
    ),
    "a source that is closed": Broken(
        every_pair_allowed,
        one_line()
        .with_sources(a_source("S1", calendar=WorkingCalendar(closed_dates=(NOW.date(),))))
        .with_rules(a_rule("working_hours")),
        "rule working_hours",
    ),
    "a source without a priority": Broken(
        every_pair_allowed,
        one_line().with_rules(a_rule("location_priority", {"lines": [{"source_id": "S2", "priority": 1}]})),
        "rule location_priority",
    ),
    "a source with too little": Broken(
        every_pair_allowed,
        one_line().with_rules(a_rule("minimum_inventory", {"lines": [{"units": 2}], "mode": "exclude_if_below"})),
        "rule minimum_inventory: order O1 line 1 from S1 has 1 units, below the minimum of 2",
    ),
    "an order at a source that iteration 2 may not use": Broken(
        every_pair_allowed,
        a_late_unit()
        .with_rules(a_rule("maximum_distance", {"lines": [{"km": 1000}]}))
        .with_orders(an_order().with_line("B")),
        "rule maximum_distance",
    ),
    # Which rules act
    "soft rules forgotten in iteration 1": Broken(
        second_iteration_first,
        one_line_far_away().with_rules(a_rule("maximum_distance", {"lines": [{"km": 1000}]}, hard=False)),
        "rule maximum_distance",
    ),
    "hard rules forgotten in iteration 2": Broken(
        no_rules_in_iteration_two,
        a_late_unit()
        .with_rules(a_rule("maximum_distance", {"lines": [{"km": 1000}]}))
        .with_orders(an_order().with_line("B")),
        "rule maximum_distance",
    ),
    "dates read as past": Broken(
        replaced(activation.ActiveRule, "sources_in_force", lambda _, batch: np.zeros(len(batch.sources), dtype=bool)),
        one_line_far_away().with_rules(
            a_rule("maximum_distance", {"lines": [{"km": 1000}]}, end_date=date(2026, 3, 2))
        ),
        "rule maximum_distance",
    ),
    # Which lines take part
    "lines taken that nobody may plan": Broken(
        replaced(eligibility, "_GATES", ()),
        one_line().with_orders(an_order("O2", on_hold=True).with_line("A")),
        "on hold",
    ),
    "rejects not counted": Broken(
        replaced(eligibility, "_chain", lambda gates, *_: gates),
        barred().with_rules(a_rule("maximum_rejects", {"threshold": 1})),
        "rule maximum_rejects holds it",
    ),
    "a line forgotten": Broken(
        replaced(eligibility, "split", lambda *_: ((), ())), one_line(), "order O1 line 1 is missing"
    ),
    # Interpretation
    "twice the units that flow": Broken(doubled_flows, one_line(), "order O1 line 1 gets 2 of 1 units"),
    "twice the units in assignments": Broken(doubled_assignments, one_line(), "order O1 line 1 gets 2 of 1 units"),
    "a wrong distance": Broken(
        replaced(interpretation, "_distance", lambda *_: 5), one_line_far_away(), "reported 5 m"
    ),
    "no exception where units are missing": Broken(
        replaced(interpretation, "_exception", nothing), half_a_line(), "is short of units, and its exception is None"
    ),
    "relaxed rules not named": Broken(
        replaced(interpretation, "_name_relaxed_rules", lambda _request, plan, _watch: plan),
        a_late_unit().with_orders(an_order().with_line("B")),
        "names [] as relaxed",
    ),
    # Figures
    "other unfilled units": Broken(misreported(Level.UNFILLED_UNITS), one_line(), "1 unfilled_units"),
    "other shipments": Broken(misreported(Level.SHIPMENTS), one_line(), "2 shipments"),
    "other steps": Broken(misreported(Level.PRIORITY_STEPS), one_line(), "1 priority_steps"),
    "other kilometres": Broken(misreported(Level.DISTANCE_KM), one_line(), "1 distance_km"),
    "other cents": Broken(misreported(Level.COST_CENTS), by_cost(one_line()), "101 cost_cents"),
    "a class that weighs nothing": Broken(
        replaced(problem, "class_weight", lambda _: 1),
        two_sources().with_orders(an_order(priority_class=1).with_line("A")),
        "unfilled_units",
    ),
    "a local radius forgotten": Broken(
        replaced(
            problem, "objective_km", lambda batch, *_: replace(batch.metres, rows=(batch.metres.rows + 500) // 1000)
        ),
        one_line_far_away().with_strategy(local_radius_km=2000.0),
        "1638 distance_km",
    ),
    "a cent lost": Broken(a_cent_lost, by_cost(one_line()), "is told to pay 99 cents by handling, it pays 100"),
    "costs told to the wrong source": Broken(
        costs_on_the_wrong_source, by_cost(scattered_lines()), "told to pay 0 cents by handling, it pays 100"
    ),
}
"""Every constraint of the model, every step around it: broken once."""


@pytest.mark.parametrize("broken", MUTATIONS.values(), ids=MUTATIONS)
def test_the_audit_refuses_the_plan_of_a_broken_model(broken: Broken, monkeypatch: Patch) -> None:
    request = broken.request.build()
    plan_once(request, CbcSolver())
    broken.mutation(monkeypatch)
    with pytest.raises(PlanRejected) as refused:
        plan_once(request, CbcSolver())
    assert broken.finding in "\n".join(refused.value.findings)
