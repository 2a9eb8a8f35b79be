"""Orders read from JSON lines and from CSV."""

import json
from typing import Any

import pytest

from dom_core.domain.network import Location
from dom_core.files.order_file import read_orders
from dom_core.messages.orders import IntakeOrder

PRODUCTS = frozenset({"P1", "P2"})
HEADER = "order_id,product_id,units,ordered_at,postal_code,city"


def an_order(**fields: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "id": "O1",
        "ordered_at": "2026-03-02T08:00:00Z",
        "ship_to": {"postal_code": "98101"},
        "lines": [{"id": "1", "product_id": "P1", "units": 2}],
    }
    return defaults | fields


def read(*lines: object) -> tuple[list[IntakeOrder], list[str]]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    orders, reading = read_orders("orders", text, PRODUCTS)
    return orders, [str(problem) for problem in reading.problems]


def test_each_json_line_is_one_order() -> None:
    orders, problems = read(an_order(), "", an_order(id="O2"))
    assert problems == []
    assert [order.id for order in orders] == ["O1", "O2"]


def test_a_line_separator_within_a_text_does_not_end_a_json_line() -> None:
    text = json.dumps(an_order(customer_reference="first\u2028second"), ensure_ascii=False)
    orders, problems = read(text)
    assert problems == []
    assert orders[0].customer_reference == "first\u2028second"


def test_problems_of_json_lines_name_the_line_and_the_field() -> None:
    bad = an_order(id="O2", lines=[{"id": "1", "product_id": "P1", "units": 1.5}], ship_to={"country": "usa"})
    _, problems = read(an_order(), bad, "{not json", "17")
    assert [problem.rsplit(": ", 1)[0] for problem in problems] == [
        "orders:2: lines[0].units",
        "orders:2: ship_to.country",
        "orders:3",
        "orders:4",
    ]


def test_an_unknown_product_is_a_problem_and_the_write_in_product_is_not() -> None:
    lines = [{"id": "1", "product_id": "P9", "units": 1}, {"id": "2", "product_id": "write-in", "units": 1}]
    _, problems = read(an_order(lines=lines))
    assert problems == ["orders:1: lines[0].product_id: there is no product 'P9'"]


def test_the_same_order_again_counts_once_and_other_content_is_a_problem() -> None:
    orders, problems = read(an_order(), an_order(), an_order(priority_class=1))
    assert len(orders) == 1
    assert problems == ["orders:3: id: order 'O1' has other content than on line 1"]


def test_a_csv_row_is_a_line_and_rows_with_one_order_id_are_one_order() -> None:
    orders, problems = read(
        "order_id,line_id,product_id,units,ordered_at,city,latitude,longitude,mode_of_delivery,direct_delivery,amount_cents",
        "O1,a,P1,2,2026-03-02T08:00:00Z,Seattle,47.6,-122.3,express,,1999",
        "O2,,P1,1,2026-03-02T09:00:00Z,,,,,,",
        "O1,b,P2,3,,Tacoma,,,,true,",
    )
    assert problems == []
    first, second = orders
    assert [line.id for line in first.lines] == ["a", "b"]
    assert [line.ship_to.city for line in first.lines if line.ship_to] == ["Seattle", "Tacoma"]
    assert [line.location for line in first.lines] == [Location(47.6, -122.3), None]
    assert [line.mode_of_delivery for line in first.lines] == ["express", None]
    assert [line.direct_delivery for line in first.lines] == [False, True]
    assert [line.amount_cents for line in first.lines] == [1999, 0]
    assert [line.id for line in second.lines] == ["1"]


def test_problems_of_csv_rows_name_the_row_and_the_column() -> None:
    _, problems = read(
        HEADER,
        "O1,P1,two,2026-03-02T08:00:00Z,98101,Seattle",
        "O2,P1,1,yesterday,98101,Seattle",
        "O3,P1,1,2026-03-02T08:00:00Z,98101",
        ",P1,1,2026-03-02T08:00:00Z,98101,Seattle",
        "O4,P1,,2026-03-02T08:00:00Z,98101,Seattle",
    )
    assert sorted(problem.rsplit(": ", 1)[0] for problem in problems) == [
        "orders:2: units",
        "orders:3: ordered_at",
        "orders:4",
        "orders:5: order_id",
        "orders:6: units",
    ]


def test_a_later_row_may_repeat_the_orders_fields_but_not_change_them() -> None:
    _, problems = read(
        HEADER,
        "O1,P1,1,2026-03-02T08:00:00Z,98101,Seattle",
        "O1,P2,1,2026-03-02T08:00:00Z,98101,Seattle",
        "O1,P2,1,2026-03-03T08:00:00Z,98101,Seattle",
    )
    assert problems == ["orders:4: ordered_at: differs from the order's first row (line 2)"]


def test_a_row_is_named_by_the_line_where_it_begins_after_a_quoted_line_break() -> None:
    _, problems = read(HEADER, 'O1,P1,1,2026-03-02T08:00:00Z,98101,"Sea\nttle"', "O2,P9,1,2026-03-02T08:00:00Z,98101,X")
    assert problems == ["orders:4: lines[0].product_id: there is no product 'P9'"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("order_id,product_id,units,ordered_at,color", "orders:1: there is no column 'color'"),
        ("order_id,product_id,units,ordered_at,units", "orders:1: the column 'units' stands there twice"),
        ("order_id,product_id,units", "orders:1: the column 'ordered_at' is missing"),
    ],
)
def test_a_header_that_does_not_fit_is_the_only_problem(header: str, problem: str) -> None:
    _, problems = read(header, "some,row,that,is,ignored")
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_broken_quotes_are_a_problem_of_the_row() -> None:
    _, problems = read(HEADER, 'O1,P1,1,"2026')
    assert problems == ["orders:2: is not valid CSV: unexpected end of data"]


def test_an_empty_file_holds_no_orders() -> None:
    assert read("") == ([], [])
