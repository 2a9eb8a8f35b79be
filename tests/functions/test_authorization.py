"""Who may do what: every function × every role × both modes, forged principals, and the limits of a store."""

import json
import logging
import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from dom_core.errors import InvalidInput
from dom_core.settings import from_environment, needs_function_key, platform_authenticates
from dom_core.use_cases.context import Ports
from functions import authorization, bootstrap, responses
from functions.principals import Role
from tests.architecture.source_code import ROOT
from tests.functions.app import JSON, binding, call, content_of, functions, problem_of
from tests.functions.shop import an_intake, deliver
from tests.functions.signing_in import (
    ANN_SIGNS,
    OBJECT_ID,
    ROLE_URI,
    a_principal,
    having,
    header_of,
    sign_in_with_entra,
)
from tests.functions.test_discretion import TalkativeStore
from tests.functions.test_lines import LINE, source_of_the_line

READS = {
    "list_orders",
    "get_order",
    "list_deliveries",
    "list_runs",
    "get_run",
    "list_plans",
    "get_plan",
    "plan_report",
} | {"explain_plan_line"}
READS_CONFIGURATION = {"list_configuration", "get_configuration", "get_configuration_changes", "get_stock"}
TAKES_ORDERS = {"post_order", "suggest", "cancel_order", "cancel_line"}
FULFILS = {"accept_line", "reject_line", "pick_line", "ship_line"}
STOCKS = {"set_stock", "set_many_stock"}
CONFIGURES = {"save_configuration", "save_many_configuration", "delete_configuration"}
OPERATES = (
    {"hold_order", "release_order", "reset_order", "exclude_line", "include_line", "reset_line"}
    | {"run_strategy", "cancel_run", "replay_plan", "approve_plan", "expire_plan"}
    | {"list_dead_letters", "replay_dead_letter"}
)

MAY = {
    Role.READER: READS | READS_CONFIGURATION,
    Role.ORDERS_WRITE: TAKES_ORDERS,
    Role.REJECTIONS_WRITE: FULFILS,
    Role.OPERATOR: READS | READS_CONFIGURATION | TAKES_ORDERS | FULFILS | STOCKS | OPERATES,
    Role.CONFIG_ADMIN: READS_CONFIGURATION | CONFIGURES | STOCKS,
}
"""What each role may do: the same as the table in the code, seen from the other side."""

PATHS = {"kind": "products", "day": "2026-03-02"}
"""Values for routes' parameters; for all others any id will do."""


def http_functions() -> list[str]:
    return sorted(name for name in functions() if binding(name)["type"] == "httpTrigger")


def guarded_functions() -> list[str]:
    return [name for name in http_functions() if name not in authorization.PUBLIC]


def ask(name: str, headers: dict[str, str]) -> func.HttpResponse:
    """Call a function with a body that it refuses, once it has let the caller in."""
    return call(binding(name)["methods"][0], path_of(name), {"nonsense": True}, headers=headers)


def path_of(name: str) -> str:
    """A path that leads to the function, of something that is not there."""
    return re.sub(r"\{(\w+)\}", lambda found: PATHS.get(found[1], "X-1"), binding(name)["route"])


