"""Everything that can matter in a case, each with the same case without it.

A feature *bites* in a case when who ignores it plans wrongly: the best plan of the case without it is, in the case
with it, not allowed or not the best.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, WorkingCalendar
from dom_core.domain.order import PICKUP_MODES, Line, LineState, Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import (
    InventoryMode,
    LocationPriorityMode,
    MaximumOrdersAcross,
    Objective,
    ObjectiveMode,
    Rates,
    Relaxation,
    RuleRecord,
)
from tests.oracle.enumeration import (
    best_first_iteration,
    best_second_iteration,
    worth_of_first_iteration,
    worth_of_second_iteration,
    wrong_rounds,
)
from tests.oracle.generation import ELSEWHERE, PLACES
from tests.oracle.meaning import Use

Without = Callable[[PlanRequest], PlanRequest]
"""The same case without a feature; the very same when it does not have it."""

Params = dict[str, Any]


def bites(request: PlanRequest, without: Without) -> bool:
    """Whether ignoring the feature leads to a wrong plan of this case."""
    ignorant = without(request)
    if ignorant == request:
        return False
    strict = _is_strict(ignorant)
    first = best_first_iteration(ignorant, strict=strict)
    second = best_second_iteration(ignorant, first.use, strict=strict)
    return _is_wrong(request, first.use, second.use)


def spares_rules(request: PlanRequest) -> bool:
    """Whether letting the fewest soft rules go makes another plan than letting all of them go."""
    if request.strategy.relaxation is not Relaxation.MINIMAL:
        return False
    strict = _is_strict(request)
    first = best_first_iteration(request, strict=strict)
    second = best_second_iteration(request, first.use, strict=strict)
    return bool(second.use) and bool(wrong_rounds(request, first.use, [second.use], strict=strict))


def _is_wrong(request: PlanRequest, first: Use, second: Use) -> bool:
    strict = _is_strict(request)
    worth = worth_of_first_iteration(request, first, strict=strict)
    if isinstance(worth, str) or best_first_iteration(request, strict=strict).amount < worth.amount:
        return True
    worth = worth_of_second_iteration(request, first, second, strict=strict)
    best = best_second_iteration(request, first, strict=strict)
    return isinstance(worth, str) or best.amount < worth.amount


def _is_strict(request: PlanRequest) -> bool:
    return request.strategy.objective_mode is ObjectiveMode.STRICT


# The parts of a request, changed one by one


def _strategy(request: PlanRequest, **changes: Any) -> PlanRequest:
    return replace(request, strategy=replace(request.strategy, **changes))


def _strategy_where(request: PlanRequest, field: str, value: Any, other: Any) -> PlanRequest:
    return _strategy(request, **{field: other}) if getattr(request.strategy, field) == value else request


def _sources(request: PlanRequest, **changes: Any) -> PlanRequest:
    return replace(request, sources=tuple(replace(source, **changes) for source in request.sources))


def _located(request: PlanRequest) -> PlanRequest:
    here = PLACES[0][0]
    return replace(request, sources=tuple(replace(s, location=s.location or here) for s in request.sources))


def _orders(request: PlanRequest, **changes: Any) -> PlanRequest:
    return replace(request, orders=tuple(replace(order, **changes) for order in request.orders))


def _lines(change: Callable[[Line], Line | None], request: PlanRequest) -> PlanRequest:
    """Other lines; None takes one out."""

    def changed(order: Order) -> Order:
        return replace(order, lines=tuple(new for line in order.lines if (new := change(line))))

    return replace(request, orders=tuple(map(changed, request.orders)))


def _rules(change: Callable[[RuleRecord], RuleRecord | None], request: PlanRequest) -> PlanRequest:
    """Other rules; None takes one out."""
    return replace(request, rules=tuple(new for rule in request.rules if (new := change(rule))))


def _rules_of(kind: str, changes: Mapping[str, Any], request: PlanRequest) -> PlanRequest:
    return _rules(lambda rule: replace(rule, **changes) if rule.kind == kind else rule, request)


def _params_of(kind: str, change: Callable[[Params], Params], request: PlanRequest) -> PlanRequest:
    def changed(rule: RuleRecord) -> RuleRecord:
        return replace(rule, params=change(dict(rule.params))) if rule.kind == kind else rule

    return _rules(changed, request)


def _entries_of(kind: str, change: Callable[[Params], Params], request: PlanRequest) -> PlanRequest:
    """Other parameter lines of the rules of a kind."""
    return _params_of(kind, lambda params: params | {"lines": [change(line) for line in params["lines"]]}, request)


def _cost_factors(request: PlanRequest, **changes: Any) -> PlanRequest:
    return replace(request, cost_factors=tuple(replace(factor, **changes) for factor in request.cost_factors))


def _cost_entries(change: Callable[[Params], Params | None], request: PlanRequest) -> PlanRequest:
    """Other parameter lines of the cost factors; None takes one out."""
    factors = (
        replace(factor, params={"lines": [new for line in factor.params["lines"] if (new := change(dict(line)))]})
        for factor in request.cost_factors
    )
    return replace(request, cost_factors=tuple(factors))


def _less(params: Params, *names: str) -> Params:
    return {name: value for name, value in params.items() if name not in names}


def _instead(params: Params, name: str, value: Any, other: Any) -> Params:
    return params | {name: other} if params.get(name) == value else params


def _without_one(name: str, params: Params) -> Params:
    return _less(params, name)


def _unless_of(kind: str, rule: RuleRecord) -> RuleRecord | None:
    return None if rule.kind == kind else rule


def _default_rate(name: str, request: PlanRequest) -> PlanRequest:
    rates: dict[str, Any] = {name: None}
    return _strategy(request, rates=replace(request.strategy.rates, **rates))


# Features

ITEMS, PLACE = ("product_id", "supplementary_category", "category"), ("source_id", "source_list_id")
SCOPED = ("minimum_inventory", "location_priority", "maximum_distance")
KINDS = (*SCOPED, "partial_orders", "offline_location", "maximum_rejects", "maximum_orders", "working_hours")
SPLIT_PARAMETERS = (
    "max_sources",
    "partial_orders",
    "partial_lines",
    "max_sources_per_line",
    "never_split_below_cents",
    "never_split_products",
    "never_split_categories",
)


def _state_of(line: Line, *states: LineState) -> Line:
    return replace(line, state=LineState.UNASSIGNED) if line.state in states else line


def _without_bands(entry: Params) -> Params:
    if "bands" not in entry:
        return entry
    return _less(entry, "bands") | {"basis": "fixed", "cents": entry["default_cents"]}


def _without_kilometres(entry: Params) -> Params:
    """What is paid per kilometre, as if it were for the whole way."""
    text = {"cents_per_km": "cents"}
    bands = [{text.get(name, name): value for name, value in band.items()} for band in entry.get("bands", ())]
    renamed = {text.get(name, name): value for name, value in entry.items()}
    fixed = renamed | ({"bands": bands} if bands else {}) | {"basis": "fixed"}
    return fixed if entry.get("basis") == "per_km" else entry


def _of_rules() -> dict[str, Without]:
    found: dict[str, Without] = {}
    for kind in KINDS:
        found[kind] = partial(_rules, partial(_unless_of, kind))
    for kind in (kind for kind in KINDS if kind != "maximum_rejects"):
        found[f"soft {kind}"] = partial(_rules_of, kind, {"hard": True})
        found[f"hard {kind}"] = partial(_rules_of, kind, {"hard": False})
    for kind in SCOPED:
        found[f"{kind} by item"] = partial(_entries_of, kind, lambda entry: _less(entry, *ITEMS))
        found[f"{kind} by place"] = partial(_entries_of, kind, lambda entry: _less(entry, *PLACE))
    for name in SPLIT_PARAMETERS:
        found[f"parameter {name}"] = partial(_params_of, "partial_orders", partial(_without_one, name))
    for basis in ("open_orders", "calendar_day", "lines_per_day"):
        other = "calendar_day" if basis == "open_orders" else "open_orders"
        change = partial(_instead, name="basis", value=basis, other=other)
        found[f"maximum_orders by {basis}"] = partial(_entries_of, "maximum_orders", change)
    for per, other in (("total", "each"), ("each", "total")):
        change = partial(_instead, name="per", value=per, other=other)
        found[f"maximum_orders per {per}"] = partial(_entries_of, "maximum_orders", change)
    ranks_alike: Without = partial(_entries_of, "location_priority", lambda entry: entry | {"priority": 1})
    no_exclusion = partial(_instead, name="mode", value="exclude_if_below", other="subtract")
    return found | {
        "rank of a location": ranks_alike,
        "exclude_if_below": partial(_params_of, "minimum_inventory", no_exclusion),
        "disabled rules": partial(_rules, lambda rule: replace(rule, enabled=True)),
        "rules with a start": partial(_rules, lambda rule: replace(rule, start_date=None)),
        "rules with an end": partial(_rules, lambda rule: replace(rule, end_date=None)),
    }


def _of_strategy() -> dict[str, Without]:
    found: dict[str, Without] = {
        "sales origins": lambda request: _strategy(request, sales_origins=()),
        "empty sales origin": lambda request: _strategy(request, process_empty_sales_origin=False),
        "modes of delivery": lambda request: _strategy(request, modes_of_delivery=()),
        "legal entities": lambda request: _strategy(request, legal_entities=()),
        "local radius": lambda request: _strategy(request, local_radius_km=0.0),
        "attempts": lambda request: _strategy(request, max_attempts=10),
        "by cost": lambda request: _strategy(request, objective=Objective.CLOSEST),
        "strict": lambda request: _strategy(request, objective_mode=ObjectiveMode.RATES),
    }
    for field in fields(Rates):
        found[f"rate of {field.name}"] = partial(_default_rate, field.name)
    for mode in InventoryMode:
        other = InventoryMode.REAL if mode is not InventoryMode.REAL else InventoryMode.INHERIT
        found[f"inventory mode {mode}"] = partial(_strategy_where, field="inventory_mode", value=mode, other=other)
    for rank in LocationPriorityMode:
        always = rank is LocationPriorityMode.ALWAYS_HARD
        instead = LocationPriorityMode.ORDINARY if always else LocationPriorityMode.ALWAYS_HARD
        found[f"location priority {rank}"] = partial(
            _strategy_where, field="location_priority_mode", value=rank, other=instead
        )
    return found


OF_PLACES: Mapping[str, Without] = {
    "inactive sources": lambda request: _sources(request, active=True),
    "sources of other entities": lambda request: _sources(request, legal_entity="default"),
    "sources without real inventory": lambda request: _sources(request, use_real_inventory=True),
    "sources without a location": _located,
    "time zones": lambda request: _sources(request, time_zone="UTC"),
    "working days": lambda request: _sources(request, calendar=WorkingCalendar()),
    "cut-off times": lambda request: _sources(request, cut_off=None),
    "loads": lambda request: replace(request, loads={}),
    "loads elsewhere": lambda request: replace(
        request, loads={id: load for id, load in request.loads.items() if id != ELSEWHERE}
    ),
}

OF_ORDERS: Mapping[str, Without] = {
    "priority classes": lambda request: _orders(request, priority_class=None),
    "holds": lambda request: _orders(request, on_hold=False),
    "cancelled orders": lambda request: _orders(request, cancelled=False),
    "orders of other entities": lambda request: _orders(request, legal_entity="default"),
    "lines that a source has": partial(_lines, lambda line: None if line.assignment else line),
    "lines assigned": partial(_lines, lambda line: _state_of(line, LineState.ASSIGNED)),
    "lines picked or shipped": partial(_lines, lambda line: _state_of(line, LineState.PICKED, LineState.SHIPPED)),
    "lines cancelled or excluded": partial(
        _lines, lambda line: _state_of(line, LineState.CANCELLED, LineState.EXCLUDED)
    ),
    "permanent exceptions": partial(_lines, lambda line: replace(line, exception=None)),
    "bars": partial(_lines, lambda line: replace(line, bars=())),
    "pickup and electronic delivery": partial(
        _lines,
        lambda line: replace(line, mode_of_delivery="standard") if line.mode_of_delivery in PICKUP_MODES else line,
    ),
    "direct delivery": partial(_lines, lambda line: replace(line, direct_delivery=False)),
    "unknown destinations": partial(_lines, lambda line: replace(line, location=line.location or PLACES[0][0])),
    "write-in lines": partial(
        _lines, lambda line: replace(line, product_id="unlisted") if line.product_id == WRITE_IN_PRODUCT_ID else line
    ),
    "several destinations": lambda request: replace(
        request,
        orders=tuple(
            replace(order, lines=tuple(replace(line, location=order.lines[0].location) for line in order.lines))
            for order in request.orders
        ),
    ),
}

OF_OTHER_STRATEGIES: Mapping[str, Without] = {
    "limits elsewhere": lambda request: replace(request, limits_elsewhere=()),
    "limits elsewhere that do not count": partial(
        _strategy_where,
        field="maximum_orders_across",
        value=MaximumOrdersAcross.OWN,
        other=MaximumOrdersAcross.HIGHEST,
    ),
    "claimants": lambda request: replace(request, claimants=()),
}

OF_COSTS: Mapping[str, Without] = {
    "shipping costs": lambda request: replace(
        request, cost_factors=tuple(factor for factor in request.cost_factors if factor.kind != "shipping")
    ),
    "handling costs": lambda request: replace(
        request, cost_factors=tuple(factor for factor in request.cost_factors if factor.kind != "handling")
    ),
    "several factors of a kind": lambda request: replace(
        request, cost_factors=tuple(factor for factor in request.cost_factors if factor.id.endswith("-1"))
    ),
    "inactive cost factors": lambda request: _cost_factors(request, active=True),
    "cost factors with a start": lambda request: _cost_factors(request, start_date=None),
    "cost factors with an end": lambda request: _cost_factors(request, end_date=None),
    "cost per order": partial(_cost_entries, lambda entry: _less(entry, "per_order_cents")),
    "cost per line": partial(_cost_entries, lambda entry: _less(entry, "per_line_cents")),
    "costs by place": partial(_cost_entries, lambda entry: _less(entry, *PLACE)),
    "costs by mode of delivery": partial(_cost_entries, lambda entry: _less(entry, "mode_of_delivery")),
    "costs by distance band": partial(_cost_entries, _without_bands),
    "costs per kilometre": partial(_cost_entries, _without_kilometres),
    "default costs": partial(
        _cost_entries, lambda entry: entry | {"default_cents": 0} if "default_cents" in entry else entry
    ),
    "several modes in one order": lambda request: replace(
        request,
        orders=tuple(
            replace(
                order,
                lines=tuple(replace(line, mode_of_delivery=order.lines[0].mode_of_delivery) for line in order.lines),
            )
            for order in request.orders
        ),
    ),
}

FEATURES: Mapping[str, Without] = {
    **_of_rules(),
    **_of_strategy(),
    **OF_PLACES,
    **OF_ORDERS,
    **OF_OTHER_STRATEGIES,
    **OF_COSTS,
}
