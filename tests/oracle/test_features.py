"""The generated cases cover the whole rule space, and not only on paper: each feature decides plans."""

from functools import cache
from itertools import islice

import pytest

from dom_core.domain.request import PlanRequest
from tests.oracle.features import FEATURES, bites, spares_rules
from tests.oracle.generation import generate

SEEDS = 2000
"""As many cases as `make test-oracle` tries at least."""

BITES = 2


@cache
def _case(seed: int) -> PlanRequest:
    return generate(seed)


@pytest.mark.parametrize("feature", FEATURES)
def test_who_ignores_a_feature_plans_some_cases_wrongly(feature: str) -> None:
    wrong = (seed for seed in range(SEEDS) if bites(_case(seed), FEATURES[feature]))
    assert len(list(islice(wrong, BITES))) == BITES


def test_sparing_rules_makes_other_plans_in_some_cases() -> None:
    other = (seed for seed in range(SEEDS) if spares_rules(_case(seed)))
    assert len(list(islice(other, BITES))) == BITES