@pytest.fixture
def guarded(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Ports:
    """An empty installation with DOM_AUTH=entra."""
    return sign_in_with_entra(ports, monkeypatch)


@pytest.fixture
def guarded_line(planned: Ports, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The source of a planned line, and another source, with DOM_AUTH=entra."""
    source_id = source_of_the_line()
    sign_in_with_entra(planned, monkeypatch)
    return source_id, "portland" if source_id == "seattle" else "seattle"


def test_every_http_function_has_a_row_and_every_row_a_function() -> None:
    assert sorted(authorization.PUBLIC | authorization.ROLES.keys()) == sorted(http_functions()), (
        "give every function a row in functions/authorization.py, and say here what each role may do"
    )
    assert authorization.PUBLIC.isdisjoint(authorization.ROLES)


def test_no_row_is_open_to_nobody_or_by_mistake_to_everybody() -> None:
    assert {"health"} == authorization.PUBLIC
    assert all(authorization.ROLES.values())


def test_each_row_says_what_its_roles_say() -> None:
    seen = {name: {role for role, names in MAY.items() if name in names} for name in authorization.ROLES}
    assert seen == {name: set(roles) for name, roles in authorization.ROLES.items()}


@pytest.mark.parametrize("name", guarded_functions())
@pytest.mark.parametrize("role", Role)
def test_with_entra_a_role_opens_its_functions_and_no_others(name: str, role: Role, guarded: Ports) -> None:
    answer = ask(name, having(role, "Dom.Source.seattle", "Other.Role", role.value.lower()))
    if name in MAY[role]:
        assert answer.status_code not in (401, 403)
    else:
        assert problem_of(answer, 403)["type"] == "urn:problem-type:dom:forbidden"


@pytest.mark.parametrize("name", guarded_functions())
def test_with_keys_the_host_has_decided_and_a_principal_changes_nothing(name: str, ports: Ports) -> None:
    for headers in (JSON, *map(having, Role)):
        assert ask(name, headers).status_code not in (401, 403)


@pytest.mark.parametrize("name", guarded_functions())
def test_with_entra_nobody_without_a_principal_gets_in(name: str, guarded: Ports) -> None:
    answer = ask(name, {**JSON, "x-functions-key": "a key", "x-ms-client-principal-name": "ann@shop.example"})
    assert problem_of(answer, 401)["type"] == "urn:problem-type:dom:unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", guarded_functions())
def test_with_entra_somebody_without_a_role_of_ours_gets_in_nowhere(name: str, guarded: Ports) -> None:
    problem_of(ask(name, having("dom.operator", "Dom.Operator ", "Dom", "Dom.Source.seattle")), 403)


@pytest.mark.parametrize("enabled", [None, "", "False", "0", "yes"])
def test_a_forged_principal_opens_nothing_where_the_platform_does_not_authenticate(
    enabled: str | None, guarded: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEBSITE_AUTH_ENABLED")
    if enabled is not None:
        monkeypatch.setenv("WEBSITE_AUTH_ENABLED", enabled)
    for name in guarded_functions():
        problem_of(ask(name, having(*Role)), 401)


def test_the_log_says_that_the_platform_does_not_authenticate(
    guarded: Ports, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WEBSITE_AUTH_ENABLED")
    ask("list_orders", having(*Role))
    assert "the platform does not authenticate" in caplog.text


def test_anybody_may_ask_for_health_in_both_modes(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("GET", "health").status_code == 200
    sign_in_with_entra(ports, monkeypatch)
    assert call("GET", "health").status_code == 200


GOOD = a_principal(Role.OPERATOR)
MALFORMED: dict[str, str] = (
    {
        "nothing": "",
        "not base64": "{}",
        "base64 with other characters": "  " + b64encode(json.dumps(GOOD).encode()).decode(),
        "base64 without its end": b64encode(json.dumps(GOOD).encode()).decode()[:-3],
        "letters beyond ASCII": "ä" * 8,
        "not UTF-8": b64encode(b"\xff\xfe").decode(),
        "not JSON": b64encode(b"Dom.Operator").decode(),
        "endless JSON": b64encode(b"[" * 20_000).decode(),
    }
    | {
        name: header_of(principal)["X-MS-CLIENT-PRINCIPAL"]
        for name, principal in {
            "no object": [GOOD],
            "no claims": {"auth_typ": "aad"},
            "claims that are no list": GOOD | {"claims": {"roles": "Dom.Operator"}},
            "a claim without a value": GOOD | {"claims": [*GOOD["claims"], {"typ": "roles"}]},
            "a claim that is no text": a_principal(Role.OPERATOR, more=[("roles", 7)]),  # type: ignore[list-item]  # forged
            "the plain format of another service": {"identityProvider": "aad", "userRoles": ["Dom.Operator"]},
            "another identity provider": a_principal(Role.OPERATOR, auth_typ="github"),
            "no identity provider": {"claims": GOOD["claims"]},
            "nobody in particular": GOOD | {"claims": [{"typ": "roles", "val": "Dom.Operator"}]},
            "two persons at once": a_principal(Role.OPERATOR, more=[("oid", "00000000-0000-0000-0000-000000000000")]),
            "an object id that is none": {**GOOD, "claims": [{"typ": "oid", "val": "Ann"}, *GOOD["claims"][1:]]},
        }.items()
    }
)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_principal_is_nobody(name: str, guarded: Ports, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = call("GET", "orders", headers={"X-MS-CLIENT-PRINCIPAL": MALFORMED[name]})
    problem_of(answer, 401)
    assert "incident" not in caplog.text
    assert "Dom.Operator" not in caplog.text


@pytest.mark.parametrize("claim", ["roles", ROLE_URI])
@pytest.mark.parametrize("role_typ", ["roles", ROLE_URI, "name", "", None])
def test_roles_count_in_the_claims_of_entra_whatever_role_typ_says(
    claim: str, role_typ: str | None, guarded: Ports
) -> None:
    principal = a_principal(Role.READER, role_claim=claim, role_typ=role_typ)
    assert call("GET", "orders", headers=header_of(principal)).status_code == 200
    problem_of(call("GET", "deadletters", headers=header_of(principal)), 403)


@pytest.mark.parametrize("claim", ["name", "groups", "scp", "wids", "role", "Roles", "roles "])
def test_a_role_in_any_other_claim_is_none(claim: str, guarded: Ports) -> None:
    principal = a_principal(Role.READER, role_claim=claim, role_typ=claim)
    problem_of(call("GET", "orders", headers=header_of(principal)), 403)


def test_a_function_without_a_row_is_closed_to_everybody(ports: Ports, caplog: pytest.LogCaptureFixture) -> None:
    @responses.answered
    def forgotten(req: func.HttpRequest) -> func.HttpResponse:
        raise AssertionError("nobody may get here")

    problem_of(forgotten(func.HttpRequest("GET", "https://dom.example/api/x", body=b"")), 500)
    assert "no row for 'forgotten'" in caplog.text


ACTIONS: dict[str, dict[str, Any]] = {
    "accept": {},
    "reject": {"reason_code": "damaged"},
    "pick": {},
    "ship": {},
}
"""What a store says of a line."""

every_action = pytest.mark.parametrize("action", ACTIONS)


def act(action: str, source_id: str, *roles: str, path: str = LINE) -> func.HttpResponse:
    """Say something of a line in the name of a source."""
    body = {"source_id": source_id, "who": "somebody else", **ACTIONS[action]}
    return call("POST", f"{path}/{action}", body, headers=having(*roles))


@every_action
def test_a_store_acts_on_lines_of_its_own_sources(action: str, guarded_line: tuple[str, str]) -> None:
    own, other = guarded_line
    answer = act(action, own, Role.REJECTIONS_WRITE, f"Dom.Source.{own}", f"Dom.Source.{other}")
    # A line that nobody has picked cannot be shipped; it is the line that says so, not the credential.
    assert answer.status_code == (409 if action == "ship" else 200)


@every_action
def test_a_store_cannot_speak_for_another_source(action: str, guarded_line: tuple[str, str]) -> None:
    own, other = guarded_line
    problem = problem_of(act(action, other, Role.REJECTIONS_WRITE, f"Dom.Source.{own}"), 403)
    assert problem["detail"].endswith(f"that needs the role Dom.Source.{other}.")
    assert untouched(own)


@every_action
def test_a_store_cannot_act_on_a_line_of_another_source_nor_learn_of_it(
    action: str, guarded_line: tuple[str, str]
) -> None:
    own, other = guarded_line
    roles = (Role.REJECTIONS_WRITE, f"Dom.Source.{other}")
    of_others, of_nobody = (act(action, other, *roles, path=path) for path in (LINE, "orders/O9/lines/1"))
    assert own not in of_others.get_body().decode()
    assert problem_of(of_others, 404)["title"] == problem_of(of_nobody, 404)["title"]
    assert problem_of(of_others, 404)["detail"].replace("O1", "O9") == problem_of(of_nobody, 404)["detail"]
    problem_of(act(action, own, *roles), 404)
    assert untouched(own)


@every_action
@pytest.mark.parametrize("more", [[], ["Dom.Source."], ["Dom.Source.*"], ["dom.source.{own}"], ["Dom.Source.{own}x"]])
def test_a_store_without_its_source_acts_for_none(action: str, more: list[str], guarded_line: tuple[str, str]) -> None:
    own, _ = guarded_line
    problem_of(act(action, own, Role.REJECTIONS_WRITE, *(role.format(own=own) for role in more)), 404)
    assert untouched(own)


@pytest.mark.parametrize("more", [[], ["Dom.Source.elsewhere", Role.REJECTIONS_WRITE]])
def test_an_operator_acts_for_every_source(more: list[str], guarded_line: tuple[str, str]) -> None:
    own, _ = guarded_line
    assert act("accept", own, Role.OPERATOR, *more).status_code == 200


@pytest.mark.parametrize("path", ["orders/O1/lines/9", "orders/a b/lines/1", f"orders/O1/lines/{'9' * 500}"])
def test_what_cannot_be_a_line_is_none_to_a_store(path: str, guarded_line: tuple[str, str]) -> None:
    own, _ = guarded_line
    problem = problem_of(act("accept", own, Role.REJECTIONS_WRITE, f"Dom.Source.{own}", path=path), 404)
    assert len(problem["detail"]) < 300


def test_a_store_is_never_asked_for_what_cannot_be_an_order(guarded: Ports) -> None:
    bootstrap.use(replace(guarded, store=TalkativeStore()))
    roles = (Role.REJECTIONS_WRITE, "Dom.Source.seattle")
    problem_of(act("accept", "seattle", *roles, path="orders/a b/lines/1"), 404)
    problem_of(act("accept", "seattle", *roles, path=LINE), 500)


def untouched(source_id: str) -> bool:
    """Whether the line is still where the plan put it, and no source has said anything."""
    order = content_of(call("GET", "orders/O1", headers=having(Role.READER)))
    [line] = order["lines"]
    events = [event["what"] for event in order["history"]]
    return line["assignment"]["source_id"] == source_id and not {"accepted", "rejected"} & set(events)


@pytest.mark.parametrize("actions", [("accept", "pick", "ship"), ("reject",)], ids=" ".join)
def test_a_store_sees_of_an_order_only_its_own_lines(
    actions: tuple[str, ...], shop: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = two_lines_at_two_sources(shop, monkeypatch)
    for action in actions:
        answer = act(action, own, Role.REJECTIONS_WRITE, f"Dom.Source.{own}")
        order = content_of(answer)
        assert (answer.status_code, [line["id"] for line in order["lines"]]) == (200, ["1"])
        assert {event["line_id"] for event in order["history"]} == {"1"}
        assert "seattle" not in answer.get_body().decode()
    assert {f"{action}_line" for action in ACTIONS} == authorization.OF_SOURCES


def test_a_store_does_not_learn_who_refused_its_line_before(planned: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    first = source_of_the_line()
    call("POST", f"{LINE}/reject", {"source_id": first, "reason_code": "damaged", "who": "Sam"})
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(planned, planned.settings.runs_queue, "execute_run")
    own = source_of_the_line()
    sign_in_with_entra(planned, monkeypatch)
    answer = act("accept", own, Role.REJECTIONS_WRITE, f"Dom.Source.{own}")
    assert own != first
    assert [event["what"] for event in content_of(answer)["history"]] == ["assigned", "accepted"]
    assert first not in answer.get_body().decode()


def test_a_store_that_refused_a_line_does_not_learn_who_has_it_now(
    planned: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = source_of_the_line()
    rejection = {"source_id": first, "reason_code": "damaged", "who": "Sam"}
    call("POST", f"{LINE}/reject", rejection)
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(planned, planned.settings.runs_queue, "execute_run")
    second = source_of_the_line()
    sign_in_with_entra(planned, monkeypatch)
    answers = [act(action, first, Role.REJECTIONS_WRITE, f"Dom.Source.{first}") for action in ("reject", "accept")]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert not [answer for answer in answers if second in answer.get_body().decode()]


def two_lines_at_two_sources(shop: Ports, monkeypatch: pytest.MonkeyPatch) -> str:
    """Plan an order of which Portland gets line 1 and Seattle line 2; Portland's id."""
    lines = [{"id": "1", "product_id": "SKU-1", "units": 2}, {"id": "2", "product_id": "SKU-2", "units": 1}]
    call("PUT", "stock/SKU-1/seattle", {"on_hand": 0})
    call("PUT", "stock/SKU-2/seattle", {"on_hand": 1})
    call("POST", "orders", an_intake(lines=lines))
    deliver(shop, shop.settings.orders_queue, "collect_order")
    call("POST", "strategies/daily/run", {"who": "Ann"})
    deliver(shop, shop.settings.runs_queue, "execute_run")
    sources = [line["assignment"]["source_id"] for line in content_of(call("GET", "orders/O1"))["lines"]]
    assert sources == ["portland", "seattle"]
    sign_in_with_entra(shop, monkeypatch)
    portland: str = sources[0]
    return portland


def test_with_entra_the_history_names_the_caller_whoever_the_body_names(guarded_line: tuple[str, str]) -> None:
    own, _ = guarded_line
    order = content_of(act("reject", own, Role.OPERATOR))
    assert {event["who"] for event in order["history"] if event["what"] == "rejected"} == {ANN_SIGNS}


def test_with_keys_the_history_names_whom_the_body_names(planned: Ports) -> None:
    order = content_of(act("reject", source_of_the_line(), Role.OPERATOR))
    assert {event["who"] for event in order["history"] if event["what"] == "rejected"} == {"somebody else"}


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ([("appid", "2b1e")], "2b1e"),
        ([("appid", "2b1e"), ("upn", "bob@shop.example")], "bob@shop.example"),
        ([("upn", "\x07bell"), ("azp", " ")], "principal"),
        ([("upn", "b" * 500)], "b" * 60),
        ([("name", "Ann")], "principal"),
    ],
)
def test_a_caller_signs_with_the_best_name_that_it_cannot_choose_and_its_object_id(
    claims: list[tuple[str, str]], name: str, guarded_line: tuple[str, str]
) -> None:
    principal = a_principal(Role.OPERATOR)
    known = [("oid", OBJECT_ID), ("roles", "Dom.Operator"), *claims]
    principal["claims"] = [{"typ": typ, "val": val} for typ, val in known]
    rejection = {"source_id": guarded_line[0], "reason_code": "damaged", "who": "Eve"}
    order = content_of(call("POST", f"{LINE}/reject", rejection, headers=header_of(principal)))
    assert {event["who"] for event in order["history"] if event["what"] == "rejected"} == {f"{name} [{OBJECT_ID}]"}


