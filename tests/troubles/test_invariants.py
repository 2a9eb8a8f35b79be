"""The checker sees what is wrong: state is corrupted by hand, one thing at a time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from dom_core.adapters.sqlite import Database
from dom_core.domain.network import Address
from dom_core.domain.order import Event, LineState, Order, What
from dom_core.domain.run import Run, RunState
from dom_core.domain.stock import ProductStock, Reservation
from dom_core.repositories.dead_letters import DeadLetters
from dom_core.repositories.orders import Orders
from dom_core.repositories.runs import Runs
from dom_core.repositories.stock import Stock
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.dead_letters import record
from dom_core.use_cases.plan_batch import plan_batch
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.troubles.invariants import Expected, broken, decided, stored, unfinished, went_back
from tests.use_cases.world import World, a_world

EXPECTED = Expected(
    {"O1": Counter(pen=2), "O2": Counter(pen=3), "O3": Counter(ink=1)}, {("pen", "A"): 5, ("ink", "A"): 0}
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """O1 is planned, O2 has shipped, O3 found nothing: one file for all tests."""
    folder = tmp_path_factory.mktemp("sound")
    world = a_world(folder)
    world.configure("source-lists", {"id": "all", "source_ids": ["A"]})
    world.stock(pen_A=5, ink_A=0)
    world.store_order(an_order("O1").with_line("pen", 2))
    world.store_order(an_order("O2").with_line("pen", 3))
    world.store_order(an_order("O3").with_line("ink", 1))
    plan_batch(world.ports, "R1", "standard")
    world.pick(order_id="O2")
    world.ship(order_id="O2")
    world.database.close()
    return folder


@pytest.fixture
def shop(sound: Path, tmp_path: Path) -> Iterator[World]:
    """A copy of the sound installation, to be corrupted."""
    copytree(sound, tmp_path / "shop")
    with Database(tmp_path / "shop" / "dom.sqlite3") as database:
        yield World(database)


def change_order(world: World, id: str, change: Callable[[Order], Order]) -> None:
    found = Orders(world.ports.store).get(id)
    Orders(world.ports.store).replace(change(found.value), found.etag)


def with_line(**fields: Any) -> Callable[[Order], Order]:
    return lambda order: replace(order, lines=(replace(order.lines[0], **fields), *order.lines[1:]))


def with_event(**fields: Any) -> Callable[[Order], Order]:
    event = Event(NOW, "somebody", **fields)
    return lambda order: replace(order, history=(*order.history, event, event))


def with_cell(**fields: Any) -> Callable[[ProductStock], ProductStock]:
    return lambda stock: replace(stock, cells=(replace(stock.cells[0], **fields),))


def findings(world: World) -> list[str]:
    now = stored(world.ports.store)
    return [*broken(now, EXPECTED), *unfinished(now, EXPECTED)]


def test_of_a_sound_installation_nothing_is_said(shop: World) -> None:
    assert findings(shop) == []


REJECTED: dict[str, Any] = {"what": What.REJECTED, "line_id": "1", "source_id": "A", "plan_id": "P", "units": 2}

CORRUPT_ORDERS: dict[str, tuple[str, Callable[[Order], Order]]] = {
    "has {'pen': 3} instead of {'pen': 2}": ("O1", with_line(units=3)),
    "has line 1 twice": ("O1", lambda order: replace(order, lines=order.lines * 2)),
    "is assigned without an assignment": ("O1", with_line(assignment=None)),
    "is in exception without a reason": ("O3", with_line(exception=None)),
    "counts rejection ('1', 'A', 'P', 2, '') twice": ("O1", with_event(**REJECTED)),
    "has 7 rejects; 0 are in the history": ("O1", with_line(rejects=7)),
    "plan P handled order O1 2 times": ("O1", with_event(what=What.PLANNED, plan_id="P")),
    "line O3/1 waits for nobody": ("O3", with_line(state=LineState.UNASSIGNED, exception=None)),
    "is reserved for nothing": ("O1", with_line(state=LineState.CANCELLED, assignment=None)),
    "8 shipped of 5 delivered": ("O2", with_line(units=8)),
}


@pytest.mark.parametrize("finding", CORRUPT_ORDERS)
def test_a_corrupt_order_is_found(shop: World, finding: str) -> None:
    id, corrupt = CORRUPT_ORDERS[finding]
    change_order(shop, id, corrupt)
    assert any(finding in found for found in findings(shop)), findings(shop)


CORRUPT_STOCK: dict[str, Callable[[ProductStock], ProductStock]] = {
    "2 reserved, 1 on hand": with_cell(on_hand=1),
    "has 2 units and 0 reserved": with_cell(reservations=()),
    "3 on hand and 3 shipped of 5 delivered": with_cell(on_hand=3),
    "('A', 'P9', 'O9', '1') is reserved for nothing": with_cell(
        on_hand=3, reservations=(Reservation("P9", "O9", "1", 1),)
    ),
    "was reserved with fence 9; the lease has 1": lambda stock: replace(stock, fence=9),
}


@pytest.mark.parametrize("finding", CORRUPT_STOCK)
def test_corrupt_stock_is_found(shop: World, finding: str) -> None:
    change_stock(shop.ports.store, "pen", CORRUPT_STOCK[finding])
    assert any(finding in found for found in findings(shop)), findings(shop)


def test_an_order_that_is_nowhere_is_found_and_one_among_the_dead_letters_is_not(shop: World) -> None:
    now = stored(shop.ports.store)
    lost = Expected({"O9": Counter(pen=1)})
    assert unfinished(now, lost) == ["order O9 was accepted and is nowhere"]

    record(shop.ports, "orders", b'{"id": "O9"}', [], "M1")
    record(shop.ports, "orders", b"no order at all", [], "M2")
    assert len(list(DeadLetters(shop.ports.store).every())) == 2
    assert unfinished(stored(shop.ports.store), lost) == []


def test_a_plan_and_a_run_without_an_end_are_found(shop: World) -> None:
    order = shop.store_order(an_order("O4").with_line("write-in"))
    shop.store_plan(a_plan("P4").assigning(order, "1", ("A", 1)).build())
    Runs(shop.ports.store).create(Run("R9", "standard", RunState.RUNNING, "Ada", NOW))

    assert {"plan P4 is half applied", "run R9 never ended"} <= set(findings(shop))


def test_what_goes_back_is_found(shop: World) -> None:
    before = stored(shop.ports.store)
    assert went_back(before, before) == []
    change_stock(shop.ports.store, "pen", lambda stock: replace(stock, fence=0))
    change_order(shop, "O1", lambda order: replace(order, version=0))

    found = went_back(before, stored(shop.ports.store))

    assert found == ["the fence of pen fell from 1 to 0", "order O1 fell from version 1 to 0"]
    assert went_back(before, replace(before, orders={}, stock={}, lease=None))[-1].startswith("the fence of the lease")


def test_a_decision_that_is_taken_back_or_a_new_address_shows_that_something_was_done_twice(shop: World) -> None:
    before = decided(stored(shop.ports.store))
    assert decided(stored(shop.ports.store)) == before
    change_order(shop, "O1", with_line(ship_to=Address(city="Elsewhere")))
    assert decided(stored(shop.ports.store)) != before


def test_stock_that_vanished_is_found(shop: World) -> None:
    stock = Stock(shop.ports.store).find("pen")
    assert stock is not None
    now = replace(stored(shop.ports.store), stock={})
    assert any("0 on hand and 3 shipped of 5" in found for found in broken(now, EXPECTED))
