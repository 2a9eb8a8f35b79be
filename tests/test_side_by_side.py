"""Requests side by side: as many as were asked for at a time, answers in order, errors after everything has ended."""

from contextvars import ContextVar
from threading import Barrier, Event, Lock, current_thread

import pytest

from dom_core.charges import charged_to, current_use_case
from dom_core.side_by_side import side_by_side

LIMIT_S = 10.0


def test_answers_come_in_the_order_of_the_items_whoever_is_done_first() -> None:
    second_is_done = Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(LIMIT_S)
        if number == 1:
            second_is_done.set()
        return 10 * number

    assert side_by_side(work, range(20), at_once=3) == [10 * number for number in range(20)]


def test_as_many_as_asked_for_work_at_the_same_time_and_never_more() -> None:
    together, lock = Barrier(4), Lock()
    working = most = 0

    def work(_: int) -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        together.wait(LIMIT_S)
        with lock:
            working -= 1

    side_by_side(work, range(12), at_once=4)

    assert most == 4


def test_one_at_a_time_needs_no_thread() -> None:
    assert side_by_side(lambda _: current_thread(), range(3), at_once=1) == [current_thread()] * 3


@pytest.mark.parametrize("at_once", [1, 4])
def test_nothing_begins_after_an_error_and_it_is_raised_when_all_that_began_has_ended(at_once: int) -> None:
    begun: list[int] = []
    ended: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 5:
            raise LookupError(str(number))
        ended.append(number)

    with pytest.raises(LookupError, match="5"):
        side_by_side(work, range(1000), at_once=at_once)

    assert set(begun) == set(ended) | {5}
    assert len(begun) <= 5 + at_once


@pytest.mark.parametrize("at_once", [1, 4])
def test_before_each_item_the_callers_thread_may_stop_everything(at_once: int) -> None:
    asked: list[object] = []
    done: list[int] = []

    def before() -> None:
        asked.append(current_thread())
        if len(asked) == 7:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        side_by_side(done.append, range(1000), at_once=at_once, before=before)

    assert asked == [current_thread()] * 7
    assert sorted(done) == list(range(6))


def test_work_is_charged_to_the_callers_use_case() -> None:
    with charged_to("apply_plan"):
        charged = side_by_side(lambda _: current_use_case(), range(8), at_once=4)
    assert set(charged) == {"apply_plan"}


def test_what_work_sets_in_its_context_stays_there() -> None:
    name: ContextVar[int] = ContextVar("name", default=-1)

    def work(number: int) -> int:
        before = name.get()
        name.set(number)
        return before

    assert side_by_side(work, range(8), at_once=2) == [-1] * 8
