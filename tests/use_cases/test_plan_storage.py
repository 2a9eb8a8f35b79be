from dataclasses import fields, replace

import numpy as np
import pytest

from dom_core.domain.plan import HeldLine, Plan
from dom_core.domain.plan_header import PlanHeader
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import code_type
from dom_core.domain.roads import RoadTable
from dom_core.errors import AlreadyExists, NotFound
from dom_core.ports import Container
from dom_core.repositories.plans import Plans
from dom_core.repositories.reading import every
from dom_core.use_cases.read_plan import get_plan, list_plans
from tests.builders import a_request, an_order
from tests.plan_builder import a_plan
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World


def large_plan(lines: int, templates: int) -> Plan:
    order = an_order().with_line("pen", 2).build()
    plan = a_plan().assigning(order, "1", ("A", 2)).build()
    reasons = tuple(
        Reason(Verdict.EXCLUDED, "maximum_distance", limit="80 km", actual=f"{n} km") for n in range(templates)
    )
    return replace(
        plan,
        lines=tuple(replace(plan.lines[0], line_id=str(n)) for n in range(lines)),
        held=(HeldLine("O9", "1", Reason(Verdict.EXCLUDED, "order_on_hold")),),
        reasons=replace(
            plan.reasons,
            templates=reasons,
            codes=(np.array([0, templates - 1], code_type(templates)).tobytes(),) * lines,
        ),
    )


@pytest.mark.parametrize(("lines", "templates"), [(1, 2), (20_000, 25_000)], ids=["small", "large"])
def test_a_plan_is_read_back_as_it_was_and_no_document_is_too_large(world: World, lines: int, templates: int) -> None:
    plan = large_plan(lines, templates)

    Plans(world.ports.store).create(plan, attempt="1", to_apply=False)

    assert get_plan(world.ports, "P1") == plan
    sizes = [len(repr(document.body)) for document in every(world.ports.store, Container.PLANS, partition="P1")]
    assert max(sizes) < 1_500_000
    assert len(sizes) >= (5 if lines == 1 else 7)


def test_a_table_of_roads_is_read_back_as_it_was_in_documents_of_their_size(world: World) -> None:
    metres = np.arange(400 * 1000).reshape(400, 1000)
    table = RoadTable.of(
        ("osrm driving", 130),
        [f"S{number}" for number in range(1000)],
        {(north, -122_300): row for north, row in enumerate(metres)},
        "OSRM gave no answer",
    )
    request = replace(a_request().build(), roads=table)
    Plans(world.ports.store).create(large_plan(1, 2), attempt="1", to_apply=False, request=request)
    assert Plans(world.ports.store).request("P1").roads == table
    sizes = [len(repr(document.body)) for document in every(world.ports.store, Container.PLANS, partition="P1")]
    assert max(sizes) < 1_500_000
    assert sum(sizes) > 2_000_000


def test_a_header_holds_every_field_of_a_plan_that_the_chunks_do_not() -> None:
    in_chunks = {"lines", "held", "reasons", "rounds", "proofs"}
    assert {field.name for field in fields(Plan)} - in_chunks <= {field.name for field in fields(PlanHeader)}


def test_headers_list_plans_without_reading_their_lines(world: World) -> None:
    Plans(world.ports.store).create(large_plan(3, 2), attempt="1", to_apply=False)
    (header,) = list_plans(world.ports, 10).items
    assert (header.id, header.summary.lines, header.summary.filled_lines, header.held_lines) == ("P1", 3, 3, 1)


def test_a_plan_whose_storing_was_interrupted_is_not_there_and_can_be_stored_again(world: World) -> None:
    with pytest.raises(Killed):
        Plans(KillingStore(world.ports.store, 2)).create(large_plan(3, 2), attempt="1", to_apply=False)
    with pytest.raises(NotFound):
        get_plan(world.ports, "P1")

    Plans(world.ports.store).create(large_plan(4, 2), attempt="1", to_apply=False)

    assert len(get_plan(world.ports, "P1").lines) == 4


def test_of_two_attempts_at_one_plan_the_first_to_finish_counts(world: World) -> None:
    Plans(world.ports.store).create(large_plan(3, 2), attempt="1", to_apply=False)
    with pytest.raises(AlreadyExists):
        Plans(world.ports.store).create(large_plan(5, 2), attempt="2", to_apply=False)
    assert len(get_plan(world.ports, "P1").lines) == 3
