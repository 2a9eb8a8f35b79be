"""Lines and orders over HTTP. Each event needs to know who; what a person decides also why."""

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, paths_of, problem_of, tick

LINE = "orders/O1/lines/1"
WHY = {"who": "Ann", "why": "the customer rang"}


def source_of_the_line() -> str:
    order = content_of(call("GET", "orders/O1"))
    source_id: str = order["lines"][0]["assignment"]["source_id"]
    return source_id


def test_a_source_accepts_its_line(planned: Ports) -> None:
    answer = call("POST", f"{LINE}/accept", {"source_id": source_of_the_line(), "who": "Sam"})
    assert answer.status_code == 200
    assert content_of(answer)["lines"][0]["assignment"]["acceptance"] == "accepted"


def test_a_rejected_line_waits_for_another_source(planned: Ports) -> None:
    rejection = {"source_id": source_of_the_line(), "reason_code": "damaged", "who": "Sam"}
    line = content_of(call("POST", f"{LINE}/reject", rejection))["lines"][0]
    assert (line["state"], line["exception"], line["rejects"]) == ("exception", "rejected", 1)


def test_a_rejection_sent_twice_counts_once(planned: Ports) -> None:
    rejection = {"source_id": source_of_the_line(), "reason_code": "damaged", "who": "Sam", "rejection_id": "R-1"}
    first = content_of(call("POST", f"{LINE}/reject", rejection))
    assert content_of(call("POST", f"{LINE}/reject", rejection)) == first


def test_a_reset_line_starts_again(planned: Ports) -> None:
    call("POST", f"{LINE}/reject", {"source_id": source_of_the_line(), "reason_code": "damaged", "who": "Sam"})
    line = content_of(call("POST", f"{LINE}/reset", {"who": "Ann", "why": "found some more"}))["lines"][0]
    assert (line["state"], line["rejects"], line["bars"]) == ("unassigned", 0, [])


def test_a_reset_order_starts_again_with_all_its_lines(planned: Ports) -> None:
    call("POST", f"{LINE}/reject", {"source_id": source_of_the_line(), "reason_code": "damaged", "who": "Sam"})
    order = content_of(call("POST", "orders/O1/reset", {"who": "Ann", "why": "found some more"}))
    assert [line["state"] for line in order["lines"]] == ["unassigned"]


def state_of_the_line() -> str:
    state: str = content_of(call("GET", "orders/O1"))["lines"][0]["state"]
    return state


def test_a_line_is_picked_then_shipped_and_its_units_leave_the_stock(planned: Ports) -> None:
    handling = {"source_id": source_of_the_line(), "who": "Sam"}
    call("POST", f"{LINE}/accept", handling)
    for verb, state in (("pick", "picked"), ("ship", "shipped")):
        answer = call("POST", f"{LINE}/{verb}", handling)
        assert content_of(answer)["lines"][0]["state"] == state
        assert content_of(call("POST", f"{LINE}/{verb}", handling)) == content_of(answer)
    cells = content_of(call("GET", "stock/SKU-1"))["cells"]
    left = {cell["source_id"]: (cell["on_hand"], cell["reserved"]) for cell in cells}
    assert left[handling["source_id"]] == ({"seattle": 1, "portland": 3}[handling["source_id"]], 0)


@pytest.mark.parametrize(
    ("path", "state"), [(f"{LINE}/cancel", "cancelled"), ("orders/O1/cancel", "cancelled")], ids=["line", "order"]
)
def test_what_is_cancelled_frees_its_stock_and_says_who_and_why(path: str, state: str, planned: Ports) -> None:
    answer = call("POST", path, WHY)
    assert content_of(answer)["lines"][0]["state"] == state
    assert content_of(call("POST", path, WHY)) == content_of(answer)
    assert {cell["reserved"] for cell in content_of(call("GET", "stock/SKU-1"))["cells"]} == {0}
    event = content_of(call("GET", "orders/O1"))["history"][-1]
    assert (event["what"], event["who"], event["why"]) == ("cancelled", "Ann", "the customer rang")


def test_an_order_on_hold_keeps_its_stock_and_ships_nothing_until_it_is_released(planned: Ports) -> None:
    handling = {"source_id": source_of_the_line(), "who": "Sam"}
    call("POST", f"{LINE}/accept", handling)
    assert content_of(call("POST", "orders/O1/hold", WHY))["on_hold"]
    problem = problem_of(call("POST", f"{LINE}/pick", handling), 409)
    assert (problem["state"], problem["allowed"]) == ("on_hold", ["accept", "reject", "cancel"])
    assert not content_of(call("POST", "orders/O1/release", WHY))["on_hold"]
    assert call("POST", f"{LINE}/pick", handling).status_code == 200


