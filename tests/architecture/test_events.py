"""Events are made of ids, numbers and words of our own: there is no field into which a customer's text could get."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from dom_core.domain.ids import Id
from dom_core.telemetry import events
from dom_core.telemetry.events import Event

KINDS = (events.Event, events.OrderEvent, events.RunEvent)
"""What events are derived from; never told themselves."""

TEXTS = {
    ("dead_letter_kept", "queue"): "a setting's",
    ("dead_letter_kept", "message_id"): "the queue service's",
    ("message_poisoned", "queue"): "a setting's",
    ("message_poisoned", "message_id"): "the queue service's",
    ("queue_age", "queue"): "a setting's",
}
"""Fields that are plain text, and whose text it is."""


def every_event() -> list[type[Event]]:
    """Every event that the system can tell."""
    found = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)]
    return [each for each in found if each not in KINDS]


def _parts(hint: Any) -> Iterator[Any]:
    """The types of which an annotation consists."""
    if get_origin(hint) is None or hint == Id:
        yield hint
    elif get_origin(hint) is Mapping:
        # Keys are reasons, which are ours.
        assert get_args(hint)[0] is str
        yield from _parts(get_args(hint)[1])
    else:
        for part in get_args(hint):
            yield from _parts(part)


def _is_harmless(part: Any) -> bool:
    return part in (Id, int, float, type(None), ...) or (isinstance(part, type) and issubclass(part, StrEnum))


@pytest.mark.parametrize("event", every_event(), ids=lambda event: event.name())
def test_no_field_of_an_event_can_hold_free_text(event: type[Event]) -> None:
    hints = get_type_hints(event, include_extras=True)
    free = {each.name for each in fields(event) if not all(_is_harmless(part) for part in _parts(hints[each.name]))}
    assert free == {field for name, field in TEXTS if name == event.name()}


def test_events_have_names_of_their_own() -> None:
    names = [event.name() for event in every_event()]
    assert len(set(names)) == len(names)
    assert {"order_taken", "run_ended", "queue_age", "stock_oversold"} <= set(names)
