"""Webhooks: posted to a real receiver, signed, tried again with growing pauses, given up and replayed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

import pytest

from dom_core.adapters.webhook import HttpWebhook
from dom_core.domain.delivery import Delivery, DeliveryState
from dom_core.errors import NotFound, Unavailable
from dom_core.repositories.deliveries import MAX_DELIVERIES_KEPT, MAX_TRIES_KEPT, Deliveries
from dom_core.use_cases.dead_letters import list_dead_letters, replay
from dom_core.use_cases.deliver_webhook import PAUSES_S, deliver_webhook, list_deliveries
from dom_core.use_cases.send_assignments import send_assignments
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.killing_queues import KillingQueues
from tests.use_cases.world import World
from tests.webhook_receiver import Post, Receiver, receiving

KEY, OLD_KEY = b"k" * 32, b"o" * 24
SECRET, OLD_SECRET = ("whsec_" + base64.b64encode(key).decode() for key in (KEY, OLD_KEY))
TRIES = len(PAUSES_S) + 1


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def told(world: World, receiver: Receiver) -> World:
    """An installation with a receiver, and one assignment on its way to it."""
    settings = replace(world.ports.settings, webhook_url=receiver.url, webhook_secret=SECRET)
    world.ports = world.with_ports(webhook=HttpWebhook(receiver.url, timeout_s=0.3), settings=settings)
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    assert send_assignments(world.ports) == 1
    return world


def work_off(world: World) -> int:
    """Let the function take what is due in the queue, as the host does; how many messages there were."""
    count = 0
    while messages := world.ports.queues.receive("webhooks"):
        deliver_webhook(world.ports, messages[0].body, messages[0].id)
        world.ports.queues.delete("webhooks", messages[0])
        count += 1
    return count


def delivery(world: World) -> Delivery:
    [found] = list_deliveries(world.ports, "O1")
    return found


def checked(post: Post, key: bytes = KEY) -> dict[str, object]:
    """The message in a post whose signature is right: checked as a receiver does it, by the rules of the standard."""
    id, timestamp = post.headers["webhook-id"], post.headers["webhook-timestamp"]
    expected = hmac.new(key, f"{id}.{timestamp}.".encode() + post.body, hashlib.sha256).digest()
    given = [part.split(",") for part in post.headers["webhook-signature"].split(" ")]
    assert ["v1", base64.b64encode(expected).decode()] in given
    message: dict[str, object] = json.loads(post.body)
    assert message["id"] == id
    return message


def test_a_receiver_gets_the_message_of_the_queue_signed(told: World, receiver: Receiver) -> None:
    assert work_off(told) == 1

    [post] = receiver.posts
    [queued] = told.ports.queues.receive("assignments")
    assert checked(post) == json.loads(queued.body)
    assert post.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert (delivery(told).state, delivery(told).next_at) == (DeliveryState.DELIVERED, None)


def test_while_secrets_change_both_fit(told: World, receiver: Receiver) -> None:
    settings = replace(told.ports.settings, webhook_secret=f"{OLD_SECRET} {SECRET}")
    told.ports = told.with_ports(settings=settings)
    work_off(told)
    assert checked(receiver.posts[0], KEY) == checked(receiver.posts[0], OLD_KEY)


def test_another_body_another_time_or_another_key_does_not_fit(told: World, receiver: Receiver) -> None:
    work_off(told)
    [post] = receiver.posts
    for forged in (
        replace(post, body=post.body.replace(b"9", b"8")),
        replace(post, headers=post.headers | {"webhook-timestamp": "1"}),
    ):
        with pytest.raises(AssertionError):
            checked(forged)
    with pytest.raises(AssertionError):
        checked(post, OLD_KEY)


def test_without_a_receiver_nothing_waits_for_one(world: World) -> None:
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    send_assignments(world.ports)
    assert world.ports.queues.length("webhooks") == 0


def test_after_errors_it_is_tried_again_later_until_it_arrives(told: World, receiver: Receiver) -> None:
    receiver.answers = [500, 503]

    for pause_s in PAUSES_S[:2]:
        assert work_off(told) == 1
        assert delivery(told).next_at == told.clock.time + timedelta(seconds=pause_s)
        told.wait(seconds=pause_s - 1)
        assert work_off(told) == 0, "too early"
        told.wait(seconds=1)
    assert work_off(told) == 1

    assert [(each.number, each.status) for each in delivery(told).tries] == [(1, 500), (2, 503), (3, 200)]
    assert delivery(told).state is DeliveryState.DELIVERED
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1
    assert len({post.headers["webhook-timestamp"] for post in receiver.posts}) == 3
    assert [checked(post)["sequence"] for post in receiver.posts] == [1, 1, 1]
    assert told.ports.queues.length("webhooks") == 0


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 410, 429])
def test_whatever_is_no_success_is_tried_again(status: int, told: World, receiver: Receiver) -> None:
    receiver.answers = [status]
    work_off(told)
    told.wait(seconds=PAUSES_S[0])
    work_off(told)
    assert [each.status for each in delivery(told).tries] == [status, 200]


def test_a_slow_receiver_is_tried_again(told: World, receiver: Receiver) -> None:
    receiver.open.clear()
    work_off(told)
    receiver.open.set()
    told.wait(seconds=PAUSES_S[0])
    work_off(told)

    first, second = delivery(told).tries
    assert (first.status, first.fault) == (None, "no answer from the receiver (TimeoutError)")
    assert second.succeeded


def test_pauses_grow_and_end_within_what_a_queue_can_hide() -> None:
    assert list(PAUSES_S) == sorted(set(PAUSES_S))
    assert timedelta(days=1) < timedelta(seconds=list(accumulate(PAUSES_S))[-1]) < timedelta(days=2)


class TestGivingUp:
    @pytest.fixture
    def given_up(self, told: World, receiver: Receiver) -> World:
        receiver.answers = [500] * TRIES
        for pause_s in (*PAUSES_S, 0):
            assert work_off(told) == 1
            told.wait(seconds=pause_s)
        return told

    def test_it_becomes_a_dead_letter_and_is_tried_no_more(self, given_up: World) -> None:
        given_up.wait(days=6)
        assert work_off(given_up) == 0
        [letter] = list_dead_letters(given_up.ports, 10).items
        assert letter.queue == "webhooks"
        assert letter.problems[0].message == (
            f"not delivered in {TRIES} tries; the last: the receiver answered 500. Replay it once the receiver is well"
        )
        assert (delivery(given_up).state, len(delivery(given_up).tries)) == (DeliveryState.GIVEN_UP, TRIES)

    def test_replayed_it_arrives(self, given_up: World, receiver: Receiver) -> None:
        [letter] = list_dead_letters(given_up.ports, 10).items

        replay(given_up.ports, letter.day, letter.id, "Ada")

        assert work_off(given_up) == 1
        assert delivery(given_up).state is DeliveryState.DELIVERED
        assert checked(receiver.posts[-1])["line_id"] == "1"

    def test_replayed_in_vain_it_is_tried_from_the_beginning_and_becomes_another_dead_letter(
        self, given_up: World, receiver: Receiver
    ) -> None:
        [letter] = list_dead_letters(given_up.ports, 10).items
        replay(given_up.ports, letter.day, letter.id, "Ada")
        receiver.answers = [503] * TRIES
        for pause_s in (*PAUSES_S, 0):
            assert work_off(given_up) == 1
            given_up.wait(seconds=pause_s)

        assert len(list_dead_letters(given_up.ports, 10).items) == 2
        assert len(delivery(given_up).tries) == 2 * TRIES


def test_a_receiver_that_was_taken_out_of_the_settings_is_said_to_be_missing(told: World) -> None:
    told.ports = told.with_ports(webhook=None)
    work_off(told)
    assert delivery(told).tries[0].fault == "there is no DOM_WEBHOOK_URL any more"


def test_killed_anywhere_in_a_try_the_message_still_arrives(told: World, receiver: Receiver) -> None:
    """After the try was noted, and after the next one was asked for."""
    receiver.answers = [500, 500]
    [message] = told.ports.queues.receive("webhooks", visibility_timeout_s=1)
    with pytest.raises(Killed):
        deliver_webhook(told.with_ports(store=KillingStore(told.ports.store, 1)), message.body, message.id)
    with pytest.raises(Killed):
        deliver_webhook(told.with_ports(queues=KillingQueues(told.ports.queues, 1)), message.body, message.id)

    told.wait(seconds=PAUSES_S[0])

    assert work_off(told) == 2, "the message itself, and the next try: at least once"
    assert delivery(told).state is DeliveryState.DELIVERED
    assert {post.headers["webhook-id"] for post in receiver.posts} == {delivery(told).message_id}


def test_what_arrived_stays_delivered_when_its_ticket_comes_again_in_vain(told: World, receiver: Receiver) -> None:
    [message] = told.ports.queues.receive("webhooks")
    deliver_webhook(told.ports, message.body, message.id)
    receiver.answers = [500]

    deliver_webhook(told.ports, message.body, message.id)

    assert (delivery(told).state, delivery(told).next_at) == (DeliveryState.DELIVERED, None)
    assert [each.status for each in delivery(told).tries] == [200, 500]


def test_a_store_that_is_away_leaves_the_message_to_the_host(told: World) -> None:
    class Away:
        def __getattr__(self, name: str) -> object:
            raise Unavailable("the store does not answer")

    [message] = told.ports.queues.receive("webhooks")
    with pytest.raises(Unavailable):
        deliver_webhook(told.with_ports(store=Away()), message.body, message.id)


def test_the_log_holds_no_payload_and_no_address(told: World, receiver: Receiver) -> None:
    receiver.answers = [500]
    work_off(told)
    document = told.ports.store.read("orders", "O1", "deliveries")  # type: ignore[arg-type]  # its value
    assert document is not None
    assert not {"pen", SECRET, receiver.url} & set(json.dumps(document.body).replace('"', " ").split())


def test_the_log_of_an_order_does_not_grow_without_end(told: World, receiver: Receiver) -> None:
    [message] = told.ports.queues.receive("webhooks")
    for _ in range(MAX_TRIES_KEPT + 1):
        deliver_webhook(told.ports, message.body, message.id)
    assert len(delivery(told).tries) == MAX_TRIES_KEPT
    one = delivery(told)
    for number in range(MAX_DELIVERIES_KEPT + 1):
        other = replace(one, message_id=f"msg_{number}", sequence=number + 2)
        Deliveries(told.ports.store).change("O1", other.message_id, lambda _, other=other: other)  # type: ignore[misc]  # a bound loop variable
    assert len(list_deliveries(told.ports, "O1")) == MAX_DELIVERIES_KEPT


def test_an_order_that_is_not_stored_has_no_log(world: World) -> None:
    with pytest.raises(NotFound):
        list_deliveries(world.ports, "O9")
