from dataclasses import dataclass

import pytest

from dom_core.domain.network import Address, Location
from dom_core.domain.order import ExceptionKind, LineState
from dom_core.errors import Conflict, DifferentContent, InvalidInput, Unavailable
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json
from dom_core.use_cases.dead_letters import list_dead_letters, replay
from dom_core.use_cases.read_order import get_order, list_orders
from dom_core.use_cases.submit_order import OrderReceipt, submit_order
from dom_core.use_cases.take_order import take_order
from tests.plan_builder import a_plan
from tests.use_cases.world import INTAKE, World, encoded, intake

LINE = INTAKE["lines"][0]


@dataclass
class SilentGeocoder:
    """A geocoder that cannot be reached."""

    asked: int = 0

    def locate(self, address: Address) -> Location | None:
        self.asked += 1
        raise Unavailable(f"the geocoder did not answer for {address.city}")


def waiting(world: World) -> list[bytes]:
    queue = world.ports.settings.orders_queue
    return [message.body for message in world.ports.queues.receive(queue, limit=32)]


def dead(world: World) -> list[str]:
    return [str(problem) for letter in list_dead_letters(world.ports, 100).items for problem in letter.problems]


class TestSubmit:
    def test_a_good_order_is_queued_and_not_stored(self, world: World) -> None:
        receipt = submit_order(world.ports, intake())

        assert receipt == OrderReceipt("O1", 1, already_known=False)
        (message,) = waiting(world)
        assert read_json(message, IntakeOrder, "order") == read_json(intake(), IntakeOrder, "order")
        assert list_orders(world.ports).items == ()

    def test_a_stored_order_gets_the_same_answer_and_is_not_queued_again(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")

        receipt = submit_order(world.ports, intake(customer_reference=""))

        assert receipt == OrderReceipt("O1", 1, already_known=True)
        assert waiting(world) == []

    def test_the_same_key_with_other_content_is_refused(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        with pytest.raises(DifferentContent, match="to change the order, send it with a 'revision' above 1"):
            submit_order(world.ports, intake(customer_reference="changed"))

    def test_a_revision_older_than_the_stored_one_is_refused(self, world: World) -> None:
        take_order(world.ports, intake(revision=2), "m1")
        with pytest.raises(Conflict, match=r"already has revision 2.*send it with a 'revision' above 2"):
            submit_order(world.ports, intake(revision=1))

    def test_all_unknown_products_and_places_are_named_at_once(self, world: World) -> None:
        lines = [
            LINE,
            LINE | {"id": "2", "product_id": "sofa"},
            LINE | {"id": "3", "ship_to": {"postal_code": "00000"}},
        ]
        with pytest.raises(InvalidInput) as caught:
            submit_order(world.ports, intake(lines=lines))
        assert [problem.path for problem in caught.value.problems] == ["lines[1].product_id", "lines[2].ship_to"]
        assert waiting(world) == []

    def test_a_write_in_product_needs_no_catalogue_entry(self, world: World) -> None:
        assert submit_order(world.ports, intake(lines=[LINE | {"product_id": "write-in"}]))

    def test_a_geocoder_that_does_not_answer_does_not_keep_an_order_out(self, world: World) -> None:
        assert submit_order(world.with_ports(geocoder=SilentGeocoder()), intake())

    def test_an_address_with_coordinates_is_not_looked_up(self, world: World) -> None:
        geocoder = SilentGeocoder()
        submit_order(world.with_ports(geocoder=geocoder), intake(location={"latitude": 1, "longitude": 1}))
        assert geocoder.asked == 0

    def test_an_order_too_large_for_a_document_is_refused_with_the_limit(self, world: World) -> None:
        lines = [LINE | {"id": f"{'L' * 100}{n}", "ship_to": {"street": "s" * 200}} for n in range(1000)]
        with pytest.raises(InvalidInput, match="500,000"):
            submit_order(world.ports, intake(lines=lines))
        assert waiting(world) == []


class TestTake:
    def test_an_order_is_stored_with_the_locations_of_its_lines(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")

        line = world.line()
        assert line.location is not None
        assert round(line.location.latitude) == 48
        assert line.state is LineState.UNASSIGNED
        assert [event.what for event in world.order().history] == ["received"]

    def test_the_same_message_again_changes_nothing(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        before = world.order()

        take_order(world.ports, intake(), "m2")

        assert world.order() == before
        assert dead(world) == []

    def test_a_repetition_is_settled_without_asking_the_geocoder(self, world: World) -> None:
        geocoder = SilentGeocoder()
        take_order(world.ports, intake(), "m1")
        before = world.order()

        take_order(world.with_ports(geocoder=geocoder), intake(), "m2")

        assert geocoder.asked == 0
        assert world.order() == before

    @pytest.mark.parametrize(
        ("raw", "problem"),
        [
            (b"\xff\xfe", "UTF-8"),
            (b"{", "not valid JSON"),
            (intake(lines=[LINE | {"units": 0}]), "lines[0].units"),
            (intake(lines=[LINE | {"product_id": "sofa"}]), "there is no product 'sofa'"),
        ],
        ids=["bytes", "json", "units", "product"],
    )
    def test_what_can_never_be_stored_becomes_one_dead_letter(self, world: World, raw: bytes, problem: str) -> None:
        take_order(world.ports, raw, "m1")
        take_order(world.ports, raw, "m1")

        (text,) = dead(world)
        assert problem in text
        assert list_orders(world.ports).items == ()

    def test_other_content_under_a_known_key_becomes_a_dead_letter(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        take_order(world.ports, intake(customer_reference="changed"), "m2")

        (text,) = dead(world)
        assert "other content" in text
        assert world.order().customer_reference == ""

    def test_a_place_that_does_not_exist_puts_the_line_in_exception(self, world: World) -> None:
        take_order(world.ports, intake(ship_to={"postal_code": "00000"}), "m1")
        assert world.line().exception is ExceptionKind.NO_LOCATION

    def test_a_geocoder_that_does_not_answer_lets_the_message_come_again(self, world: World) -> None:
        with pytest.raises(Unavailable):
            take_order(world.with_ports(geocoder=SilentGeocoder()), intake(), "m1")
        assert list_orders(world.ports).items == ()
        assert dead(world) == []

    def test_a_newer_revision_takes_the_place_of_an_order_of_which_nothing_is_assigned(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        take_order(world.ports, intake(revision=2, lines=[LINE | {"units": 7}]), "m2")

        order = world.order()
        assert (order.revision, order.lines[0].units, order.version) == (2, 7, 1)
        assert [event.what for event in order.history] == ["received", "revised"]

    def test_a_newer_revision_with_another_address_brings_the_line_back(self, world: World) -> None:
        take_order(world.ports, intake(ship_to={"postal_code": "00000"}), "m1")
        take_order(world.ports, intake(revision=2), "m2")

        assert world.line().location is not None
        assert (world.line().state, world.line().exception) == (LineState.UNASSIGNED, None)

    def test_an_older_revision_is_ignored(self, world: World) -> None:
        take_order(world.ports, intake(revision=2), "m1")
        before = world.order()

        take_order(world.ports, intake(revision=1, customer_reference="old"), "m2")

        assert world.order() == before
        assert dead(world) == []

    def test_a_newer_revision_of_an_assigned_order_becomes_a_dead_letter(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        world.stock(pen_A=9)
        world.apply(a_plan().assigning(world.order(), "1", ("A", 4)).build())

        take_order(world.ports, intake(revision=2), "m2")

        (text,) = dead(world)
        assert "cannot be revised: lines 1 are assigned, picked or shipped; cancel them, and send the change as" in text
        assert world.order().revision == 1


class TestDeadLetters:
    def test_bytes_that_are_not_text_are_kept_but_no_queue_carries_them_again(self, world: World) -> None:
        take_order(world.ports, b"\xff\x00", "m1")
        (letter,) = list_dead_letters(world.ports, 10).items
        assert letter.raw == b"\xff\x00"

        with pytest.raises(InvalidInput, match="text"):
            replay(world.ports, letter.day, letter.id, "Ada")

        assert waiting(world) == []
        assert list_dead_letters(world.ports, 10).items == (letter,)

    def test_a_letter_that_was_sent_again_says_by_whom_and_when(self, world: World) -> None:
        take_order(world.ports, b"{", "m1")
        (letter,) = list_dead_letters(world.ports, 10).items

        replayed = replay(world.ports, letter.day, letter.id, "Ada")

        assert waiting(world) == [b"{"]
        assert (replayed.replayed_by, replayed.replayed_at) == ("Ada", world.clock.now())
        assert list_dead_letters(world.ports, 10).items == (replayed,)

    def test_a_message_that_comes_again_the_next_day_has_one_dead_letter(self, world: World) -> None:
        take_order(world.ports, b"{", "m1")
        world.wait(days=1)
        take_order(world.ports, b"{", "m1")
        assert len(list_dead_letters(world.ports, 10).items) == 1

    def test_after_the_fault_is_mended_a_replayed_order_is_stored(self, world: World) -> None:
        take_order(world.ports, intake(lines=[LINE | {"product_id": "sofa"}]), "m1")
        (letter,) = list_dead_letters(world.ports, 10).items
        world.configure("products", {"id": "sofa"})

        replay(world.ports, letter.day, letter.id, "Ada")
        (message,) = waiting(world)
        take_order(world.ports, message, "m2")

        assert world.line().product_id == "sofa"


class TestRead:
    def test_orders_are_found_by_the_state_and_the_exception_of_any_line(self, world: World) -> None:
        take_order(world.ports, intake(), "m1")
        take_order(world.ports, intake(id="O2", ship_to={"postal_code": "00000"}), "m2")

        def found(**filters: object) -> list[str]:
            return [order.id for order in list_orders(world.ports, **filters).items]  # type: ignore[arg-type]

        assert sorted(found()) == ["O1", "O2"]
        assert found(state=LineState.UNASSIGNED) == ["O1"]
        assert found(exception=ExceptionKind.NO_LOCATION) == ["O2"]
        assert found(state=LineState.ASSIGNED) == []

    def test_a_long_history_moves_out_of_the_order_and_is_read_back_whole(self, world: World) -> None:
        lines = [LINE | {"id": str(n)} for n in range(150)]
        take_order(world.ports, encoded(INTAKE | {"lines": lines}), "m1")
        for round_ in range(3):
            world.wait(minutes=1)
            plan = a_plan(f"P{round_}")
            for line in world.order().lines:
                plan = plan.failing(world.order(), line.id)
            world.apply(plan.build())

        whole = get_order(world.ports, "O1").history
        assert len(whole) == 1 + 3 * 151
        assert [event.at for event in whole] == sorted(event.at for event in whole)
        assert len(world.order().history) < 200
        assert [event.plan_id for event in world.order().history if event.what == "planned"] == ["P0", "P1", "P2"]
