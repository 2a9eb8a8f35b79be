"""What competes stays together, what does not is solved apart."""

import numpy as np

from dom_core.domain.request import SourceLoad
from dom_core.optimizer import activation, candidates, columns, decomposition, eligibility, problem
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order


def parts_of(builder: RequestBuilder) -> list[list[int]]:
    request = builder.build()
    batch = columns.to_batch(request, eligibility.split(request, ())[0])
    found = candidates.generate(batch, activation.in_iteration(request, 1))
    first = problem.first_problem(found, problem.rates_of(request, found, None, 1000), 1000)
    return [part.tolist() for part in decomposition.independent_parts(first)]


def two_orders(stock: int) -> RequestBuilder:
    orders = (an_order("O1").with_line("P"), an_order("O2").with_line("P"))
    return a_request().with_sources(a_source()).with_orders(*orders).with_stock({("P", "S1"): stock})


def test_orders_that_want_more_than_a_cell_holds_are_one_part() -> None:
    assert parts_of(two_orders(stock=1)) == [[0, 1]]


def test_orders_that_a_cell_can_serve_together_are_apart() -> None:
    assert parts_of(two_orders(stock=2)) == [[0], [1]]


def test_a_capacity_that_can_bind_joins_orders() -> None:
    rule = a_rule("maximum_orders", {"lines": [{"limit": 1}]})
    assert parts_of(two_orders(stock=2).with_rules(rule)) == [[0, 1]]


def test_a_capacity_with_room_for_all_joins_nobody() -> None:
    rule = a_rule("maximum_orders", {"lines": [{"limit": 2}]})
    assert parts_of(two_orders(stock=2).with_rules(rule)) == [[0], [1]]


def test_an_order_already_open_at_the_source_needs_no_room() -> None:
    rule = a_rule("maximum_orders", {"lines": [{"limit": 2}]})
    load = SourceLoad(open_order_ids=frozenset({"O1"}))
    assert parts_of(two_orders(stock=2).with_rules(rule).with_load("S1", load)) == [[0], [1]]


def test_a_line_that_nobody_can_serve_belongs_to_no_part() -> None:
    builder = two_orders(stock=2).with_orders(an_order("O3").with_line("Q"))
    assert parts_of(builder) == [[0], [1]]


def test_small_parts_share_a_block_and_large_ones_stand_alone() -> None:
    sizes = [100, 100, 100, 400, 10]
    gathered = decomposition.blocks([np.arange(size) for size in sizes])
    assert [[len(part) for part in block] for block in gathered] == [[100, 100], [100], [400], [10]]
