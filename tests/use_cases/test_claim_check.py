"""Orders too large for a queue message: their content waits in a blob, and the message says where."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.order import LineState
from dom_core.errors import ContentLost, Unavailable
from dom_core.messages.claim import Claim, claim_in
from dom_core.ports import Blobs, MessageQueues, StoredBlob
from dom_core.repositories.orders import size_problems
from dom_core.use_cases import claim_check
from dom_core.use_cases.claim_check import LARGEST_MESSAGE_BYTES, MESSAGE_LIFE_S
from dom_core.use_cases.clean_up import BLOB_LIFE, clean_up
from dom_core.use_cases.dead_letters import list_dead_letters, record_poisoned, replay
from dom_core.use_cases.read_order import get_order
from dom_core.use_cases.start_run import start_run
from dom_core.use_cases.submit_order import submit_order
from dom_core.use_cases.take_order import take_order
from tests.plan_builder import a_plan
from tests.use_cases.killing import Killed
from tests.use_cases.test_intake import LINE, SilentGeocoder, dead, waiting
from tests.use_cases.world import World, encoded, intake


def large(lines: int = 1000, **fields: Any) -> bytes:
    """An order of some 230 KB."""
    ship_to = {"street": "1234 Long Street, Apartment 17", "city": "Seattle", "region": "WA", "postal_code": "98101"}
    return intake(lines=[LINE | {"id": str(number), "ship_to": ship_to} for number in range(lines)], **fields)


def claim(message: bytes) -> Claim:
    found = claim_in(message)
    assert found is not None
    return found


def sent(world: World, **fields: Any) -> bytes:
    """The message of a large order that somebody has just posted."""
    submit_order(world.ports, large(**fields))
    (message,) = waiting(world)
    return message


def names(world: World) -> list[str]:
    return [blob.name for blob in world.ports.blobs.every()]


def change(world: World, blob: str, content: bytes) -> None:
    """Do what no adapter does."""
    with world.database.writing() as connection:
        connection.execute("UPDATE blobs SET content = ? WHERE name = ?", (content, blob))


@dataclass(slots=True)
class WatchedBlobs:
    """Blobs that note what they are asked for, and may be killed or away."""

    blobs: Blobs
    error: BaseException | None = None
    asked: list[str] = field(default_factory=list)

    def put(self, content: bytes) -> str:
        return self.blobs.put(content)

    def get(self, name: str) -> bytes | None:
        self.asked.append(name)
        if isinstance(self.error, Unavailable):
            raise self.error
        return self.blobs.get(name)

    def delete(self, name: str) -> None:
        self.asked.append(name)
        if self.error:
            raise self.error
        self.blobs.delete(name)

    def every(self) -> Iterator[StoredBlob]:
        return self.blobs.every()


@dataclass(slots=True)
class NotingQueues:
    """Queues that note how long each message shall live."""

    queues: MessageQueues
    lives_s: list[float | None] = field(default_factory=list)

    def send(self, queue: str, body: bytes, *, visible_after_s: float = 0, time_to_live_s: float | None = None) -> str:
        self.lives_s.append(time_to_live_s)
        return self.queues.send(queue, body, visible_after_s=visible_after_s, time_to_live_s=time_to_live_s)


class TestSend:
    def test_a_large_order_leaves_a_small_message_that_says_where_its_content_is(self, world: World) -> None:
        message = sent(world)

        found = claim(message)
        content = world.ports.blobs.get(found.blob)
        assert content is not None
        assert (len(message) < 500, found.size_bytes, len(content) > 150_000) == (True, len(content), True)
        assert found.sha256 == hashlib.sha256(content).hexdigest()
        assert found.about["order_id"] == "O1"

    @pytest.mark.parametrize(("over", "blobs"), [(0, 0), (1, 1)], ids=["at the limit", "one byte over"])
    def test_a_message_of_40_kib_is_sent_as_it_is_and_a_longer_one_is_not(
        self, over: int, blobs: int, world: World
    ) -> None:
        content = b"x" * (LARGEST_MESSAGE_BYTES + over)
        claim_check.send(world.ports, "orders", content)

        (message,) = waiting(world)
        assert len(names(world)) == blobs
        assert (message == content) == (blobs == 0)
        assert claim_check.content_of(world.ports.blobs, message) == content

    def test_every_message_says_how_long_it_lives_and_leaves_it_to_no_service(self, world: World) -> None:
        queues = NotingQueues(world.ports.queues)
        ports = world.with_ports(queues=queues)
        submit_order(ports, intake())
        submit_order(ports, large(id="O2"))
        start_run(ports, "standard", "Ada")
        letter = record_poisoned(ports, "orders", intake(id="O3"), "poison-1")
        replay(ports, letter.day, letter.id, "Ada")

        assert queues.lives_s == [MESSAGE_LIFE_S] * 4


class TestTake:
    def test_the_order_is_stored_whole_and_its_blob_is_gone(self, world: World) -> None:
        take_order(world.ports, sent(world), "m1")

        assert len(world.order().lines) == 1000
        assert (names(world), dead(world)) == ([], [])

    def test_the_message_again_after_its_blob_is_gone_changes_nothing(self, world: World) -> None:
        message = sent(world)
        take_order(world.ports, message, "m1")
        before = world.order()

        take_order(world.ports, message, "m1")

        assert (world.order(), dead(world)) == (before, [])

    def test_the_same_order_posted_twice_is_stored_once_and_leaves_no_blob(self, world: World) -> None:
        first, second = sent(world), sent(world)
        assert claim(first).blob != claim(second).blob

        take_order(world.ports, first, "m1")
        take_order(world.ports, second, "m2")

        assert (world.order().version, names(world), dead(world)) == (0, [], [])

    def test_killed_before_the_blob_goes_the_next_delivery_removes_it(self, world: World) -> None:
        message = sent(world)
        with pytest.raises(Killed):
            take_order(world.with_ports(blobs=WatchedBlobs(world.ports.blobs, Killed())), message, "m1")
        assert len(names(world)) == 1

        take_order(world.ports, message, "m1")

        assert (len(world.order().lines), names(world), dead(world)) == (1000, [], [])

    def test_a_blob_service_that_does_not_answer_lets_the_message_come_again(self, world: World) -> None:
        message = sent(world)
        with pytest.raises(Unavailable):
            take_order(world.with_ports(blobs=WatchedBlobs(world.ports.blobs, Unavailable("away"))), message, "m1")
        assert dead(world) == []
        take_order(world.ports, message, "m1")
        assert len(world.order().lines) == 1000

    def test_a_geocoder_that_does_not_answer_leaves_the_blob_for_the_next_delivery(self, world: World) -> None:
        message = sent(world)
        with pytest.raises(Unavailable):
            take_order(world.with_ports(geocoder=SilentGeocoder()), message, "m1")
        take_order(world.ports, message, "m1")
        assert (len(world.order().lines), names(world)) == (1000, [])

    def test_a_lost_blob_becomes_a_dead_letter_that_names_the_order(self, world: World) -> None:
        message = sent(world)
        world.ports.blobs.delete(claim(message).blob)

        take_order(world.ports, message, "m1")

        (text,) = dead(world)
        assert "order_id 'O1'" in text
        assert "is gone; whoever sent it must send it again" in text

    def test_a_blob_that_is_not_what_was_sent_becomes_a_dead_letter_and_no_order(self, world: World) -> None:
        message = sent(world)
        change(world, claim(message).blob, large(customer_reference="forged"))

        take_order(world.ports, message, "m1")

        (text,) = dead(world)
        assert "is not what was sent" in text

    @pytest.mark.parametrize(
        "forged",
        [
            {"blob": "../package/app.zip"},
            {"blob": "https://elsewhere.example/x"},
            {"blob": "azure-webjobs-secrets/dom/host.json"},
            {"blob": "A" * 32},
            {"container": "app-package"},
            {"claim_check": 2},
            {"sha256": ""},
            {"size_bytes": -1},
            {"about": {"order_id": ["O1"]}},
        ],
        ids=str,
    )
    def test_a_forged_claim_reads_nothing_and_becomes_a_dead_letter(self, forged: dict[str, Any], world: World) -> None:
        blobs = WatchedBlobs(world.ports.blobs)
        good = {"claim_check": 1, "blob": "0" * 32, "sha256": "0" * 64, "size_bytes": 1}

        take_order(world.with_ports(blobs=blobs), encoded(good | forged), "m1")

        assert (blobs.asked, len(list_dead_letters(world.ports, 10).items)) == ([], 1)

    def test_a_claim_without_the_content_of_its_blob_reads_no_other_order(self, world: World) -> None:
        theirs = claim(sent(world))
        forged = theirs.model_copy(update={"sha256": "0" * 64, "about": {}})

        take_order(world.ports, forged.message, "m1")

        assert names(world) == [theirs.blob]
        (letter,) = list_dead_letters(world.ports, 10).items
        assert "1234 Long Street" not in str(letter)

    def test_an_order_of_a_thousand_lines_can_be_assigned_as_a_whole(self, world: World) -> None:
        take_order(world.ports, sent(world), "m1")
        order = world.order()
        assert not size_problems(order)
        plan = a_plan()
        for line in order.lines:
            plan = plan.assigning(order, line.id, ("V", line.units))

        world.apply(plan.build())

        assert {line.state for line in world.order().lines} == {LineState.ASSIGNED}
        assert len(get_order(world.ports, "O1").history) == 1002


class TestDeadLetters:
    def dead_letter(self, world: World) -> tuple[str, str]:
        """A large order with a product that is not there, taken: day and id of its dead letter."""
        message = sent(world)
        content = world.ports.blobs.get(claim(message).blob)
        assert content is not None
        bad = content.replace(b'"pen"', b'"sofa"', 1)
        claim_check.send(world.ports, "orders", bad)
        (message,) = waiting(world)
        take_order(world.ports, message, "m1")
        (letter,) = list_dead_letters(world.ports, 10).items
        return letter.day, letter.id

    def test_a_letter_keeps_its_blob_and_is_replayed_with_the_whole_content(self, world: World) -> None:
        day, id = self.dead_letter(world)
        world.configure("products", {"id": "sofa"})

        for _ in range(2):
            replay(world.ports, day, id, "Ada")
            (message,) = waiting(world)
            take_order(world.ports, message, "m2")

        assert {line.product_id for line in world.order().lines} == {"pen", "sofa"}
        (letter,) = list_dead_letters(world.ports, 10).items
        assert claim(letter.raw).blob in names(world)

    def test_a_letter_whose_blob_is_lost_cannot_be_replayed_and_says_why(self, world: World) -> None:
        day, id = self.dead_letter(world)
        (letter,) = list_dead_letters(world.ports, 10).items
        world.ports.blobs.delete(claim(letter.raw).blob)

        with pytest.raises(ContentLost, match="send it again"):
            replay(world.ports, day, id, "Ada")

        assert waiting(world) == []
        assert list_dead_letters(world.ports, 10).items == (letter,)

    def test_a_poisoned_large_order_is_kept_and_stored_when_it_is_replayed(self, world: World) -> None:
        letter = record_poisoned(world.ports, "orders", sent(world), "poison-1")

        replay(world.ports, letter.day, letter.id, "Ada")
        (message,) = waiting(world)
        take_order(world.ports, message, "m2")

        assert len(world.order().lines) == 1000


class TestCleanUp:
    def test_a_blob_that_a_killed_sender_left_goes_when_no_message_can_point_to_it_any_more(self, world: World) -> None:
        world.ports.blobs.put(b"left behind")
        world.clock.time += BLOB_LIFE
        assert clean_up(world.ports).blobs == 0
        world.wait(seconds=1)

        assert clean_up(world.ports).blobs == 1

        assert names(world) == []

    def test_no_message_outlives_its_blob(self) -> None:
        assert timedelta(seconds=2 * MESSAGE_LIFE_S) < BLOB_LIFE

    def test_the_blob_of_a_dead_letter_goes_with_the_letter(self, world: World) -> None:
        message = sent(world)
        world.wait(days=13)
        record_poisoned(world.ports, "orders", message, "poison-1")
        world.wait(days=29)
        assert clean_up(world.ports).blobs == 0
        assert names(world) == [claim(message).blob]
        world.wait(days=2)

        cleaned = clean_up(world.ports)

        assert (cleaned.dead_letters, cleaned.blobs, names(world)) == (1, 1, [])

    def test_a_letter_that_only_looks_like_a_claim_stops_nothing(self, world: World) -> None:
        world.ports.blobs.put(b"left behind")
        world.wait(days=16)
        take_order(world.ports, encoded({"claim_check": "?"}), "m1")

        assert clean_up(world.ports).blobs == 1
