"""Dead letters over HTTP: seen, and sent again."""

import json

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, message, paths_of, problem_of
from tests.functions.shop import an_intake, deliver

UNKNOWN_PRODUCT = an_intake(lines=[{"id": "1", "product_id": "SKU-9", "units": 2}])


def the_letter() -> dict[str, str]:
    (letter,) = content_of(call("GET", "deadletters"))["items"]
    assert isinstance(letter, dict)
    return letter


def test_a_dead_letter_is_replayed_when_its_cause_is_gone(shop: Ports) -> None:
    message("collect_order", json.dumps(UNKNOWN_PRODUCT).encode(), "M1")
    letter = the_letter()
    call("PUT", "config/products/SKU-9", {"id": "SKU-9"})
    answer = call("POST", f"deadletters/{letter['day']}/{letter['id']}/replay", {"who": "Ann"})
    assert (answer.status_code, content_of(answer)["replayed_by"]) == (200, "Ann")
    assert deliver(shop, letter["queue"], "collect_order") == 1
    assert call("GET", "orders/O1").status_code == 200


def test_a_message_that_fails_twice_is_one_dead_letter(shop: Ports) -> None:
    for _ in range(2):
        message("collect_order", json.dumps(UNKNOWN_PRODUCT).encode(), "M1")
    assert the_letter()["message_id"] == "M1"


@pytest.mark.parametrize(("function", "queue"), [("keep_poisoned_order", "orders"), ("keep_poisoned_run", "plan-runs")])
def test_a_message_that_the_host_gave_up_is_kept_once_and_goes_back_to_its_own_queue(
    function: str, queue: str, shop: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        message(function, b'{"any": "thing"}', "M9")
    assert json.loads(caplog.messages[-1]) == {"event": "message_poisoned", "queue": queue, "message_id": "M9"}
    letter = the_letter()
    assert (letter["queue"], letter["message_id"], letter["body"]) == (queue, "M9", '{"any": "thing"}')
    call("POST", f"deadletters/{letter['day']}/{letter['id']}/replay", {"who": "Ann"})
    (received,) = shop.queues.receive(queue)
    assert received.body == b'{"any": "thing"}'


def test_a_dead_letter_that_is_not_there_cannot_be_replayed(shop: Ports) -> None:
    problem_of(call("POST", "deadletters/2026-03-02/none/replay", {"who": "Ann"}), 404)


def test_a_replay_is_asked_for_by_somebody(shop: Ports) -> None:
    assert paths_of(problem_of(call("POST", "deadletters/2026-03-02/none/replay", {}), 422)) == ["who"]


def test_dead_letters_have_pages(shop: Ports) -> None:
    for number in range(3):
        message("collect_order", b"{}", f"M{number}")
    first = content_of(call("GET", "deadletters", params={"limit": "2"}))
    second = content_of(call("GET", "deadletters", params={"limit": "2", "continuation": first["continuation"]}))
    found = {letter["message_id"] for page in (first, second) for letter in page["items"]}
    assert found == {"M0", "M1", "M2"}
