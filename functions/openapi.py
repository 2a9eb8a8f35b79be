"""The HTTP interface as an OpenAPI 3.1 document: routes and keys from the app's index, shapes from its own types.

`python -m functions.openapi` writes docs/openapi.json; with `--check` it only says whether the file is up to date.
"""

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

import dom_core
from dom_core.domain.change import Change
from dom_core.domain.dead_letter import DeadLetter
from dom_core.domain.delivery import Delivery
from dom_core.domain.explanation import LineExplanation
from dom_core.domain.ids import Id
from dom_core.domain.order import Order
from dom_core.domain.plan_header import PlanHeader
from dom_core.domain.run import Run
from dom_core.domain.stock import StockLevel
from dom_core.domain.suggestion import Suggestion
from dom_core.messages.actions import Acceptance, Approval, Cancellation, Decision, Picking, Rejection, Reset, Shipping
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import adapter
from dom_core.messages.suggestion import SuggestionRequest
from dom_core.repositories.configurations import ConfigKind, ConfigObject
from dom_core.use_cases.approve_plan import Approved
from dom_core.use_cases.check_health import Health
from dom_core.use_cases.configure import Preview, SavedMany
from dom_core.use_cases.replay_plan import Replayed
from dom_core.use_cases.set_stock import OnHand
from functions import shapes, views
from functions.authorization import PUBLIC, ROLES

TARGET = Path(__file__).parents[1] / "docs" / "openapi.json"

Json = dict[str, Any]

_Key = tuple[str, JsonSchemaMode]

_REF = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Operation:
    """What the index does not know of a function: what it takes, what it gives, and how else it may answer.

    `answer` and `body` are types. A `listed` answer is one page of items of that type.
    """

    answer: Any = None
    status: HTTPStatus = HTTPStatus.OK
    listed: bool = False
    body: Any = None
    query: type[BaseModel] = shapes.NoQuery
    refusals: tuple[HTTPStatus, ...] = ()
    etag: bool = False
    creates: bool = False
    media_type: str = "application/json"


_CONFLICT = (HTTPStatus.CONFLICT,)
_BUSY = (HTTPStatus.SERVICE_UNAVAILABLE,)
_MATCH = (HTTPStatus.PRECONDITION_FAILED,)

OPERATIONS: Mapping[str, Operation] = {
    "post_order": Operation(shapes.OrderAccepted, HTTPStatus.ACCEPTED, body=IntakeOrder, refusals=_CONFLICT),
    "list_orders": Operation(Order, listed=True, query=shapes.OrderQuery),
    "get_order": Operation(Order),
    "list_deliveries": Operation(tuple[Delivery, ...]),
    "reject_line": Operation(Order, body=Rejection, refusals=_CONFLICT),
    "accept_line": Operation(Order, body=Acceptance, refusals=_CONFLICT),
    "reset_line": Operation(Order, body=Reset, refusals=_CONFLICT),
    "reset_order": Operation(Order, body=Reset, refusals=_CONFLICT),
    "pick_line": Operation(Order, body=Picking, refusals=_CONFLICT),
    "ship_line": Operation(Order, body=Shipping, refusals=_CONFLICT),
    "cancel_line": Operation(Order, body=Decision, refusals=_CONFLICT),
    "exclude_line": Operation(Order, body=Decision, refusals=_CONFLICT),
    "include_line": Operation(Order, body=Decision, refusals=_CONFLICT),
    "hold_order": Operation(Order, body=Decision, refusals=_CONFLICT),
    "release_order": Operation(Order, body=Decision, refusals=_CONFLICT),
    "cancel_order": Operation(Order, body=Decision, refusals=_CONFLICT),
    "run_strategy": Operation(shapes.RunAccepted, HTTPStatus.ACCEPTED, body=shapes.Asked),
    "cancel_run": Operation(Run, body=Cancellation, refusals=_CONFLICT),
    "suggest": Operation(Suggestion, body=SuggestionRequest, refusals=_BUSY),
    "list_runs": Operation(Run, listed=True, query=shapes.PageQuery),
    "get_run": Operation(Run),
    "list_plans": Operation(PlanHeader, listed=True, query=shapes.PageQuery),
    "get_plan": Operation(views.PlanDetails, query=shapes.PlanQuery),
    "plan_report": Operation(media_type="text/html"),
    "approve_plan": Operation(Approved, body=Approval, refusals=(*_CONFLICT, *_BUSY)),
    "expire_plan": Operation(PlanHeader, body=Decision, refusals=_CONFLICT),
    "explain_plan_line": Operation(LineExplanation, query=shapes.LineQuery, refusals=_CONFLICT),
    "replay_plan": Operation(Replayed, refusals=_CONFLICT),
    "list_configuration": Operation(ConfigObject, listed=True, query=shapes.PageQuery),
    "save_many_configuration": Operation(SavedMany | Preview, body=list[ConfigObject], query=shapes.SaveQuery),
    "get_configuration": Operation(ConfigObject, etag=True),
    "get_configuration_changes": Operation(tuple[Change, ...]),
    "save_configuration": Operation(
        views.SavedDetails | Preview,
        body=ConfigObject,
        query=shapes.SaveQuery,
        refusals=_MATCH,
        etag=True,
        creates=True,
    ),
    "delete_configuration": Operation(status=HTTPStatus.NO_CONTENT, refusals=(*_CONFLICT, *_MATCH)),
    "get_stock": Operation(views.StockDetails),
    "set_stock": Operation(views.StockDetails, body=OnHand, refusals=_CONFLICT),
    "set_many_stock": Operation(shapes.Counted, body=tuple[StockLevel, ...], refusals=_CONFLICT),
    "list_dead_letters": Operation(DeadLetter, listed=True, query=shapes.PageQuery),
    "replay_dead_letter": Operation(DeadLetter, body=shapes.Asked),
    "health": Operation(Health, refusals=_BUSY),
}
"""Every HTTP function by name."""

