"""How many requests one caller may send to an instance."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, BrokenBarrierError

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.use_cases.context import Ports
from functions import bootstrap
from functions.rates import Buckets, TooManyRequests
from tests.builders import NOW
from tests.functions.app import JSON, call, problem_of
from tests.functions.signing_in import a_principal, header_of, sign_in_with_entra
from tests.functions.test_authorization import ask, guarded_functions
from tests.functions.test_discretion import TalkativeStore


def served(buckets: Buckets, caller: str, most: int = 10_000) -> int:
    """How many requests the caller may send now."""
    for number in range(most):
        try:
            buckets.take(caller)
        except TooManyRequests:
            return number
    return most


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


class TestBuckets:
    def test_ten_seconds_worth_may_come_at_once_and_no_more(self, clock: FixedClock) -> None:
        assert served(Buckets(600, clock.now), "ann") == 100

    @pytest.mark.parametrize("per_minute", [1, 5, 6])
    def test_a_small_limit_still_lets_one_through(self, per_minute: int, clock: FixedClock) -> None:
        assert served(Buckets(per_minute, clock.now), "ann") == 1

    @pytest.mark.parametrize("per_minute", [1, 7, 60, 6000, 1_000_000])
    def test_whoever_waits_as_told_is_served(self, per_minute: int, clock: FixedClock) -> None:
        buckets = Buckets(per_minute, clock.now)
        served(buckets, "ann", 1_000_000)
        with pytest.raises(TooManyRequests) as refused:
            buckets.take("ann")
        clock.time += timedelta(seconds=refused.value.retry_after_s)
        assert served(buckets, "ann", 1) == 1

    def test_in_a_minute_a_busy_caller_gets_its_limit_and_what_it_had_saved(self, clock: FixedClock) -> None:
        buckets, total = Buckets(60, clock.now), 0
        for _ in range(60 * 4):
            total += served(buckets, "ann")
            clock.time += timedelta(seconds=0.25)
        assert 60 <= total <= 60 + 10

    def test_each_caller_has_its_own(self, clock: FixedClock) -> None:
        buckets = Buckets(600, clock.now)
        assert (served(buckets, "ann"), served(buckets, "bob")) == (100, 100)

    def test_zero_limits_nobody_and_remembers_nobody(self, clock: FixedClock) -> None:
        buckets = Buckets(0, clock.now)
        assert (served(buckets, "ann", 5000), len(buckets)) == (5000, 0)

    def test_silence_saves_up_no_more_than_ten_seconds_worth(self, clock: FixedClock) -> None:
        buckets = Buckets(600, clock.now)
        served(buckets, "ann")
        clock.time += timedelta(days=300)
        assert served(buckets, "ann") == 100

    def test_a_clock_that_is_set_back_gives_nothing_and_locks_nobody_out(self, clock: FixedClock) -> None:
        buckets = Buckets(60, clock.now)
        served(buckets, "ann")
        clock.time -= timedelta(hours=1)
        assert served(buckets, "ann") == 0
        clock.time += timedelta(seconds=1)
        assert served(buckets, "ann") == 1

    def test_whoever_was_silent_longest_is_forgotten_first(self, clock: FixedClock) -> None:
        buckets = Buckets(60, clock.now, most_callers=2)
        served(buckets, "ann")
        served(buckets, "bob")
        served(buckets, "ann")
        buckets.take("eve")
        assert (len(buckets), served(buckets, "ann"), served(buckets, "bob")) == (2, 0, 10)


def test_no_more_callers_are_remembered_than_fit(clock: FixedClock) -> None:
    buckets = Buckets(60, clock.now)
    for number in range(25_000):
        buckets.take(f"caller {number}")
    assert len(buckets) == 10_000


def test_threads_that_take_at_the_same_time_get_no_token_twice(clock: FixedClock) -> None:
    buckets = Buckets(6000, clock.now)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: served(buckets, "ann", 500), range(8))) == 1000


def test_threads_look_at_a_bucket_one_after_the_other() -> None:
    meeting, met = Barrier(2), []

    def now() -> datetime:
        with suppress(BrokenBarrierError):
            met.append(meeting.wait(timeout=0.3))
        return NOW

    buckets = Buckets(6000, now)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: buckets.take("ann"), range(2)))
    assert met == []


@pytest.fixture
def narrow(ports: Ports) -> Ports:
    """An installation where each caller may send one request, and six a minute."""
    limited = replace(ports, settings=replace(ports.settings, requests_per_minute=6))
    bootstrap.use(limited)
    return limited


def key(value: str) -> dict[str, str]:
    return {**JSON, "x-functions-key": value}


def status(headers: dict[str, str], **params: str) -> int:
    return int(call("GET", "orders", headers=headers, params=params).status_code)


def test_whoever_sends_too_much_is_told_when_to_come_back(narrow: Ports) -> None:
    assert status(key("a")) == 200
    answer = call("GET", "orders", headers=key("a"))
    problem = problem_of(answer, 429)
    assert problem["type"] == "urn:problem-type:dom:too-many-requests"
    assert answer.headers["Retry-After"] == "10"
    narrow.clock.time += timedelta(seconds=10)  # type: ignore[attr-defined]  # the clock of tests stands still
    assert status(key("a")) == 200


def test_each_key_is_a_caller(narrow: Ports) -> None:
    assert [status(key(name)) for name in ("a", "b", "a", "b")] == [200, 200, 429, 429]
    assert [status(JSON, code=name) for name in ("a", "c", "c")] == [429, 200, 429]


def test_the_key_that_the_host_does_not_look_at_makes_no_new_caller(narrow: Ports) -> None:
    assert status(key("a"), code="1") == 200
    assert status(key("a"), code="2") == 429


def test_with_entra_a_caller_is_whom_the_token_names_whatever_key_it_sends(
    narrow: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_with_entra(narrow, monkeypatch)
    ann = header_of(a_principal("Dom.Reader"))
    bob = a_principal("Dom.Reader")
    bob["claims"][0]["val"] = "00000000-0000-0000-0000-00000000000b"
    assert [status(ann | {"x-functions-key": name}) for name in "ab"] == [200, 429]
    assert status(header_of(bob)) == 200


def test_whoever_has_no_role_pays_for_asking(narrow: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_with_entra(narrow, monkeypatch)
    nobody = header_of(a_principal())
    assert [status(nobody) for _ in range(2)] == [403, 429]


@pytest.mark.parametrize("name", guarded_functions())
def test_every_function_is_limited_before_it_reads_anything(name: str, narrow: Ports) -> None:
    bootstrap.use(replace(narrow, store=TalkativeStore()))
    ask(name, key("a"))
    problem_of(ask(name, key("a")), 429)


def test_health_is_asked_as_often_as_anybody_likes(narrow: Ports) -> None:
    assert {call("GET", "health", headers=key("a")).status_code for _ in range(20)} == {200}


def test_other_ports_begin_anew(narrow: Ports) -> None:
    assert [status(key("a")), status(key("a"))] == [200, 429]
    bootstrap.use(narrow)
    assert status(key("a")) == 200


def test_a_key_is_not_kept(narrow: Ports) -> None:
    status(key("open-sesame"))
    assert len(bootstrap.buckets()) == 1
    assert "open-sesame" not in str(vars(bootstrap.buckets()))
