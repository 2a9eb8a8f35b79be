"""Plans keep every code in every store."""

from collections.abc import Iterator

import pytest

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.expanding import expand
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import DocumentStore
from dom_core.repositories.plans import Plans
from tests.contract.test_document_store import STORES
from tests.oracle.generation import generate

MINIMAL_IN_ROUNDS = 50
"""A case of which iteration 2 went in rounds."""


@pytest.fixture(params=STORES.values(), ids=list(STORES))
def store(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    with request.param(request) as opened:
        yield opened


def a_run(seed: int) -> tuple[PlanRequest, Plan]:
    request = generate(seed)
    return request, plan_once(request, CbcSolver())


@pytest.mark.parametrize("seed", [1, 7, MINIMAL_IN_ROUNDS])
def test_codes_come_back_and_are_spelt_out_as_before(store: DocumentStore, seed: int) -> None:
    request, plan = a_run(seed)
    plans = Plans(store)
    plans.create(plan, attempt="1", to_apply=False, request=request)

    stored = plans.get(plan.id)

    assert (stored.reasons, stored.rounds) == (plan.reasons, plan.rounds)
    assert expand(plans.request(plan.id), stored) == expand(request, plan)


def test_one_case_has_rounds() -> None:
    assert a_run(MINIMAL_IN_ROUNDS)[1].rounds