def test_refusals_are_logged_by_object_id_without_the_callers_name(
    guarded_line: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    own, other = guarded_line
    ask("list_orders", having(Role.CONFIG_ADMIN))
    act("reject", other, Role.REJECTIONS_WRITE, f"Dom.Source.{own}")
    refused = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(refused) == 2
    assert all(OBJECT_ID in message for message in refused)
    assert "ann@" not in caplog.text


@pytest.mark.parametrize(
    ("setting", "level"),
    [(None, "FUNCTION"), ("keys", "FUNCTION"), ("entra", "ANONYMOUS"), ("Entra", "FUNCTION"), ("", "FUNCTION")],
)
def test_the_host_asks_for_a_key_unless_the_platform_signs_callers_in(setting: str | None, level: str) -> None:
    script = (
        "import json, function_app as app; "
        "triggers = [json.loads(f.get_function_json())['bindings'][0] for f in app.app.get_functions()]; "
        "print({t['authLevel'] for t in triggers if t['type'] == 'httpTrigger' and t['route'] != 'health'})"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DOM_AUTH"}
    environment |= {} if setting is None else {"DOM_AUTH": setting}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == str({level})


@pytest.mark.parametrize("setting", ["Entra", "", "none", "anonymous"])
def test_an_unknown_mode_stops_the_app_and_opens_nothing(setting: str) -> None:
    assert needs_function_key({"DOM_AUTH": setting})
    with pytest.raises(InvalidInput, match="DOM_AUTH"):
        from_environment({"DOM_AUTH": setting})


@pytest.mark.parametrize(("value", "answer"), [("True", True), ("true", True), ("1", False), ("", False)])
def test_only_the_word_true_says_that_the_platform_authenticates(value: str, answer: bool) -> None:
    assert platform_authenticates({"WEBSITE_AUTH_ENABLED": value}) is answer
    assert not platform_authenticates({})


def test_the_roles_for_entra_are_those_of_the_code() -> None:
    listed = json.loads((Path(ROOT) / "infra" / "entra-app-roles.json").read_text("utf-8"))
    values = [role["value"] for role in listed]
    assert {value for value in values if not value.startswith("Dom.Source.")} == set(Role)
    assert len({role["id"] for role in listed}) == len(listed)
    assert all(role["isEnabled"] and role["allowedMemberTypes"] == ["User", "Application"] for role in listed)
