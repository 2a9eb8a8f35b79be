"""What becomes of decisions that rest on old reads: why the store must be consistent, and where it need not be.

A store that is weaker shows another instance's write some milliseconds late. Here it shows documents as they were.
"""

from dataclasses import dataclass, field
from typing import Any

from dom_core.ports import Container, Document, DocumentStore, Page
from dom_core.repositories.reading import every
from dom_core.use_cases.sweep_reservations import sweep_all
from tests.builders import an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import World


@dataclass
class LateStore:
    """Passes writes on, and shows the documents of one container as they were when it was made, for a while."""

    store: DocumentStore
    container: Container
    late_reads: int = 1_000
    old: dict[tuple[str, str], Document] = field(init=False)

    def __post_init__(self) -> None:
        self.old = {(each.partition, each.id): each for each in every(self.store, self.container)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        now = self.store.read(container, partition, id)
        return self.old.get((partition, id)) if self._is_late(container) else now

    def query(self, container: Container, *, where: Any = None, **more: Any) -> Page:
        if not self._is_late(container):
            return self.store.query(container, where=where, **more)
        fitting = [each for each in self.old.values() if all(each.body.get(k) == v for k, v in (where or {}).items())]
        return Page(tuple(fitting), None)

    def _is_late(self, container: Container) -> bool:
        self.late_reads -= container is self.container
        return container is self.container and self.late_reads >= 0


def assigned(world: World) -> LateStore:
    """O1 gets all four pens of A from a plan; the store of an instance that still sees O1 as it was before."""
    world.stock(pen_A=4)
    world.store_order(an_order().with_line("pen", 4))
    late = LateStore(world.ports.store, Container.ORDERS)
    world.apply(a_plan().assigning(world.order(), "1", ("A", 4)).build())
    assert world.cell("pen", "A").reserved == 4
    return late


def test_a_sweep_that_missed_a_confirmed_order_gives_its_units_away_so_reads_must_be_strong(world: World) -> None:
    late = assigned(world)
    sweep_all(late)
    assert world.cell("pen", "A").reserved == 0, "no ETag objects: the stock itself has not changed"


def test_a_sweep_that_sees_what_is_stored_leaves_it(world: World) -> None:
    assigned(world)
    sweep_all(world.ports.store)
    assert world.cell("pen", "A").reserved == 4


def test_a_decision_about_one_document_that_was_read_late_is_refused_and_taken_again(world: World) -> None:
    world.stock(pen_A=4)
    late = LateStore(world.ports.store, Container.STOCK, late_reads=3)
    world.stock(pen_B=7)
    world.ports = world.with_ports(store=late)

    world.stock(pen_V=1)

    assert [world.cell("pen", source_id).on_hand for source_id in "ABV"] == [4, 7, 1]


def test_an_old_read_of_an_order_changes_nothing_that_was_decided_meanwhile(world: World) -> None:
    late = assigned(world)
    late.late_reads = 2
    world.ports = world.with_ports(store=late)

    world.hold()

    line = world.line()
    assert line.assignment is not None
    assert (line.assignment.source_id, world.order().on_hold) == ("A", True)
