"""Explanations and replays of plans over HTTP."""

from typing import Any

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, paths_of, problem_of
from tests.functions.shop import an_intake, deliver


@pytest.fixture
def plan_id(shop: Ports) -> str:
    """Seattle has three units: the first order takes two. Portland is closed, so the second order gets nothing."""
    closed = {"id": "closed", "kind": "offline_location", "params": {"places": [{"source_id": "portland"}]}}
    call("PUT", "config/rules/closed", closed)
    call("PUT", "config/strategies/daily", {"id": "daily", "source_list_id": "west", "rule_ids": ["near", "closed"]})
    call("POST", "orders", an_intake("O1"))
    call("POST", "orders", an_intake("O2", ordered_at="2026-03-02T09:00:00Z"))
    deliver(shop, shop.settings.orders_queue, "collect_order")
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(shop, shop.settings.runs_queue, "execute_run")
    (header,) = content_of(call("GET", "plans"))["items"]
    id: str = header["id"]
    return id


def explained(plan_id: str, line: str, **params: str) -> Any:
    answer = call("GET", f"plans/{plan_id}/lines/{line}", params=params)
    assert answer.status_code == 200, answer.get_body()
    return content_of(answer)


def test_a_line_shows_every_source_who_took_what_and_what_would_place_it(plan_id: str) -> None:
    line = explained(plan_id, "O2/1")
    assert (line["units"], line["filled_units"], line["counterfactual"]) == (2, 0, None)
    portland, seattle = line["sources"]
    assert (portland["verdict"], portland["code"], portland["rule_id"]) == ("excluded", "offline_location", "closed")
    assert (seattle["verdict"], seattle["code"]) == ("taken", "stock")
    assert seattle["taken_by"] == [
        {"order_id": "O1", "source_id": "seattle", "line_id": "1", "units": 2, "earlier": False}
    ]
    assert line["relief"] == {
        "rule_ids": ["closed"],
        "shares": [{"source_id": "portland", "units": 2}],
        "considered_rule_ids": ["near", "closed"],
        "largest_set": 3,
        "blocked": [],
    }


def test_a_filled_line_needs_no_relief(plan_id: str) -> None:
    assert explained(plan_id, "O1/1")["relief"] is None


def test_a_forced_source_answers_what_would_have_changed(plan_id: str) -> None:
    answer = explained(plan_id, "O2/1", force="seattle")["counterfactual"]
    assert (answer["source_id"], answer["refused"], answer["lifted"], answer["proven"]) == ("seattle", None, [], True)
    assert answer["line"]["after"] == [{"source_id": "seattle", "units": 2}]
    assert [change["order_id"] for change in answer["displaced"]] == ["O1"]
    # One of the two orders stays unfilled either way.
    assert {change["level"]: change["points"] for change in answer["levels"]}["unfilled_units"] == 0


@pytest.mark.parametrize("path", ["P9/lines/O1/1", "{}/lines/O9/1", "{}/lines/O1/9", "{}/lines/a b/1"])
def test_what_is_not_there_is_not_found(path: str, plan_id: str) -> None:
    problem_of(call("GET", f"plans/{path.format(plan_id)}"), 404)


@pytest.mark.parametrize(("params", "path"), [({"force": "nowhere"}, "force"), ({"forse": "seattle"}, "forse")])
def test_a_question_that_cannot_be_meant_is_refused(params: dict[str, str], path: str, plan_id: str) -> None:
    assert paths_of(problem_of(call("GET", f"plans/{plan_id}/lines/O1/1", params=params), 422)) == [path]


def test_a_replay_is_the_same(plan_id: str) -> None:
    answer = call("POST", f"plans/{plan_id}/replay")
    assert (answer.status_code, content_of(answer)) == (
        200,
        {"same": True, "first_difference": None, "stopped_by_seconds": False},
    )


def test_an_unknown_plan_cannot_be_replayed(shop: Ports) -> None:
    problem_of(call("POST", "plans/P9/replay"), 404)
