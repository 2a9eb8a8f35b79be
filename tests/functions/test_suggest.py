"""Suggestions over HTTP: an answer at once, and nothing stored or queued."""

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, paths_of, problem_of
from tests.functions.conftest import PlaceBook
from tests.functions.shop import an_intake


def test_a_suggestion_answers_at_once_with_prices_and_reasons(shop: Ports) -> None:
    answer = call("POST", "suggest", {"order": an_intake()})
    assert answer.status_code == 200, answer.get_body()
    suggestion = content_of(answer)
    assert (suggestion["order_id"], suggestion["strategy_id"]) == ("O1", "daily")
    (line,) = suggestion["lines"]
    assert (line["fulfillment"], line["exception"], line["held"]) == ("fully", None, None)
    assert [(made["source_id"], made["units"]) for made in line["assignments"]] == [("seattle", 2)]
    seattle, portland = line["sources"]
    assert (seattle["source_id"], seattle["verdict"], seattle["price"]["more_points"]) == ("seattle", "chosen", 0)
    assert (portland["verdict"], portland["code"]) == ("dearer", "distance_km")
    assert portland["actual"] == f"+{portland['price']['more_points']} km"
    assert [level["level"] for level in portland["price"]["levels"]][:2] == ["unfilled_units", "shipments"]


def test_a_suggestion_leaves_nothing_behind(shop: Ports) -> None:
    stock = content_of(call("GET", "stock/SKU-1"))
    call("POST", "suggest", {"order": an_intake(), "strategy_id": "daily"})
    for kind in ("orders", "plans", "runs", "deadletters"):
        assert content_of(call("GET", kind))["items"] == []
    assert content_of(call("GET", "stock/SKU-1")) == stock
    settings = shop.settings
    assert [shop.queues.length(queue) for queue in (settings.orders_queue, settings.runs_queue)] == [0, 0]


def test_every_problem_comes_in_one_answer(shop: Ports) -> None:
    order = an_intake(ship_to={"postal_code": "00000"}, lines=[{"id": "1", "product_id": "SKU-9", "units": 1}])
    problem = problem_of(call("POST", "suggest", {"order": order, "strategy_id": "weekly"}), 422)
    assert paths_of(problem) == ["order.lines[0].product_id", "order.ship_to", "strategy_id"]


@pytest.mark.parametrize("body", [{}, {"order": an_intake(), "dry_run": True}, an_intake()])
def test_a_question_of_another_shape_is_refused(body: object, shop: Ports) -> None:
    problem_of(call("POST", "suggest", body), 422)


def test_when_several_strategies_take_the_order_the_answer_names_them(shop: Ports) -> None:
    assert call("PUT", "config/strategies/weekly", {"id": "weekly", "source_list_id": "west"}).status_code == 201
    problem = problem_of(call("POST", "suggest", {"order": an_intake()}), 422)
    assert [error["message"] for error in problem["errors"]] == [
        "several strategies take lines of this order; name one of 'daily', 'weekly'"
    ]


def test_an_address_that_cannot_be_looked_up_now_may_work_later(shop: Ports, geocoder: PlaceBook) -> None:
    geocoder.silent = True
    answer = call("POST", "suggest", {"order": an_intake()})
    problem_of(answer, 503)
    assert answer.headers["Retry-After"]
