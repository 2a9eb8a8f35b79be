"""Runs and plans over HTTP, through the queue and by the clock."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dom_core.repositories.runs import Runs
from dom_core.use_cases import read_plan
from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, message, paths_of, problem_of, tick
from tests.functions.shop import an_intake, deliver


def the_plan(ports: Ports, **params: str) -> Any:
    """The only plan there is."""
    (header,) = content_of(call("GET", "plans"))["items"]
    return content_of(call("GET", f"plans/{header['id']}", params=params))


def test_asking_for_a_run_queues_it_and_says_where_to_look(shop: Ports) -> None:
    answer = call("POST", "strategies/daily/run", {"who": "Ann"})
    accepted = content_of(answer)
    assert answer.status_code == 202
    assert accepted["status_url"] == answer.headers["Location"] == f"/api/runs/{accepted['run_id']}"
    run = content_of(call("GET", f"runs/{accepted['run_id']}"))
    assert (run["state"], run["strategy_id"], run["requested_by"]) == ("queued", "daily", "Ann")


def test_a_run_that_waits_is_stopped_on_request(shop: Ports) -> None:
    run_id = content_of(call("POST", "strategies/daily/run", {"who": "Ann"}))["run_id"]
    run = content_of(call("POST", f"runs/{run_id}/cancel", {"who": "Ben", "why": "wrong day"}))
    assert (run["state"], run["cancelled_by"], run["cancelled_why"]) == ("cancelled", "Ben", "wrong day")
    message("execute_run", json.dumps({"run_id": run_id, "strategy_id": "daily"}).encode())
    assert content_of(call("GET", f"runs/{run_id}"))["state"] == "cancelled"
    assert content_of(call("GET", "plans"))["items"] == []


def test_a_run_that_has_ended_is_not_stopped_any_more(planned: Ports) -> None:
    (run,) = content_of(call("GET", "runs"))["items"]
    problem = problem_of(call("POST", f"runs/{run['id']}/cancel", {"who": "Ben"}), 409)
    assert "while the run is 'finished'" in problem["detail"]


def test_a_delivered_run_is_finished_and_its_lines_are_assigned(planned: Ports) -> None:
    (run,) = content_of(call("GET", "runs"))["items"]
    assert (run["state"], run["summary"]["filled_lines"]) == ("finished", 1)
    line = content_of(call("GET", "orders/O1"))["lines"][0]
    assert (line["state"], line["assignment"]["plan_id"]) == ("assigned", run["plan_id"])


def test_a_run_delivered_twice_is_done_once(planned: Ports) -> None:
    (run,) = content_of(call("GET", "runs"))["items"]
    message("execute_run", json.dumps({"run_id": run["id"], "strategy_id": "daily"}).encode())
    assert content_of(call("GET", "runs"))["items"] == [run]
    assert len(content_of(call("GET", "plans"))["items"]) == 1


def test_the_clock_runs_what_is_due(placed: Ports) -> None:
    tick("plan_orders")
    assert content_of(call("GET", "orders/O1"))["lines"][0]["state"] == "assigned"


def test_a_plan_shows_its_figures_and_leaves_reasons_out(planned: Ports) -> None:
    plan = the_plan(planned)
    assert plan["summary"]["units"] == plan["summary"]["filled_units"] == 2
    (line,) = plan["lines"]
    assert (line["fulfillment"], line["filled_units"]) == ("fully", 2)
    assert "reasons" not in line
    assert "reasons" not in plan


def test_a_plan_explains_every_source_on_request(planned: Ports) -> None:
    (line,) = the_plan(planned, reasons="true")["lines"]
    verdicts = {reason["source_id"]: reason["verdict"] for reason in line["reasons"]}
    assert verdicts == {"seattle": "chosen", "portland": "dearer"}
    assert [reason["actual"] for reason in line["reasons"]] == ["+233 km", ""]


def test_a_plan_too_large_for_one_answer_is_explained_line_by_line(
    planned: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = the_plan(planned)["id"]
    monkeypatch.setattr(read_plan, "MOST_REASONS", 1)
    problem = problem_of(call("GET", f"plans/{plan_id}", params={"reasons": "true"}), 422)
    assert paths_of(problem) == ["reasons"]
    assert "at most 1 are told at once: ask line by line" in problem["errors"][0]["message"]
    assert content_of(call("GET", f"plans/{plan_id}/lines/O1/1"))["sources"][0]["actual"] == "+233 km"


def test_a_plan_is_a_page_too(planned: Ports) -> None:
    answer = call("GET", f"plans/{the_plan(planned)['id']}/report")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy


def test_the_page_names_places_but_no_streets(shop: Ports) -> None:
    call("PUT", "config/strategies/daily", {"id": "daily", "source_list_id": "west", "name": "Every day"})
    address = {"postal_code": "98101", "city": "Ballard", "street": "Wisteria Lane 4352"}
    call("POST", "orders", an_intake(ship_to=address))
    deliver(shop, shop.settings.orders_queue, "collect_order")
    tick("plan_orders")
    page = call("GET", f"plans/{the_plan(shop)['id']}/report").get_body().decode()
    for shown in ("seattle", "portland", "Ballard", "Every day"):
        assert shown in page
    assert "Wisteria" not in page


@pytest.fixture
def waiting(placed: Ports) -> str:
    """The id of a proposed plan."""
    call("PUT", "config/strategies/daily", {"id": "daily", "source_list_id": "west", "auto_apply": False})
    tick("plan_orders")
    plan_id: str = the_plan(placed)["id"]
    return plan_id


def test_a_proposed_plan_is_approved_once_and_says_by_whom(waiting: str, placed: Ports) -> None:
    answer = call("POST", f"plans/{waiting}/approve", {"who": "Ann"})
    assert content_of(answer) == {
        "plan_id": waiting,
        "state": "applied",
        "confirmed_lines": 1,
        "conflicted_lines": 0,
    }
    assert content_of(call("POST", f"plans/{waiting}/approve", {"who": "Bob"})) == content_of(answer)
    plan = the_plan(placed)
    assert (plan["state"], plan["closing"]["who"]) == ("applied", "Ann")
    assert content_of(call("GET", "orders/O1"))["lines"][0]["state"] == "assigned"


def test_a_dismissed_plan_cannot_be_approved(waiting: str, placed: Ports) -> None:
    answer = call("POST", f"plans/{waiting}/expire", {"who": "Ann", "why": "too far"})
    assert content_of(answer)["state"] == "expired"
    problem = problem_of(call("POST", f"plans/{waiting}/approve", {"who": "Ann"}), 409)
    assert "expired" in problem["detail"]


def test_a_simulation_is_never_approved(placed: Ports) -> None:
    call("PUT", "config/strategies/daily", {"id": "daily", "source_list_id": "west", "simulation": True})
    tick("plan_orders")
    plan_id = the_plan(placed)["id"]
    assert "simulation" in problem_of(call("POST", f"plans/{plan_id}/approve", {"who": "Ann"}), 409)["detail"]


def test_while_somebody_plans_an_approval_is_asked_to_come_again(waiting: str, placed: Ports) -> None:
    Runs(placed.store).take_lease("R9", placed.clock.now(), lease_s=300)
    answer = call("POST", f"plans/{waiting}/approve", {"who": "Ann"})
    assert problem_of(answer, 503)["type"].endswith(":busy")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("verb", "body", "paths"),
    [
        ("approve", {}, ["who"]),
        ("approve", {"who": "Ann", "force": True}, ["force"]),
        ("expire", {"who": "Ann"}, ["why"]),
    ],
)
def test_who_decides_about_a_plan_gives_a_name(verb: str, body: object, paths: list[str], waiting: str) -> None:
    assert paths_of(problem_of(call("POST", f"plans/{waiting}/{verb}", body), 422)) == paths


@pytest.mark.parametrize("verb", ["approve", "expire"])
def test_an_unknown_plan_can_be_neither_approved_nor_dismissed(verb: str, shop: Ports) -> None:
    problem_of(call("POST", f"plans/P9/{verb}", {"who": "Ann", "why": "because"}), 404)


def test_a_run_delivered_while_somebody_plans_waits_in_its_queue(placed: Ports) -> None:
    lease = Runs(placed.store).take_lease("R9", placed.clock.now(), lease_s=300)
    run_id = content_of(call("POST", "strategies/daily/run", {"who": "Ann"}))["run_id"]
    assert deliver(placed, placed.settings.runs_queue, "execute_run") == 1
    assert content_of(call("GET", f"runs/{run_id}"))["state"] == "queued"
    assert placed.queues.length(placed.settings.runs_queue) == 1
    Runs(placed.store).release_lease(lease, placed.clock.now())
    tick("plan_orders")
    assert content_of(call("GET", "orders/O1"))["lines"][0]["state"] == "assigned"


def test_the_nightly_clean_up_removes_what_is_old(planned: Ports) -> None:
    call("POST", "orders/O1/cancel", {"who": "Ann", "why": "because"})
    planned.clock.time += timedelta(days=31)  # type: ignore[attr-defined]  # the clock of tests stands still
    tick("clean_up")
    for path in ("plans", "runs"):
        assert content_of(call("GET", path))["items"] == []


@pytest.mark.parametrize("path", ["runs/R9", "plans/P9", "plans/P9/report", "plans/a b"])
def test_an_unknown_run_or_plan_is_not_found(path: str, shop: Ports) -> None:
    problem_of(call("GET", path), 404)


@pytest.mark.parametrize("path", ["runs", "plans", "deadletters", "config/products"])
def test_every_list_has_pages_and_refuses_bad_ones(path: str, shop: Ports) -> None:
    assert content_of(call("GET", path, params={"limit": "1000"})).keys() == {"items", "continuation"}
    assert paths_of(problem_of(call("GET", path, params={"limit": "-1"}), 422)) == ["limit"]
    assert paths_of(problem_of(call("GET", path, params={"continuation": "made-up"}), 422)) == ["continuation"]


@pytest.mark.parametrize("path", ["runs", "plans"])
def test_runs_and_plans_are_listed_page_by_page(path: str, planned: Ports) -> None:
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(planned, planned.settings.runs_queue, "execute_run")
    first = content_of(call("GET", path, params={"limit": "1"}))
    second = content_of(call("GET", path, params={"limit": "1", "continuation": first["continuation"]}))
    assert first["items"][0]["id"] != second["items"][0]["id"]


def test_an_unknown_strategy_cannot_be_run(shop: Ports) -> None:
    problem_of(call("POST", "strategies/weekly/run", {"who": "Ann"}), 404)


@pytest.mark.parametrize(("body", "path"), [({}, "who"), ({"who": ""}, "who"), ({"who": "Ann", "now": True}, "now")])
def test_a_run_is_asked_for_by_somebody(body: dict[str, object], path: str, shop: Ports) -> None:
    assert paths_of(problem_of(call("POST", "strategies/daily/run", body), 422)) == [path]


def test_a_disabled_strategy_cannot_be_run(shop: Ports) -> None:
    call("PUT", "config/strategies/daily", {"id": "daily", "source_list_id": "west", "enabled": False})
    problem_of(call("POST", "strategies/daily/run", {"who": "Ann"}), 422)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"run_id": "R1", "strategy_id": "a b"}', b"\xff"])
def test_a_bad_run_message_becomes_a_dead_letter(body: bytes, shop: Ports) -> None:
    message("execute_run", body, "M7")
    (letter,) = content_of(call("GET", "deadletters"))["items"]
    assert (letter["queue"], letter["message_id"]) == ("plan-runs", "M7")


@pytest.mark.parametrize(("value", "path"), [("perhaps", "reasons"), ("", "reasons")])
def test_reasons_are_wanted_or_not(value: str, path: str, planned: Ports) -> None:
    plan_id = the_plan(planned)["id"]
    assert paths_of(problem_of(call("GET", f"plans/{plan_id}", params={"reasons": value}), 422)) == [path]
