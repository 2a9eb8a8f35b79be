"""Lines over HTTP: accept, reject, reset. Each needs to know who; a reset also why."""

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, paths_of, problem_of

LINE = "orders/O1/lines/1"


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


@pytest.mark.parametrize("path", [f"{LINE}/reset", "orders/O1/reset"])
def test_a_line_that_is_assigned_cannot_be_reset(path: str, planned: Ports) -> None:
    problem = problem_of(call("POST", path, {"who": "Ann", "why": "because"}), 409)
    assert problem["type"].endswith(":illegal-transition")


@pytest.mark.parametrize("path", [f"{LINE}/reset", "orders/O1/reset"])
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
def test_a_reset_says_who_and_why_and_nothing_else(
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
    ],
)
def test_an_unknown_order_or_line_is_not_found(path: str, action: str, body: dict[str, str], placed: Ports) -> None:
    problem_of(call("POST", f"{path}/{action}", body), 404)


def test_an_unknown_order_cannot_be_reset(placed: Ports) -> None:
    problem_of(call("POST", "orders/O9/reset", {"who": "Ann", "why": "because"}), 404)
