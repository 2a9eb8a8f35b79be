"""Cosmos DB away for a while, throttling in storms, or losing answers, under an installation at work.

A minute away is played in seconds: patience is a twentieth of that of an installation (installation.SHORT_PATIENCE).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.domain.run import RunState
from dom_core.errors import Unavailable
from dom_core.use_cases.check_health import check_health
from dom_core.use_cases.context import Ports
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_plan import get_run
from tests.contract.scripted_proxy import Proxy, Trouble, proxy_before
from tests.troubles.campaign import MONDAY, an_installation
from tests.troubles.installation import (
    accept,
    an_order,
    open_shop,
    require_finished,
    require_sound,
    take_orders,
)
from tests.troubles.invariants import Expected, stored

AWAY = Trouble(503)
MESSAGES = [an_order(f"O-{n}", MONDAY, pen=2, ink=1) for n in range(4)]


@dataclass
class Scene:
    """A host whose way to Cosmos DB leads through the proxy, and somebody who looks at the store directly."""

    host: Ports
    direct: Ports
    proxy: Proxy
    clock: FixedClock
    expected: Expected


@pytest.fixture
def scene(cosmos_endpoint: str, tmp_path: Path) -> Iterator[Scene]:
    clock = FixedClock(MONDAY)
    with (
        an_installation(tmp_path, cosmos_endpoint) as installation,
        proxy_before(cosmos_endpoint) as proxy,
        installation.opened(clock) as direct,
        replace(installation, endpoint=proxy.url).opened(clock) as host,
    ):
        expected = open_shop(direct)
        for message in MESSAGES:
            accept(direct, expected, message)
        stored(host.store)  # the client is there already, as in any host that has worked before
        yield Scene(host, direct, proxy, clock, expected)


@contextmanager
def away(proxy: Proxy) -> Iterator[None]:
    proxy.always = lambda _: AWAY
    yield
    proxy.always = lambda _: None


def test_orders_that_come_while_cosmos_db_is_away_wait_in_their_queue(scene: Scene) -> None:
    with away(scene.proxy), pytest.raises(Unavailable):
        take_orders(scene.host)
    assert scene.direct.queues.length("orders") == len(MESSAGES)

    scene.clock.time = scene.clock.time.replace(hour=9)
    take_orders(scene.host)

    assert set(stored(scene.direct.store).orders) == set(scene.expected.orders)
    require_finished(scene.direct, scene.clock, scene.expected, MESSAGES)


def test_health_says_that_the_store_is_away_and_that_it_is_back(scene: Scene) -> None:
    with away(scene.proxy):
        assert ("store", "Unavailable") in [(check.name, check.detail) for check in check_health(scene.host).checks]
    scene.clock.time += timedelta(seconds=10)  # what was found is remembered for some seconds
    assert check_health(scene.host).healthy


@pytest.mark.parametrize("requests", [4, 30])
def test_a_run_during_which_cosmos_db_goes_away_is_made_again(scene: Scene, requests: int) -> None:
    take_orders(scene.host)
    seen = count()
    scene.proxy.always = lambda _: AWAY if next(seen) >= requests else None
    with pytest.raises(Unavailable):
        plan_batch(scene.host, "R1", "standard")
    scene.proxy.always = lambda _: None
    require_sound(scene.direct, scene.expected)

    scene.clock.time = scene.clock.time.replace(hour=9)
    assert plan_batch(scene.host, "R1", "standard").state is RunState.FINISHED

    require_finished(scene.direct, scene.clock, scene.expected, MESSAGES)


def test_a_run_says_that_cosmos_db_did_not_answer(scene: Scene) -> None:
    take_orders(scene.host)
    seen = count()
    scene.proxy.always = lambda line: AWAY if "/colls/stock/" in line and next(seen) < 100 else None

    with pytest.raises(Unavailable):
        plan_batch(scene.host, "R1", "standard")

    run = get_run(scene.direct, "R1")
    assert (run.state, "Cosmos DB did not answer" in run.error) == (RunState.FAILED, True)


def test_in_a_storm_of_429_everything_is_done_once_only_later(scene: Scene) -> None:
    number = count()
    scene.proxy.always = lambda _: Trouble(429, retry_after_ms=1) if next(number) % 3 else None

    take_orders(scene.host)
    assert plan_batch(scene.host, "R1", "standard").state is RunState.FINISHED

    scene.proxy.always = lambda _: None
    require_finished(scene.direct, scene.clock, scene.expected, MESSAGES)


def test_writes_that_happen_although_they_are_answered_with_408_happen_once(scene: Scene) -> None:
    number = count()
    writes = ("POST", "PUT", "DELETE")
    scene.proxy.always = lambda line: Trouble(408, done=True) if line.startswith(writes) and next(number) % 2 else None

    take_orders(scene.host)
    assert plan_batch(scene.host, "R1", "standard").state is RunState.FINISHED

    scene.proxy.always = lambda _: None
    assert {line.state for order in stored(scene.direct.store).orders.values() for line in order.lines} == {"assigned"}
    require_finished(scene.direct, scene.clock, scene.expected, MESSAGES)
