"""Sources by price, compared with plans that have no other source."""

from dataclasses import replace

import pytest

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import Objective, Rates, RuleRecord
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.ranking import Ranking
from dom_core.optimizer.solving import CbcSolver
from tests.builders import RequestBuilder, a_cost_factor, a_request, a_rule, a_source, an_order

PLACES = {"A": (47.6, -122.3), "B": (45.5, -122.7), "C": (34.0, -118.2), "D": (40.7, -74.0)}
FREIGHT = {"lines": [{"basis": "per_km", "cents_per_km": 3.7, "default_cents": 100}]}
RANKS = {"lines": [{"source_id": id, "priority": rank} for id, rank in zip("ABCD", (4, 2, 3, 1), strict=True)]}


def four_sources() -> RequestBuilder:
    """Enough of everything at each source, at rates that do not depend on which sources there are."""
    rates = Rates(unfilled_unit=50_000, shipment=9_000, priority_step=700, kilometre=1)
    everything = {(product, source): 9 for product in ("pen", "ink") for source in PLACES}
    return (
        a_request()
        .with_sources(*(a_source(id, at) for id, at in PLACES.items()))
        .with_stock(everything)
        .with_strategy(rates=rates)
    )


def with_only(request: PlanRequest, source_id: str) -> Plan:
    """The plan that is left when there is but one source."""
    return plan_once(replace(request, sources=tuple(s for s in request.sources if s.id == source_id)), CbcSolver())


@pytest.mark.parametrize("rules", [(), (a_rule("location_priority", RANKS),)], ids=["by distance", "by priority"])
@pytest.mark.parametrize("units", [4, 12], ids=["enough", "too little"])
def test_the_price_of_a_source_is_the_total_of_a_plan_with_no_other(rules: tuple[RuleRecord, ...], units: int) -> None:
    partly = a_rule("partial_orders", {"partial_lines": True, "max_sources": 1})
    request = four_sources().with_rules(partly, *rules).with_orders(an_order().with_line("pen", units)).build()
    plan = plan_once(request, CbcSolver())
    sources = Ranking.of(request, plan).sources(0)
    assert len(sources) == 4
    for source in sources:
        assert source.price is not None
        assert source.price.points == with_only(request, source.source_id).iterations[0].total
        assert source.price.units == min(units, 9)
    totals = [source.price.points for source in sources if source.price]
    assert totals == sorted(totals)


def test_by_cost_the_price_is_the_cents_of_a_plan_with_no_other_source() -> None:
    builder = (
        four_sources().with_cost_factors(a_cost_factor("shipping", FREIGHT)).with_strategy(objective=Objective.COST)
    )
    request = builder.with_orders(an_order().with_line("pen", 4)).build()
    sources = Ranking.of(request, plan_once(request, CbcSolver())).sources(0)
    for source in sources:
        assert source.price is not None
        (made,) = with_only(request, source.source_id).lines[0].assignments
        assert source.price.points == made.cost_cents


@pytest.mark.parametrize(
    ("ink_at_b", "shipments", "more_points"),
    [(0, 2, 9_000 + 236), (9, 1, 236)],
    ids=["the ink cannot follow", "the ink follows"],
)
def test_a_line_moves_alone_or_with_its_order_whichever_is_cheaper(
    ink_at_b: int, shipments: int, more_points: int
) -> None:
    """Pens and ink come from A. What if the pens came from B, 236 km away?"""
    request = (
        four_sources()
        .with_stock({("ink", "B"): ink_at_b})
        .with_orders(an_order().with_line("pen", 4).with_line("ink", 1))
        .build()
    )
    pens = Ranking.of(request, plan_once(request, CbcSolver())).sources(0)
    price = {source.source_id: source.price for source in pens}["B"]
    assert price is not None
    assert {value.level.value: value.amount for value in price.levels}["shipments"] == shipments
    assert price.more_points == more_points


def test_sources_of_equal_price_come_by_id_but_the_chosen_one_first() -> None:
    request = (
        a_request()
        .with_sources(*(a_source(id) for id in "CAB"))
        .with_stock({("pen", id): 9 for id in "ABC"})
        .with_orders(an_order().with_line("pen", 4))
        .build()
    )
    sources = Ranking.of(request, plan_once(request, CbcSolver())).sources(0)
    assert sources[0].verdict == "chosen"
    assert [source.source_id for source in sources[1:]] == sorted(source.source_id for source in sources[1:])
    assert {source.price.more_points for source in sources if source.price} == {0}