def test_an_excluded_line_is_left_alone_until_it_is_included_again(placed: Ports) -> None:
    assert content_of(call("POST", f"{LINE}/exclude", WHY))["lines"][0]["state"] == "excluded"
    tick("plan_orders")
    assert state_of_the_line() == "excluded"
    call("POST", f"{LINE}/include", WHY)
    tick("plan_orders")
    assert state_of_the_line() == "assigned"


def test_what_is_not_possible_is_refused_and_the_answer_says_what_is(placed: Ports) -> None:
    problem = problem_of(call("POST", f"{LINE}/ship", {"source_id": "seattle", "who": "Sam"}), 409)
    assert problem["type"].endswith(":illegal-transition")
    assert (problem["state"], problem["allowed"]) == ("unassigned", ["cancel", "exclude"])


@pytest.mark.parametrize("path", [f"{LINE}/reset", "orders/O1/reset"])
def test_a_line_that_is_assigned_cannot_be_reset(path: str, planned: Ports) -> None:
    problem = problem_of(call("POST", path, {"who": "Ann", "why": "because"}), 409)
    assert problem["type"].endswith(":illegal-transition")


@pytest.mark.parametrize(
    "path",
    [
        *(f"{LINE}/{verb}" for verb in ("reset", "cancel", "exclude", "include")),
        *(f"orders/O1/{verb}" for verb in ("reset", "hold", "release", "cancel")),
    ],
)
@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["who", "why"]),
        ({"who": "Ann"}, ["why"]),
        ({"who": "", "why": ""}, ["who", "why"]),
        ({"who": "Ann", "why": "w" * 501}, ["why"]),
        ({"who": "A" * 101, "why": "because"}, ["who"]),
        ({"who": "Ann", "why": "because", "force": True}, ["force"]),
    ],
)
def test_what_a_person_decides_says_who_and_why_and_nothing_else(
    path: str, body: dict[str, object], paths: list[str], placed: Ports
) -> None:
    assert paths_of(problem_of(call("POST", path, body), 422)) == paths


@pytest.mark.parametrize(
    ("action", "body", "paths"),
    [
        ("accept", {}, ["source_id", "who"]),
        ("reject", {}, ["source_id", "reason_code", "who"]),
        ("reject", {"source_id": "s", "reason_code": "r", "who": "Sam", "units": 0}, ["units"]),
        ("reject", {"source_id": "s", "reason_code": "r", "who": "Sam", "units": 1.5}, ["units"]),
    ],
)
def test_an_incomplete_answer_of_a_source_is_refused(
    action: str, body: dict[str, object], paths: list[str], placed: Ports
) -> None:
    assert paths_of(problem_of(call("POST", f"{LINE}/{action}", body), 422)) == paths


def test_more_units_than_the_line_has_cannot_be_rejected(planned: Ports) -> None:
    rejection = {"source_id": source_of_the_line(), "reason_code": "damaged", "who": "Sam", "units": 99}
    assert paths_of(problem_of(call("POST", f"{LINE}/reject", rejection), 422)) == ["units"]


@pytest.mark.parametrize("path", ["orders/O9/lines/1", "orders/O1/lines/9"])
@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("accept", {"source_id": "seattle", "who": "Sam"}),
        ("reject", {"source_id": "seattle", "reason_code": "damaged", "who": "Sam"}),
        ("reset", {"who": "Ann", "why": "because"}),
        ("pick", {"source_id": "seattle", "who": "Sam"}),
        ("ship", {"source_id": "seattle", "who": "Sam"}),
        ("cancel", {"who": "Ann", "why": "because"}),
        ("exclude", {"who": "Ann", "why": "because"}),
        ("include", {"who": "Ann", "why": "because"}),
    ],
)
def test_an_unknown_order_or_line_is_not_found(path: str, action: str, body: dict[str, str], placed: Ports) -> None:
    problem_of(call("POST", f"{path}/{action}", body), 404)


@pytest.mark.parametrize("verb", ["reset", "hold", "release", "cancel"])
def test_an_unknown_order_is_not_found(verb: str, placed: Ports) -> None:
    problem_of(call("POST", f"orders/O9/{verb}", {"who": "Ann", "why": "because"}), 404)
