"""The pulse of the machine: it beats while the block lasts, on a thread of its own, and leaves nothing behind."""

import threading

import pytest

from dom_core.adapters.pulse import ThreadPulse
from dom_core.charges import charged_to, current_use_case

LIMIT_S = 10.0


def test_it_beats_while_the_block_lasts_and_never_after_it() -> None:
    enough, beats = threading.Event(), []

    def beat() -> bool:
        beats.append(threading.current_thread())
        if len(beats) >= 3:
            enough.set()
        return True

    with ThreadPulse().every(0.001, beat):
        assert enough.wait(LIMIT_S)

    assert threading.current_thread() not in beats
    assert not beats[0].is_alive()


def test_it_stops_when_a_beat_says_so() -> None:
    beats: list[threading.Thread] = []

    def beat() -> bool:
        beats.append(threading.current_thread())
        return False

    with ThreadPulse().every(0.001, beat):
        while not beats:
            threading.Event().wait(0.001)
        beats[0].join(LIMIT_S)
        assert not beats[0].is_alive()

    assert len(beats) == 1


def test_an_error_in_the_block_ends_it_too() -> None:
    before = threading.active_count()
    with pytest.raises(LookupError), ThreadPulse().every(1000, lambda: True):
        raise LookupError
    assert threading.active_count() == before


def test_what_a_beat_asks_is_charged_to_the_use_case_in_whose_name_it_beats() -> None:
    seen: list[str] = []
    asked = threading.Event()

    def beat() -> bool:
        seen.append(current_use_case())
        asked.set()
        return False

    with charged_to("plan_batch"), ThreadPulse().every(0.001, beat):
        assert asked.wait(LIMIT_S)
    assert seen == ["plan_batch"]
