"""Each of the nine partial-orders combinations plans what its row in docs/semantics.md says."""

import pytest

from dom_core.domain.strategy import RuleRecord
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.builders import a_request, a_rule, a_source, an_order

WITH_C = {("P", "A"): 2, ("R", "A"): 1, ("Q", "B"): 2, ("R", "C"): 1}
WITHOUT_C = {("P", "A"): 2, ("R", "A"): 1, ("Q", "B"): 2}


@pytest.mark.parametrize(
    ("max_sources", "partial_orders", "partial_lines", "with_c", "without_c"),
    [
        (1, False, False, 0, 0),
        (1, True, False, 2, 2),
        (1, True, True, 3, 3),
        (2, False, False, 0, 0),
        (2, True, False, 4, 4),
        (2, True, True, 5, 5),
        (3, False, False, 6, 0),
        (None, False, False, 6, 0),
        (None, True, False, 6, 4),
        (None, True, True, 6, 5),
    ],
)
def test_each_combination_fills_what_its_row_allows(
    max_sources: int | None, partial_orders: bool, partial_lines: bool, with_c: int, without_c: int
) -> None:
    """Two units each of P, Q and R. A has all P and one R, B has all Q, and C, if it counts, the other R."""
    rule = a_rule(
        "partial_orders",
        {"max_sources": max_sources, "partial_orders": partial_orders, "partial_lines": partial_lines},
    )
    assert [filled(stock, rule) for stock in (WITH_C, WITHOUT_C)] == [with_c, without_c]


def test_without_such_a_rule_lines_may_wait_and_are_filled_in_full_from_any_sources() -> None:
    assert [filled(stock) for stock in (WITH_C, WITHOUT_C)] == [6, 4]


def filled(stock: dict[tuple[str, str], int], *rules: RuleRecord) -> int:
    """Units that the order gets."""
    builder = a_request().with_sources(*map(a_source, "ABC")).with_stock(stock).with_rules(*rules)
    request = builder.with_orders(an_order().with_line("P", 2).with_line("Q", 2).with_line("R", 2)).build()
    return sum(line.filled_units for line in plan_once(request, CbcSolver()).lines)
