"""Assignments on their way out, as the host drives them: sent, swept up, posted, and looked after."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dom_core.adapters.webhook import HttpWebhook
from dom_core.errors import Unavailable
from dom_core.ports import Container
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import call, content_of, message, problem_of, tick
from tests.functions.shop import deliver
from tests.functions.test_lines import LINE, source_of_the_line
from tests.use_cases.killing_queues import QueuesAway
from tests.webhook_receiver import Receiver, receiving

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def told(shop: Ports, receiver: Receiver) -> Ports:
    """The shop with a receiver of webhooks."""
    settings = replace(shop.settings, webhook_url=receiver.url, webhook_secret=SECRET)
    told = replace(shop, webhook=HttpWebhook(receiver.url), settings=settings)
    bootstrap.use(told)
    return told


def queued(ports: Ports) -> list[dict[str, object]]:
    return [json.loads(each.body) for each in ports.queues.receive("assignments", limit=32)]


def test_a_run_and_a_rejection_are_told_at_once(planned: Ports) -> None:
    source_id = source_of_the_line()
    rejection = {"source_id": source_id, "reason_code": "damaged", "who": "clerk", "units": 1}
    assert call("POST", f"{LINE}/reject", rejection).status_code == 200

    assert [(each["what"], each["source_id"], each["units"], each["units_left"]) for each in queued(planned)] == [
        ("assigned", source_id, 2, 2),
        ("withdrawn", source_id, 1, 1),
    ]


def test_the_timer_sends_what_could_not_be_sent(planned: Ports, caplog: pytest.LogCaptureFixture) -> None:
    queued(planned)
    bootstrap.use(replace(planned, queues=QueuesAway()))  # type: ignore[arg-type]  # answers nobody
    assert call("POST", "orders/O1/hold", {"who": "Ann", "why": "paid?"}).status_code == 200
    with pytest.raises(Unavailable):
        tick("send_assignments")
    bootstrap.use(planned)

    with caplog.at_level(logging.INFO):
        tick("send_assignments")

    assert [each["what"] for each in queued(planned)] == ["held"]
    assert '{"event": "outbox_emptied", "messages": 1}' in caplog.messages


def test_a_webhook_is_posted_and_its_tries_can_be_read(told: Ports, placed: Ports, receiver: Receiver) -> None:
    assert placed is not told, "the order was taken in before; what follows has a receiver"
    bootstrap.use(told)
    receiver.answers = [500]
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(told, told.settings.runs_queue, "execute_run")

    assert deliver(told, told.settings.webhooks_queue, "deliver_webhook") == 1

    [found] = content_of(call("GET", "orders/O1/deliveries"))
    assert (found["what"], found["line_id"], found["state"]) == ("assigned", "1", "waiting")
    assert [(each["number"], each["status"]) for each in found["tries"]] == [(1, 500)]
    [post] = receiver.posts
    assert post.headers["webhook-id"] == found["message_id"]
    assert post.headers["webhook-signature"].startswith("v1,")


def test_what_is_no_ticket_becomes_a_dead_letter_and_poison_too(shop: Ports) -> None:
    shop.queues.send("webhooks", b'{"number": 0, "message": {}}')
    assert deliver(shop, "webhooks", "deliver_webhook") == 1
    message("keep_poisoned_webhook", b"{}", "M9")

    letters = content_of(call("GET", "deadletters"))["items"]
    assert {letter["queue"] for letter in letters} == {"webhooks"}
    assert len(letters) == 2


def test_deliveries_of_an_order_that_nobody_knows_are_not_found(shop: Ports) -> None:
    problem_of(call("GET", "orders/O9/deliveries"), 404)


def test_an_order_in_its_answer_shows_its_number_of_messages_and_not_its_outbox(planned: Ports) -> None:
    order = content_of(call("GET", "orders/O1"))
    assert order["notices"] == 1
    assert "outbox" not in order
    stored = planned.store.read(Container.ORDERS, "O1", "order")
    assert stored is not None
    assert "outbox" not in stored.body["order"]
