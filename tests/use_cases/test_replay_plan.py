"""A stored plan can be made again, and explained, from what is stored with it."""

from dataclasses import replace
from typing import Any

import pytest

from dom_core.domain.network import Address
from dom_core.domain.plan import LevelValue, Plan, PlanState
from dom_core.domain.request import PlanRequest
from dom_core.errors import AlreadyExists, Conflict, NotFound
from dom_core.messages.difference import Difference
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Container
from dom_core.repositories.plans import Plans
from dom_core.repositories.reading import every
from dom_core.use_cases.explain_line import explain_line
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.replay_plan import Replayed, replay, replay_plan
from tests.builders import a_request, a_source, an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import World


@pytest.fixture
def shop(world: World) -> World:
    """Three pens at A in Seattle, and two orders for two pens each: one of them stays unfilled."""
    world.configure("rules", {"id": "near", "kind": "maximum_distance", "params": {"lines": [{"km": 100}]}})
    world.strategy(rule_ids=["near"])
    world.stock(pen_A=3)
    world.store_order(an_order("O1").with_line("pen", 2, ship_to=Address(street="Wisteria Lane 4352")))
    world.store_order(an_order("O2").with_line("pen", 2))
    plan_batch(world.ports, "R1", "standard")
    return world


def a_run() -> tuple[Plan, PlanRequest]:
    request = a_request().with_sources(a_source()).with_stock({("P", "S1"): 1}).with_orders(an_order().with_line("P"))
    return plan_once(request.build(), CbcSolver()), request.build()


def test_a_stored_plan_replays_to_the_same_bytes_though_it_is_applied_since(shop: World) -> None:
    assert Plans(shop.ports.store).get("plan-R1").state is PlanState.APPLIED
    assert replay_plan(shop.ports, "plan-R1") == Replayed(same=True, first_difference=None, stopped_by_seconds=False)


def test_a_replay_looks_at_nothing_but_what_is_stored_with_the_plan(shop: World) -> None:
    shop.stock(pen_A=9, pen_B=9)
    shop.strategy(enabled=False)
    assert replay_plan(shop.ports, "plan-R1").same


def test_a_replay_stores_nothing(shop: World) -> None:
    def contents() -> list[Any]:
        return [(d.id, d.etag) for container in Container for d in every(shop.ports.store, container)]

    before = contents()
    replay_plan(shop.ports, "plan-R1")
    explain_line(shop.ports, "plan-R1", "O2", "1", force="B")
    assert contents() == before


def test_what_is_stored_holds_no_street(shop: World) -> None:
    stored = [document.body for document in every(shop.ports.store, Container.PLANS, partition="plan-R1")]
    assert "pen" in repr(stored)
    assert "Wisteria" not in repr(stored)


def test_the_first_difference_is_named_with_its_path() -> None:
    plan, request = a_run()
    (line,) = plan.lines
    (assignment,) = line.assignments
    tampered = replace(plan, lines=(replace(line, assignments=(replace(assignment, distance_m=7),)),))
    assert replay(tampered, request, CbcSolver()).first_difference == Difference(
        "lines[0].assignments[0].distance_m", "7", "0"
    )


def test_every_part_of_a_plan_but_its_seconds_and_state_is_compared() -> None:
    plan, request = a_run()
    assert replay(replace(plan, seconds=9.9, state=PlanState.EXPIRED), request, CbcSolver()).same
    report = plan.iterations[0]
    level = LevelValue(report.levels[0].level, report.levels[0].amount, 1)
    for changed, path in (
        (replace(plan, engine_version="0"), "engine_version"),
        (replace(plan, warnings=("!",)), "warnings[0]"),
        (
            replace(plan, iterations=(replace(report, levels=(level,)), plan.iterations[1])),
            "iterations[0].levels[0].rate",
        ),
        (replace(plan, reasons=replace(plan.reasons, codes=(b"\x01",))), "reasons.codes[0]"),
    ):
        difference = replay(changed, request, CbcSolver()).first_difference
        assert difference is not None
        assert difference.path == path


def test_a_plan_that_its_time_limit_ended_says_so() -> None:
    plan, request = a_run()
    ended = replace(plan, iterations=(replace(plan.iterations[0], ending_limit="seconds"), plan.iterations[1]))
    replayed = replay(ended, request, CbcSolver())
    assert (replayed.same, replayed.stopped_by_seconds) == (False, True)


@pytest.mark.parametrize(
    ("change", "which"),
    [({"available": {("P", "S1"): 2}}, "input"), ({"sources": (a_source(name="Renamed"),)}, "configuration")],
)
def test_a_request_that_was_tampered_with_is_refused(change: dict[str, Any], which: str) -> None:
    plan, request = a_run()
    with pytest.raises(Conflict, match=f"not made from the request beside it: its {which} hash is"):
        replay(plan, replace(request, **change), CbcSolver())


def test_a_plan_that_was_stored_without_its_request_cannot_be_replayed(world: World) -> None:
    world.store_plan(a_plan("P1").build())
    with pytest.raises(Conflict, match="stored without its request"):
        replay_plan(world.ports, "P1")


def test_an_unknown_plan_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        replay_plan(world.ports, "P9")


def test_a_large_request_is_stored_in_documents_of_less_than_one_and_a_half_megabytes(world: World) -> None:
    orders = [an_order(f"O{number}").with_line("P") for number in range(5_000)]
    stock = {(f"P{number}", "S1"): number for number in range(20_000)}
    request = a_request().with_sources(a_source()).with_stock(stock).with_orders(*orders).build()
    plan = replace(a_plan("P1").build(), id="P1")
    Plans(world.ports.store).create(plan, attempt="1", to_apply=False, request=request)
    assert Plans(world.ports.store).request("P1") == request.without_personal_data()
    sizes = [len(repr(document.body)) for document in every(world.ports.store, Container.PLANS, partition="P1")]
    assert max(sizes) < 1_500_000
    assert sum(sizes) > 3_000_000


def test_the_attempt_that_lost_leaves_the_winners_request_alone(world: World) -> None:
    plan, request = a_run()
    plans = Plans(world.ports.store)
    plans.create(plan, attempt="1", to_apply=False, request=request)
    with pytest.raises(AlreadyExists):
        plans.create(plan, attempt="2", to_apply=False, request=replace(request, available={("P", "S1"): 9}))
    assert plans.request(plan.id).available == request.available


def test_a_line_of_a_stored_plan_is_explained(shop: World) -> None:
    explained = explain_line(shop.ports, "plan-R1", "O2", "1", force="V")
    assert [(source.source_id, source.verdict, source.code) for source in explained.sources] == [
        ("A", "taken", "stock"),
        ("B", "excluded", "no_stock"),
        ("V", "excluded", "maximum_distance"),
    ]
    assert [(taker.order_id, taker.units) for taker in explained.sources[0].taken_by] == [("O1", 2)]
    assert explained.relief is not None
    assert explained.relief.rule_ids == ("near",)
    assert explained.counterfactual is not None
    assert [reason.rule_id for reason in explained.counterfactual.lifted] == ["near"]
