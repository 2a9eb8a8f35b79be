"""Who may do what: one table from functions to roles, and the limits of a store's credential.

`responses.answered` asks before every handler. A function without a row is refused to everybody.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import azure.functions as func
from pydantic import BaseModel

from dom_core.domain.ids import Id, SourceId
from dom_core.errors import DomError, Forbidden, InvalidInput, NotFound
from dom_core.messages import reading
from functions.bootstrap import buckets, ports
from functions.principals import SOURCE_ROLE_PREFIX, Caller, Role, caller_of
from functions.rates import name_of

if TYPE_CHECKING:
    from dom_core.domain.order import Line, Order

T = TypeVar("T")
B = TypeVar("B", bound=BaseModel)

KEY_SIGNATURE = "function key"
"""Stands where a name would, when keys open the API: all their holders are alike."""

_SHOWN_CHARACTERS = 241
"""How much of a path that names no line is repeated to the caller: as much as two ids may have."""

_logger = logging.getLogger(__name__)

_READ = frozenset({Role.READER, Role.OPERATOR})
_READ_CONFIGURATION = _READ | {Role.CONFIG_ADMIN}
_INTAKE = frozenset({Role.ORDERS_WRITE, Role.OPERATOR})
_FULFIL = frozenset({Role.REJECTIONS_WRITE, Role.OPERATOR})
_OPERATE = frozenset({Role.OPERATOR})
_CONFIGURE = frozenset({Role.CONFIG_ADMIN})
_STOCK = frozenset({Role.CONFIG_ADMIN, Role.OPERATOR})

PUBLIC = frozenset({"health"})
"""Functions that anybody may call."""

ROLES: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "post_order": _INTAKE,
        "suggest": _INTAKE,
        "list_orders": _READ,
        "get_order": _READ,
        "list_deliveries": _READ,
        "cancel_order": _INTAKE,
        "hold_order": _OPERATE,
        "release_order": _OPERATE,
        "reset_order": _OPERATE,
        "accept_line": _FULFIL,
        "reject_line": _FULFIL,
        "pick_line": _FULFIL,
        "ship_line": _FULFIL,
        "cancel_line": _INTAKE,
        "exclude_line": _OPERATE,
        "include_line": _OPERATE,
        "reset_line": _OPERATE,
        "run_strategy": _OPERATE,
        "cancel_run": _OPERATE,
        "list_runs": _READ,
        "get_run": _READ,
        "list_plans": _READ,
        "get_plan": _READ,
        "plan_report": _READ,
        "explain_plan_line": _READ,
        "replay_plan": _OPERATE,
        "approve_plan": _OPERATE,
        "expire_plan": _OPERATE,
        "list_configuration": _READ_CONFIGURATION,
        "get_configuration": _READ_CONFIGURATION,
        "get_configuration_changes": _READ_CONFIGURATION,
        "save_configuration": _CONFIGURE,
        "save_many_configuration": _CONFIGURE,
        "delete_configuration": _CONFIGURE,
        "get_stock": _READ_CONFIGURATION,
        "set_stock": _STOCK,
        "set_many_stock": _STOCK,
        # A dead letter shows what is wrong with an order that nobody has checked.
        "list_dead_letters": _OPERATE,
        "replay_dead_letter": _OPERATE,
    }
)
"""Every other HTTP function: any one of these roles suffices."""


class NoRow(DomError):
    """A function is neither in the table nor public: our own mistake, and nobody gets past it."""


OF_SOURCES = frozenset(name for name, roles in ROLES.items() if Role.REJECTIONS_WRITE in roles)
"""Functions by which a store speaks of a line: only of lines that its sources have or had."""


def admit(function: str, request: func.HttpRequest) -> None:
    """Let the request pass to this function.

    Raises Unauthenticated, TooManyRequests, Forbidden, NotFound for a line of other sources, and NoRow for a forgotten
    function.
    """
    if function in PUBLIC:
        return
    if function not in ROLES:
        raise NoRow(f"functions/authorization.py has no row for '{function}'")
    caller = caller_of(request)
    # Before the role: whoever is refused again and again pays for it, too.
    buckets().take(name_of(caller, request))
    if not ROLES[function] & caller.roles:
        _logger.warning("refused %s to %s: no role for it", function, caller.object_id)
        raise Forbidden(f"This needs the role {' or '.join(sorted(ROLES[function]))}, assigned to you in Entra ID.")
    if function in OF_SOURCES and caller.source_ids is not None:
        _require_line_of(caller.source_ids, **request.route_params)


def attested(body: T, request: func.HttpRequest) -> T:
    """The body as its sender may send it: for one of its own sources, and under its own name. Raises Forbidden.

    Every body that names a source is held to this, whatever it is for.
    """
    caller = caller_of(request)
    if not isinstance(body, BaseModel):
        return body
    named = getattr(body, "source_id", None)
    if named is not None and caller.source_ids is not None and named not in caller.source_ids:
        _logger.warning("refused source %s to %s: not its own", named, caller.object_id)
        raise Forbidden(f"You may not act for source '{named}': that needs the role {SOURCE_ROLE_PREFIX}{named}.")
    return _signed(body, caller)


def caller_name(request: func.HttpRequest) -> str | None:
    """The name that Entra ID vouches for; None with keys, where bodies say who."""
    return caller_of(request).name


def signature(request: func.HttpRequest) -> str:
    """Who did this, for what nobody signs in its body: the name that Entra ID vouches for, or that it was a key."""
    return caller_name(request) or KEY_SIGNATURE


def account(request: func.HttpRequest) -> str:
    """Who did this, for a log: the object id, which tells nothing about a person, or that it was a key."""
    return caller_of(request).object_id or KEY_SIGNATURE


def _signed(body: B, caller: Caller) -> B:
    if caller.name is None or "who" not in type(body).model_fields:
        return body
    return body.model_copy(update={"who": caller.name})


def visible(order: "Order", request: func.HttpRequest) -> "Order":
    """Of the order, what its reader may see: a store sees the lines that it has or had, and their history with it."""
    source_ids = caller_of(request).source_ids
    if source_ids is None:
        return order
    lines = [line for line in order.lines if _concerns(order, line, source_ids)]
    own_ids = {line.id for line in lines}
    history = [event for event in order.history if event.line_id in own_ids and event.source_id in source_ids]
    return replace(order, lines=tuple(_own_view(line, source_ids) for line in lines), history=tuple(history))


def _require_line_of(source_ids: frozenset[SourceId], order_id: str, line_id: str) -> None:
    """A store learns nothing of other lines, not even whether they exist. Raises NotFound.

    Whether its own line allows what it asks for is decided later, when the line is written.
    """
    order = _find_order(order_id)
    line = order.line(line_id) if order else None
    if order is None or line is None or not _concerns(order, line, source_ids):
        raise NotFound("line of your sources", f"{order_id}/{line_id}"[:_SHOWN_CHARACTERS])


def _own_view(line: "Line", source_ids: frozenset[SourceId]) -> "Line":
    held = line.assignment
    return replace(
        line,
        bars=tuple(bar for bar in line.bars if bar.source_id in source_ids),
        assignment=held if held is not None and held.source_id in source_ids else None,
    )


def _concerns(order: "Order", line: "Line", source_ids: frozenset[SourceId]) -> bool:
    """Whether one of these sources has the line, or had it."""
    held = {line.assignment.source_id} if line.assignment else set()
    refused = {bar.source_id for bar in line.bars}
    past = {event.source_id for event in order.history if event.line_id == line.id}
    return not source_ids.isdisjoint(held | refused | past)


def _find_order(text: str) -> "Order | None":
    from dom_core.use_cases import read_order

    try:
        return read_order.get_order(ports(), reading.read_value(text, Id, "order"))
    except (InvalidInput, NotFound):
        return None
