"""What docs/assignments.md tells integrators is so: its example is a message, its code reads and checks real ones."""

import base64
import json
import re
from dataclasses import fields
from typing import Any

from dom_core.domain.notice import Happening
from dom_core.messages.assignments import AssignmentMessage
from dom_core.messages.reading import read_json, write_value
from dom_core.messages.webhooks import signed_headers
from dom_core.use_cases.deliver_webhook import PAUSES_S
from dom_core.use_cases.send_assignments import send_assignments
from tests.architecture.source_code import ROOT
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.worklist import received
from tests.use_cases.world import World

PAGE = (ROOT / "docs" / "assignments.md").read_text("utf-8")
[EXAMPLE] = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def code() -> dict[str, Any]:
    """The page's Python, as its reader would paste it."""
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(block, "docs/assignments.md", "exec"), names)  # noqa: S102 - our own page
    return names


def test_the_example_is_a_message_with_every_field() -> None:
    message = read_json(EXAMPLE.encode(), AssignmentMessage, "example")
    assert write_value(message, AssignmentMessage) == json.loads(EXAMPLE)
    assert list(json.loads(EXAMPLE)) == [field.name for field in fields(AssignmentMessage)]


def test_every_field_and_everything_that_happens_is_described() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"\w+", row)}
    assert {field.name for field in fields(AssignmentMessage)} | set(Happening) <= described


def test_the_reader_on_the_page_reads_every_message_twice_and_knows_what_to_ship(world: World) -> None:
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    world.reject("V", units=2)
    send_assignments(world.ports)
    messages = list(received(world.ports.queues))

    worklist = code()["Worklist"]()
    for message in (*messages, *reversed(messages)):
        worklist.read(message)

    assert worklist.to_ship() == {("O1", "1", "V"): 7}


def test_the_check_on_the_page_takes_our_signature_and_no_other() -> None:
    secret, other = ("whsec_" + base64.b64encode(key * 32).decode() for key in (b"a", b"b"))
    is_genuine, now_s = code()["is_genuine"], NOW.timestamp()
    headers = signed_headers(f"{other} {secret}", "msg_1", NOW, b"{}")

    assert is_genuine(secret, headers, b"{}", now_s)
    assert is_genuine(other, headers, b"{}", now_s + 299)
    assert not is_genuine(secret, headers, b"{}", now_s + 300)
    assert not is_genuine(secret, headers, b"[]", now_s)
    assert not is_genuine(secret, headers | {"webhook-id": "msg_2"}, b"{}", now_s)
    assert not is_genuine(secret, signed_headers(other, "msg_1", NOW, b"{}"), b"{}", now_s)


def test_the_pauses_on_the_page_are_those_of_the_code() -> None:
    assert PAUSES_S == (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 24 * 3600)
    assert "again 5 seconds later, then after 1, 5 and 30 minutes, 2, 5, 10 and 24 hours: nine" in PAGE.replace(
        "\n", " "
    )
