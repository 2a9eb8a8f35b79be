from typing import Any

import pytest

from dom_core.errors import Conflict, InvalidInput, NotFound
from dom_core.use_cases.set_stock import get_stock, set_many, set_one
from tests.builders import an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import World, encoded


def level(product_id: str = "pen", source_id: str = "A", on_hand: Any = 3) -> dict[str, Any]:
    return {"product_id": product_id, "source_id": source_id, "on_hand": on_hand}


@pytest.fixture
def reserved(world: World) -> World:
    """Three of five pens at A are reserved."""
    world.stock(pen_A=5)
    order = world.store_order(an_order().with_line("pen", 3))
    world.apply(a_plan().assigning(order, "1", ("A", 3)).build())
    return world


def test_one_level_is_set_and_read_back(world: World) -> None:
    set_one(world.ports, "pen", "A", encoded({"on_hand": 7}))
    assert get_stock(world.ports, "pen").cell("A").on_hand == 7


def test_a_product_that_was_never_stocked_has_no_cells_and_an_unknown_one_is_not_found(world: World) -> None:
    assert get_stock(world.ports, "pen").cells == ()
    with pytest.raises(NotFound):
        get_stock(world.ports, "sofa")


@pytest.mark.parametrize("on_hand", [-1, 1.5, "3", None, True])
def test_units_on_hand_are_whole_and_not_negative(world: World, on_hand: object) -> None:
    with pytest.raises(InvalidInput):
        set_one(world.ports, "pen", "A", encoded({"on_hand": on_hand}))


def test_unknown_products_and_sources_are_all_named_and_nothing_is_stored(world: World) -> None:
    levels = [level(), level(product_id="sofa"), level(source_id="moon")]
    with pytest.raises(InvalidInput) as caught:
        set_many(world.ports, encoded(levels))
    assert [problem.path for problem in caught.value.problems] == ["[1].product_id", "[2].source_id"]
    assert get_stock(world.ports, "pen").cells == ()


def test_a_level_given_twice_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"\[1\]: gives the same product and source as \[0\]"):
        set_many(world.ports, encoded([level(), level(on_hand=4)]))


def test_many_levels_are_set_at_once(world: World) -> None:
    assert set_many(world.ports, encoded([level(), level(source_id="B"), level("ink", on_hand=0)])) == 3
    assert [cell.source_id for cell in get_stock(world.ports, "pen").cells] == ["A", "B"]


def test_more_levels_than_allowed_are_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="at most 10,000"):
        set_many(world.ports, encoded([level()] * 10_001))


def test_less_than_what_is_reserved_is_refused_with_the_numbers(reserved: World) -> None:
    with pytest.raises(Conflict, match=r"'pen' at 'A': 2 on hand is less than the 3 reserved.*cancel"):
        set_one(reserved.ports, "pen", "A", encoded({"on_hand": 2}))


def test_exactly_what_is_reserved_is_accepted_and_reservations_stay(reserved: World) -> None:
    cell = set_one(reserved.ports, "pen", "A", encoded({"on_hand": 3})).cell("A")
    assert (cell.on_hand, cell.reserved, cell.available) == (3, 3, 0)


def test_one_level_below_what_is_reserved_keeps_all_others_out(reserved: World) -> None:
    with pytest.raises(Conflict):
        set_many(reserved.ports, encoded([level("ink"), level(on_hand=1)]))
    assert get_stock(reserved.ports, "ink").cells == ()
