"""Laws that every plan obeys, whatever the request. Requests come from the oracle's generator, by seed."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Source, SourceList
from dom_core.domain.order import Bar, Line, Order
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.domain.strategy import ObjectiveMode, Rates, RuleRecord
from dom_core.optimizer import audit
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.oracle.generation import PLACES, PRODUCTS, generate

requests = st.integers(0, 10**6).map(generate)
seeds = st.integers(0, 10**6)

law = settings(max_examples=30, deadline=None, derandomize=True, database=None)
"""The same examples on every machine; no deadline, because a solver process starts at its own pace."""

FIXED_RATES = Rates(unfilled_unit=160_000, shipment=40_000, priority_step=10_000, kilometre=1)
"""The default rates depend on the farthest pair, and with more stock there are more pairs."""


@law
@given(requests)
def test_the_audit_accepts_every_plan_and_every_pair_has_one_reason(request: PlanRequest) -> None:
    plan = planned(request)
    assert audit.findings(request, plan) == ()
    assert [len(row) for row in plan.reasons.codes] == [len(request.sources)] * len(plan.lines)


@law
@given(requests, seeds)
def test_more_stock_never_makes_the_first_iteration_worse(request: PlanRequest, seed: int) -> None:
    comparable = with_places(replace(request, strategy=replace(request.strategy, rates=FIXED_RATES)), Random(seed))
    assert worth_of_first(with_more_stock(comparable, Random(seed))) <= worth_of_first(comparable)


@law
@given(requests, seeds)
def test_the_order_in_which_things_are_listed_changes_nothing(request: PlanRequest, seed: int) -> None:
    assert as_bytes(planned(shuffled(request, Random(seed)))) == as_bytes(planned(request))


@law
@given(requests)
def test_names_that_sort_alike_change_no_total(request: PlanRequest) -> None:
    assert totals(planned(renamed(request, lambda id: f"x-{id}"))) == totals(planned(request))


@law
@given(requests)
def test_names_that_sort_otherwise_change_no_total_of_the_first_iteration(request: PlanRequest) -> None:
    """Between equal answers to iteration 1 the names may choose, and iteration 2 works on what that choice left."""
    assert worth_of_first(renamed(request, lambda id: f"{id[::-1]}-{id}")) == worth_of_first(request)


# Plans


def planned(request: PlanRequest) -> Plan:
    return plan_once(request, CbcSolver())


def totals(plan: Plan) -> list[int]:
    return [report.total for report in plan.iterations]


def worth_of_first(request: PlanRequest) -> tuple[int, ...]:
    """What iteration 1 minimises: its total, or in strict mode its levels."""
    report = planned(request).iterations[0]
    strict = request.strategy.objective_mode is ObjectiveMode.STRICT
    return tuple(value.amount for value in report.levels) if strict else (report.total,)


def as_bytes(plan: Plan) -> bytes:
    """The plan without what a clock measured."""
    timeless = replace(plan, seconds=0.0, iterations=tuple(replace(report, seconds=0.0) for report in plan.iterations))
    return TypeAdapter(Plan).dump_json(timeless)


# Requests


def with_places(request: PlanRequest, random: Random) -> PlanRequest:
    """Every source somewhere: an unknown distance would count as the largest, which more stock changes."""

    def somewhere(source: Source) -> Location:
        return source.location or random.choice(PLACES)[0]

    return replace(request, sources=tuple(replace(s, location=somewhere(s)) for s in request.sources))


def with_more_stock(request: PlanRequest, random: Random) -> PlanRequest:
    more = {
        (product_id, source.id): request.available.get((product_id, source.id), 0) + random.choice((0, 1, 3))
        for product_id in PRODUCTS
        for source in request.sources
    }
    return replace(request, available=more)


def shuffled(request: PlanRequest, random: Random) -> PlanRequest:
    def mixed(values: Any) -> Any:
        return random.sample(list(values), len(values))

    return replace(
        request,
        sources=tuple(mixed(request.sources)),
        source_lists=tuple(
            replace(found, source_ids=tuple(mixed(found.source_ids))) for found in mixed(request.source_lists)
        ),
        products=dict(mixed(request.products.items())),
        rules=tuple(mixed(request.rules)),
        orders=tuple(replace(order, lines=tuple(mixed(order.lines))) for order in mixed(request.orders)),
        available=dict(mixed(request.available.items())),
        loads=dict(mixed(request.loads.items())),
    )


Rename = Callable[[str], str]


def renamed(request: PlanRequest, name: Rename) -> PlanRequest:
    """The same request with other ids for sources, lists, products, orders and lines. The write-in product stays."""

    def product_name(id: str) -> str:
        return id if id == WRITE_IN_PRODUCT_ID else name(id)

    return replace(
        request,
        sources=tuple(replace(source, id=name(source.id)) for source in request.sources),
        source_lists=tuple(
            SourceList(name(found.id), tuple(map(name, found.source_ids))) for found in request.source_lists
        ),
        products={
            name(product.id): replace(
                product, id=name(product.id), parent_id=name(product.parent_id) if product.parent_id else None
            )
            for product in request.products.values()
        },
        rules=tuple(_renamed_rule(rule, name) for rule in request.rules),
        orders=tuple(_renamed_order(order, name, product_name) for order in request.orders),
        available={(name(product), name(source)): units for (product, source), units in request.available.items()},
        loads={name(source): _renamed_load(load, name) for source, load in request.loads.items()},
    )


def _renamed_order(order: Order, name: Rename, product_name: Rename) -> Order:
    def line_of(line: Line) -> Line:
        bars = tuple(Bar(name(bar.source_id), bar.until) for bar in line.bars)
        return replace(line, id=name(line.id), product_id=product_name(line.product_id), bars=bars)

    return replace(order, id=name(order.id), lines=tuple(map(line_of, order.lines)))


def _renamed_load(load: SourceLoad, name: Rename) -> SourceLoad:
    return replace(
        load,
        open_order_ids=frozenset(map(name, load.open_order_ids)),
        order_ids_today=frozenset(map(name, load.order_ids_today)),
    )


def _renamed_rule(rule: RuleRecord, name: Rename) -> RuleRecord:
    """Other ids wherever the parameters name one."""
    named = {"source_id", "source_list_id", "product_id"}

    def entry_of(entry: dict[str, Any]) -> dict[str, Any]:
        return {field: name(value) if field in named else value for field, value in entry.items()}

    params = dict(rule.params)
    for field in params.keys() & {"lines", "places"}:
        params[field] = [entry_of(entry) for entry in params[field]]
    if "never_split_products" in params:
        params["never_split_products"] = [name(id) for id in params["never_split_products"]]
    return replace(rule, params=params)
