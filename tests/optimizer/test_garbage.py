"""While plans are made, the process looks for unreachable cycles seldom; after the last of them as it did before."""

import gc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dom_core.errors import Cancelled
from dom_core.optimizer.garbage import NEW_OBJECTS, NOT_ALL, seldom_collected
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.watch import Stage, Watch
from tests.builders import a_request, a_source, an_order

USUAL = (600, 7, 8)
SELDOM = (NEW_OBJECTS, 7, NOT_ALL)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


def test_a_run_collects_seldom_until_it_ends_or_fails() -> None:
    seen = []

    def tell(_: Stage) -> None:
        seen.append(gc.get_threshold())

    request = a_request().with_sources(a_source("A")).with_stock({("P", "A"): 1}).with_orders(an_order().with_line("P"))
    plan_once(request.build(), CbcSolver(), Watch(tell))
    assert seen
    assert set(seen) == {SELDOM}
    assert gc.get_threshold() == USUAL
    with pytest.raises(Cancelled):
        plan_once(request.build(), CbcSolver(), Watch(tell, lambda: True))
    assert gc.get_threshold() == USUAL


def test_of_runs_that_overlap_the_last_to_end_restores_what_was() -> None:
    first, second = ExitStack(), ExitStack()
    first.enter_context(seldom_collected())
    second.enter_context(seldom_collected())
    first.close()
    assert gc.get_threshold() == SELDOM
    second.close()
    assert gc.get_threshold() == USUAL
