"""Laws that every plan obeys, whatever the request. Requests come from the oracle's generator, by seed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Source, SourceList, SourceType
from dom_core.domain.order import Bar, Line, Order
from dom_core.domain.plan import Plan
from dom_core.domain.request import LimitsElsewhere, PlanRequest, SourceLoad
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
    comparable = with_places(with_fixed_rates(request), Random(seed))
    assert worth_of_first(with_more_stock(comparable, Random(seed))) <= worth_of_first(comparable)


@law
@given(requests, seeds)
def test_one_more_source_never_makes_the_first_iteration_worse(request: PlanRequest, seed: int) -> None:
    random = Random(seed)
    comparable = with_places(with_fixed_rates(request), random)
    assert worth_of_first(with_one_more_source(comparable, random)) <= worth_of_first(comparable)


@law
@given(requests, seeds)
def test_one_rule_less_never_makes_the_first_iteration_worse(request: PlanRequest, seed: int) -> None:
    comparable = with_places(with_fixed_rates(request), Random(seed))
    worth = worth_of_first(comparable)
    for fewer in with_one_rule_less(comparable):
        assert worth_of_first(fewer) <= worth


@law
@given(requests, seeds)
def test_in_strict_mode_more_to_choose_from_never_fills_less(request: PlanRequest, seed: int) -> None:
    """Whatever a unit is worth: unfilled units are the first level, and nothing below it counts against them."""
    random = Random(seed)
    strict = replace(request, strategy=replace(request.strategy, objective_mode=ObjectiveMode.STRICT))
    more = [with_more_stock(strict, random), with_one_more_source(strict, random), *with_one_rule_less(strict)]
    unfilled = worth_of_first(strict)[0]
    for easier in more:
        assert worth_of_first(easier)[0] <= unfilled


@law
@given(requests)
def test_iteration_two_never_unfills(request: PlanRequest) -> None:
    plan = planned(request)
    missing = [report.levels[0].amount for report in plan.iterations]
    assert missing[1] <= missing[0]
    for before, after in zip(plan.up_to_iteration(1).lines, plan.lines, strict=True):
        assert before.filled_units <= after.filled_units <= after.units
        assert set(before.assignments) <= set(after.assignments)


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


def with_fixed_rates(request: PlanRequest) -> PlanRequest:
    return replace(request, strategy=replace(request.strategy, rates=FIXED_RATES))


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


def with_one_more_source(request: PlanRequest, random: Random) -> PlanRequest:
    """A source with some of everything, on no list and without earlier orders."""
    location, zone = random.choice(PLACES)
    source = Source("S0", SourceType.STORE, location=location, time_zone=zone)
    stock = {(product_id, source.id): random.randint(0, 3) for product_id in PRODUCTS}
    return replace(request, sources=(*request.sources, source), available={**request.available, **stock})


def with_one_rule_less(request: PlanRequest) -> Iterator[PlanRequest]:
    """The request without each of its rules in turn.

    Without a partial-orders rule lines must be filled in full, so such a rule is not taken away but made to allow
    everything. A maximum-rejects rule stays: without it a run takes more lines, which is another question.
    """
    for position, rule in enumerate(request.rules):
        others = (*request.rules[:position], *request.rules[position + 1 :])
        if rule.kind == "partial_orders":
            yield replace(request, rules=(*others, replace(rule, params={"partial_lines": True})))
        elif rule.kind != "maximum_rejects":
            yield replace(request, rules=others)


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
        cost_factors=tuple(mixed(request.cost_factors)),
        limits_elsewhere=tuple(
            replace(limits, rules=tuple(mixed(limits.rules))) for limits in mixed(request.limits_elsewhere)
        ),
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
        cost_factors=tuple(
            replace(factor, id=name(factor.id), params={"lines": _renamed_entries(factor.params["lines"], name)})
            for factor in request.cost_factors
        ),
        limits_elsewhere=tuple(
            LimitsElsewhere(
                name(limits.strategy_id),
                frozenset(map(name, limits.source_ids)),
                tuple(_renamed_rule(rule, name) for rule in limits.rules),
            )
            for limits in request.limits_elsewhere
        ),
    )


def _renamed_order(order: Order, name: Rename, product_name: Rename) -> Order:
    def line_of(line: Line) -> Line:
        bars = tuple(Bar(name(bar.source_id), bar.until) for bar in line.bars)
        held = line.assignment and replace(line.assignment, source_id=name(line.assignment.source_id))
        product_id = product_name(line.product_id)
        return replace(line, id=name(line.id), product_id=product_id, bars=bars, assignment=held)

    return replace(order, id=name(order.id), lines=tuple(map(line_of, order.lines)))


def _renamed_load(load: SourceLoad, name: Rename) -> SourceLoad:
    return replace(
        load,
        open_order_ids=frozenset(map(name, load.open_order_ids)),
        order_ids_today=frozenset(map(name, load.order_ids_today)),
    )


def _renamed_rule(rule: RuleRecord, name: Rename) -> RuleRecord:
    """Other ids wherever the parameters name one."""
    params = dict(rule.params)
    for field in params.keys() & {"lines", "places"}:
        params[field] = _renamed_entries(params[field], name)
    if "never_split_products" in params:
        params["never_split_products"] = [name(id) for id in params["never_split_products"]]
    return replace(rule, id=name(rule.id), params=params)


def _renamed_entries(entries: Sequence[Mapping[str, Any]], name: Rename) -> list[dict[str, Any]]:
    named = {"source_id", "source_list_id", "product_id"}
    return [{field: name(value) if field in named else value for field, value in entry.items()} for entry in entries]
