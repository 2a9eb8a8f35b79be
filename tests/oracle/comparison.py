"""A plan against the oracle's answer, and a case as people can read it."""

from collections import Counter
from collections.abc import Iterator

from dom_core.domain.order import Line, Order
from dom_core.domain.plan import IterationReport, Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, Relaxation
from tests.oracle.enumeration import (
    Best,
    best_first_iteration,
    best_second_iteration,
    cents_charged,
    worth_of_first_iteration,
    worth_of_second_iteration,
    wrong_rounds,
)
from tests.oracle.meaning import LineKey, Use, of_iteration

BOUND_TOLERANCE = 1e-6
"""Of the total: what floating point may add to a bound."""


def disagreements(request: PlanRequest, plan: Plan) -> list[str]:
    """What the oracle says against this plan; nothing when it is the best there is."""
    strict = request.strategy.objective_mode is ObjectiveMode.STRICT
    first, second = _use(plan, 1), _use(plan, 2)
    largest_km = of_iteration(request, 1).largest_distance_km
    if plan.largest_distance_km != largest_km:
        return [f"largest distance: the plan says {plan.largest_distance_km} km, the oracle {largest_km} km"]
    minimal = request.strategy.relaxation is Relaxation.MINIMAL
    return [
        *_wrong_items(request, plan),
        *_of_iteration(
            plan.iterations[0],
            worth_of_first_iteration(request, first, strict=strict),
            best_first_iteration(request, strict=strict),
            strict,
        ),
        *_of_iteration(
            plan.iterations[1],
            worth_of_second_iteration(request, first, second, strict=strict),
            best_second_iteration(request, first, strict=strict),
            strict,
            sparing=minimal,
        ),
        *(wrong_rounds(request, first, _rounds(plan), strict=strict) if minimal else ()),
    ]


def _use(plan: Plan, iteration: int, round: int | None = None) -> Use:
    use = Counter[tuple[LineKey, str]]()
    for line in plan.lines:
        for assignment in line.assignments:
            if assignment.iteration == iteration and round in (None, assignment.round):
                use[(line.order_id, line.line_id), assignment.source_id] += assignment.units
    return dict(use)


def _rounds(plan: Plan) -> list[Use]:
    """What each round of iteration 2 assigns."""
    made = [a.round for line in plan.lines for a in line.assignments if a.iteration == 2]
    return [_use(plan, 2, number) for number in range(1, max(made, default=0) + 1)]


def _wrong_items(request: PlanRequest, plan: Plan) -> Iterator[str]:
    """What assignments are told to cost must be what is charged, per order, source and cost factor, to the cent."""
    told = Counter[tuple[object, ...]]()
    for line in plan.lines:
        for assignment in line.assignments:
            for item in assignment.costs:
                told[line.order_id, assignment.source_id, item.factor_id] += item.cents
                if item.cents < 0:
                    yield f"order {line.order_id} line {line.line_id} is told to pay {item.cents} cents"
    charged = Counter[tuple[object, ...]]()
    meaning, use = of_iteration(request, 2), {**_use(plan, 1), **_use(plan, 2)}
    for order, lines in meaning.orders:
        for charge, cents in cents_charged(meaning, order, lines, use).items():
            charged[charge[:3]] += cents
    for payer in sorted(told.keys() | charged.keys(), key=repr):
        if told[payer] != charged[payer]:
            yield f"{payer} is told to pay {told[payer]} cents, is charged {charged[payer]}"


def _of_iteration(
    report: IterationReport, worth: Best | str, best: Best, strict: bool, *, sparing: bool = False
) -> Iterator[str]:
    """With `sparing` a plan may be dearer than the best, which then is its bound all the same."""
    name = f"iteration {report.number}"
    if isinstance(worth, str):
        yield f"{name} is not allowed: {worth}"
        return
    levels = tuple(value.amount for value in report.levels)
    if levels != worth.levels or report.total != worth.total:
        yield f"{name} reports {levels} = {report.total}, but is worth {worth.levels} = {worth.total}"
    if best.amount < worth.amount and not sparing:
        yield f"{name} is worth {worth.levels} = {worth.total}; {best.levels} = {best.total} is possible: {best.use}"
    tolerance = BOUND_TOLERANCE * max(1, best.total)
    if not strict and not best.total - tolerance <= report.bound <= best.total + tolerance:
        yield f"{name} proves a bound of {report.bound}; the best is {best.total}"


def describe(request: PlanRequest) -> str:
    """The case in a page, without what is as always."""
    lines = [f"now {request.now.isoformat()}; {_without_defaults(request.strategy)}"]
    lines += [f"  {_without_defaults(source)}" for source in request.sources]
    lines += [f"  list {found.id}: {', '.join(found.source_ids)}" for found in request.source_lists]
    lines += [f"  {_without_defaults(record)}" for record in request.rules]
    lines += [f"  elsewhere {_without_defaults(limits)}" for limits in request.limits_elsewhere]
    lines += [f"  claimant {_without_defaults(claimant)}" for claimant in request.claimants]
    lines += [f"  {_without_defaults(factor)}" for factor in request.cost_factors]
    lines += [f"  load {source_id}: {_without_defaults(load)}" for source_id, load in request.loads.items()]
    lines += [f"  stock {dict(request.available)}"]
    for order in request.orders:
        lines += [f"  {_order(order)}", *(f"    {_line(line)}" for line in order.lines)]
    return "\n".join(lines)


def describe_plan(plan: Plan) -> str:
    """What the plan does with each line."""
    return "\n".join(
        f"  {line.order_id}/{line.line_id} {line.units} {line.product_id}: "
        + (", ".join(f"{a.units} from {a.source_id} (iteration {a.iteration})" for a in line.assignments) or "nothing")
        for line in plan.lines
    )


def _order(order: Order) -> str:
    return _without_defaults(order, leave_out=("lines", "history", "revision", "content_hash", "version"))


def _line(line: Line) -> str:
    return _without_defaults(line, leave_out=("ship_to",))


def _without_defaults(value: object, leave_out: tuple[str, ...] = ()) -> str:
    fields = type(value).__dataclass_fields__  # type: ignore[attr-defined]  # every domain value is a dataclass
    told = (
        f"{name}={getattr(value, name)!r}"
        for name, field in fields.items()
        if name not in leave_out and getattr(value, name) != field.default
    )
    return f"{type(value).__name__}({', '.join(told)})"
