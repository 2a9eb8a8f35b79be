"""The OpenAPI document: up to date, complete and sound."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions import openapi
from functions.authorization import ROLES
from tests.functions.app import binding, functions

DOCUMENT: dict[str, Any] = json.loads(openapi.TARGET.read_text())


def references(node: Any) -> Iterator[str]:
    """Every reference in a JSON tree."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every operation by id, with its path and method."""
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def test_the_file_is_what_the_code_says() -> None:
    triggers = {name: binding(name) for name in functions()}
    summaries = {name: functions()[name].get_user_function().__doc__ for name in functions()}
    assert openapi.TARGET.read_text() == openapi.written(openapi.document(triggers, summaries)), (
        "run python -m functions.openapi"
    )


def test_every_http_function_is_an_operation_with_its_own_path_and_method() -> None:
    routed = {
        name: ("/" + binding(name)["route"], binding(name)["methods"][0].lower())
        for name in functions()
        if binding(name)["type"] == "httpTrigger"
    }
    assert {name: (path, method) for name, (path, method, _) in operations().items()} == routed


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/{kind}/{name}" for kind, parts in DOCUMENT["components"].items() for name in parts}
    assert set(references(DOCUMENT)) <= known


@pytest.mark.parametrize("name", sorted(operations()))
def test_every_operation_says_what_it_is_for_how_it_refuses_and_whether_it_wants_a_key(name: str) -> None:
    path, _, operation = operations()[name]
    assert operation["summary"]
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    assert ("404" in operation["responses"]) == ("{" in path)
    roles = [{"entra": [role.value]} for role in sorted(ROLES.get(name, ()))]
    assert operation["security"] == ([] if name == "health" else [{"key": []}, *roles])


def test_the_check_notices_a_file_that_is_out_of_date(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "openapi.json"
    stale.write_text("{}")
    monkeypatch.setattr(openapi, "TARGET", stale)
    monkeypatch.setattr(openapi, "_from_app", lambda: DOCUMENT)
    assert openapi.main(["--check"]) == 1
    assert stale.read_text() == "{}"
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0
