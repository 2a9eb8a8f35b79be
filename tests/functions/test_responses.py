"""Answers: one table from errors to statuses, problem documents that help, and no word about our insides."""

import logging

import azure.functions as func
import pytest

from dom_core import errors
from dom_core.domain.order import LineState
from dom_core.errors import Problem
from functions import principals, responses, wire
from functions.shapes import Accepted
from tests.functions.app import content_of, problem_of

PRIVATE = "walther-ppk-7-65"

STATUSES = [
    (wire.BodyTooLarge(10), 413, "body-too-large"),
    (wire.NotJson("say JSON"), 415, "not-json"),
    (wire.BadPrecondition("say one"), 400, "bad-precondition"),
    (errors.Unreadable([Problem("", "is not valid JSON")]), 400, "unreadable-body"),
    (errors.InvalidInput([Problem("units", "too few")]), 422, "invalid-input"),
    (errors.NotFound("order", "O1"), 404, "not-found"),
    (errors.DifferentContent("O1", 1), 409, "different-content"),
    (errors.IllegalTransition("accept", LineState.SHIPPED, []), 409, "illegal-transition"),
    (errors.Conflict("S1 is in list L1"), 409, "conflict"),
    (principals.Unauthenticated(), 401, "unauthenticated"),
    (errors.Forbidden("not yours"), 403, "forbidden"),
    (errors.StoreConflict("changed"), 503, "busy"),
    (errors.AlreadyExists("there"), 503, "busy"),
    (errors.Unavailable("the geocoder is silent"), 503, "unavailable"),
    (errors.LeaseLost("fence 3 < 4"), 503, "busy"),
    (errors.Busy("R9 plans"), 503, "busy"),
    (errors.SolverFailed("crashed"), 503, "solver-failed"),
    (errors.NoTemporarySpace("/srv/temporary", "it is full"), 503, "solver-failed"),
    (RuntimeError(PRIVATE), 500, "internal-error"),
]


def answer_to(error: Exception, **headers: str) -> func.HttpResponse:
    """What a caller gets when a handler raises this."""

    # Anybody may call a function of this name: what it answers is not about roles.
    @responses.answered
    def health(req: func.HttpRequest) -> func.HttpResponse:
        raise error

    return health(func.HttpRequest("PUT", "https://dom.example/api/x", headers=headers, body=b""))


@pytest.mark.parametrize(("error", "status", "type"), STATUSES, ids=lambda value: type(value).__name__)
def test_each_error_has_its_status_and_type(error: Exception, status: int, type: str) -> None:
    problem = problem_of(answer_to(error), status)
    assert problem["type"] == f"urn:problem-type:dom:{type}"


def test_invalid_input_lists_every_problem_with_its_path() -> None:
    found = [Problem("lines[0].units", "must be whole"), Problem("ordered_at", "is missing")]
    problem = problem_of(answer_to(errors.InvalidInput(found, "order")), 422)
    assert problem["detail"] == "The order has 2 problems; see 'errors'."
    assert problem["errors"] == [
        {"path": "lines[0].units", "message": "must be whole"},
        {"path": "ordered_at", "message": "is missing"},
    ]


def test_an_illegal_transition_says_what_is_possible() -> None:
    problem = problem_of(answer_to(errors.IllegalTransition("accept", "exception", ["reset"])), 409)
    assert (problem["state"], problem["allowed"]) == ("exception", ["reset"])


def test_a_lost_race_under_if_match_is_the_callers_to_resolve() -> None:
    problem = problem_of(answer_to(errors.StoreConflict("changed"), **{"If-Match": '"1"'}), 412)
    assert problem["type"] == "urn:problem-type:dom:precondition-failed"


@pytest.mark.parametrize(
    "error", [errors.Unavailable("silent"), errors.StoreConflict("changed"), errors.SolverFailed("crashed")]
)
def test_what_may_work_later_says_when(error: Exception) -> None:
    assert answer_to(error).headers["Retry-After"] == "5"


def test_what_cannot_work_later_does_not_say_when() -> None:
    assert "Retry-After" not in answer_to(errors.Conflict("no")).headers


def test_an_incident_tells_the_caller_its_number_and_the_log_its_place(caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(answer_to(RuntimeError(PRIVATE)), 500)
    number = problem["instance"].removeprefix("urn:uuid:")
    assert len(number) == 36
    assert PRIVATE not in str(problem)
    assert "Traceback" not in str(problem)
    assert number in caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_responses.py" in caplog.text


def test_an_incident_keeps_foreign_messages_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer_to(RuntimeError(PRIVATE))
    assert PRIVATE not in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [(errors.PlanRejected(["O1 ships twice"]), 500), (errors.SolverFailed("/srv/cbc crashed"), 503)],
)
def test_an_incident_of_ours_is_logged_with_its_message(
    error: errors.DomError, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_of(answer_to(error), status)
    assert str(error) not in str(problem)
    assert str(error) in caplog.text
    assert problem["instance"].removeprefix("urn:uuid:") in caplog.text


def test_an_incident_of_several_errors_logs_each(caplog: pytest.LogCaptureFixture) -> None:
    group = ExceptionGroup("runs failed", [RuntimeError(PRIVATE), ExceptionGroup("more", [KeyError(PRIVATE)])])
    number = problem_of(answer_to(group), 500)["instance"].removeprefix("urn:uuid:")
    assert [record.getMessage().count(number) for record in caplog.records] == [1, 1]
    assert "RuntimeError" in caplog.text
    assert "KeyError" in caplog.text
    assert PRIVATE not in caplog.text


def test_expected_errors_leave_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer_to(errors.NotFound("order", "O1"))
    assert caplog.records == []


@pytest.mark.parametrize(
    "answer",
    [responses.document({}), responses.nothing(), responses.report("<p>", ""), answer_to(errors.Conflict("no"))],
    ids=["document", "nothing", "report", "problem"],
)
def test_no_answer_is_stored_or_guessed_at(answer: func.HttpResponse) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_report_is_confined_to_its_own_policy_and_to_its_own_window() -> None:
    answer = responses.report("<p>plan</p>", "default-src 'none'")
    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_status_url_escapes_what_could_leave_its_place() -> None:
    assert responses.status_url("orders", "a/../b?c=d#e") == "/api/orders/a%2F..%2Fb%3Fc%3Dd%23e"


def test_accepted_work_says_in_header_and_body_where_to_look() -> None:
    answer = responses.accepted(Accepted(status_url="/api/runs/R1"))
    assert answer.status_code == 202
    assert content_of(answer)["status_url"] == answer.headers["Location"] == "/api/runs/R1"