_PROBLEM: Json = {"$ref": "#/components/responses/Problem"}
_PROBLEM_ANSWER: Json = {
    "description": "What is wrong, as in RFC 9457.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}
_SCHEMES: Json = {
    "key": {"type": "apiKey", "in": "header", "name": "x-functions-key", "description": "With DOM_AUTH=keys."},
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "With DOM_AUTH=entra: a token of Entra ID with one of the app roles named.",
    },
}
_FROM_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that the object must still have.",
    "schema": {"type": "string"},
}
_ETAG: Json = {"ETag": {"description": "Names this version in If-Match.", "schema": {"type": "string"}}}


def document(triggers: Mapping[str, Json], summaries: Mapping[str, str]) -> Json:
    """The OpenAPI document of an app with these HTTP triggers and docstrings, by function name."""
    schemas, components = _schemas()
    paths: dict[str, Json] = {}
    for name, operation in OPERATIONS.items():
        trigger = triggers[name]
        described = _operation(name, operation, trigger, schemas) | {"summary": summaries[name]}
        paths.setdefault("/" + trigger["route"], {})[trigger["methods"][0].lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Distributed Order Management", "version": dom_core.__version__, "license": {"name": "MIT"}},
        "servers": [{"url": "/api"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": _PROBLEM_ANSWER},
            "securitySchemes": _SCHEMES,
        },
    }


def _schemas() -> tuple[dict[_Key, Json], Json]:
    """The schema of each body (`name`, validation) and answer (`name`, serialization), and what they refer to."""
    schemas, definitions = TypeAdapter.json_schemas(_shapes(), ref_template=_REF)
    queries = {operation.query.__name__ for operation in OPERATIONS.values()}
    return schemas, {name: schema for name, schema in definitions["$defs"].items() if name not in queries}


def _shapes() -> Iterator[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]:
    for name, operation in OPERATIONS.items():
        if operation.body is not None:
            yield name, "validation", adapter(operation.body)
        if operation.answer is not None:
            yield name, "serialization", adapter(operation.answer)
        yield f"{name}?", "validation", adapter(operation.query)
    yield "problem", "serialization", adapter(shapes.ProblemDocument)


def _operation(name: str, operation: Operation, trigger: Json, schemas: Mapping[_Key, Json]) -> Json:
    described: Json = {
        "operationId": name,
        "parameters": [*_path_parameters(trigger["route"]), *_query_parameters(operation), *_conditions(operation)],
        "responses": _responses(name, operation, trigger["route"], schemas),
        "security": _security(name),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(schemas[name, "validation"])}
    return described


def _security(name: str) -> list[Json]:
    """The ways in: a key, or a token with any one of the roles."""
    if name in PUBLIC:
        return []
    return [{"key": []}, *({"entra": [role.value]} for role in sorted(ROLES[name]))]


def _responses(name: str, operation: Operation, route: str, schemas: Mapping[_Key, Json]) -> Json:
    good: Json = {"description": operation.status.phrase}
    if operation.media_type == "text/html":
        good["content"] = {"text/html": {"schema": {"type": "string"}}}
    elif operation.answer is not None:
        schema = schemas[name, "serialization"]
        good["content"] = _content(_page_of(schema) if operation.listed else schema)
    if operation.etag:
        good["headers"] = _ETAG
    refusals = {str(status.value): _PROBLEM for status in _refusals(name, operation, route)}
    created = {str(HTTPStatus.CREATED.value): good | {"description": "Created"}} if operation.creates else {}
    return {str(operation.status.value): good, **created, **refusals, "default": _PROBLEM}


def _refusals(name: str, operation: Operation, route: str) -> Iterator[HTTPStatus]:
    yield from operation.refusals
    if name not in PUBLIC:
        yield HTTPStatus.TOO_MANY_REQUESTS
    if "{" in route:
        yield HTTPStatus.NOT_FOUND
    if operation.body is not None:
        yield from _FROM_BODY
    if operation.query.model_fields:
        yield HTTPStatus.UNPROCESSABLE_ENTITY


def _path_parameters(route: str) -> Iterator[Json]:
    for name in re.findall(r"\{(\w+)\}", route):
        schema = adapter(ConfigKind).json_schema() if name == "kind" else adapter(Id).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation) -> Iterator[Json]:
    for name, schema in operation.query.model_json_schema(ref_template=_REF).get("properties", {}).items():
        yield {"name": name, "in": "query", "schema": schema}


def _conditions(operation: Operation) -> list[Json]:
    return [_IF_MATCH] if HTTPStatus.PRECONDITION_FAILED in operation.refusals else []


def _page_of(schema: Json) -> Json:
    return {
        "type": "object",
        "required": ["items", "continuation"],
        "properties": {"items": {"type": "array", "items": schema}, "continuation": {"type": ["string", "null"]}},
    }


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _from_app() -> Json:
    import function_app

    functions = {str(function.get_function_name()): function for function in function_app.app.get_functions()}
    triggers = {name: json.loads(function.get_function_json())["bindings"][0] for name, function in functions.items()}
    summaries = {name: inspect.getdoc(function.get_user_function()) or "" for name, function in functions.items()}
    return document(triggers, summaries)


def written(content: Json) -> str:
    """The document as the file holds it."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file, or with `--check` say by the exit code whether it is up to date."""
    parser = argparse.ArgumentParser(prog="python -m functions.openapi", description="Write docs/openapi.json.")
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 when the file is out of date")
    text = written(_from_app())
    if parser.parse_args(arguments).check:
        return int(not TARGET.exists() or TARGET.read_text() != text)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
