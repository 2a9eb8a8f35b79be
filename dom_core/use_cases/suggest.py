"""Answer how one order would be sourced now, with the stock that is free now. Nothing is written, nothing promised."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dom_core.configuration import Configuration, request_for
from dom_core.domain.network import Address, Location
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Fulfillment, HeldLine, Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import Strategy
from dom_core.domain.suggestion import SuggestedLine, Suggestion
from dom_core.errors import InvalidInput, Problem
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json
from dom_core.messages.suggestion import SuggestionRequest
from dom_core.optimizer.eligibility import takes
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.ranking import Ranking
from dom_core.repositories.configurations import Configurations
from dom_core.use_cases.catalogue import product_problems
from dom_core.use_cases.context import Ports
from dom_core.use_cases.gather_facts import facts_for
from dom_core.use_cases.measure_roads import QUICK_LIMIT_S, with_roads
from dom_core.use_cases.start_alternate import waits_for_another

SOLVE_LIMIT_S = 5.0
"""Seconds for each of the two iterations: somebody waits for the answer."""

MAX_LINES = 100
"""Lines of an order that is answered at once: each is priced at each source with all others of its order."""

_NAME = "suggestion"
"""Stands where a plan and its run have their ids."""

_WHO = "suggestion"


def suggest(ports: Ports, raw: bytes) -> Suggestion:
    """The best assignment of an order as it would be posted, and every source of each line by what it would cost.

    Raises InvalidInput with every problem: of the order, of its references and addresses, and when the strategy is
    unknown or not active, or when none or several would take the order; also for more than MAX_LINES lines. Raises
    Unavailable when an address cannot be looked up now.
    """
    asked = read_json(raw, SuggestionRequest, _NAME)
    _require_few_lines(asked.order)
    configuration, now = Configurations(ports.store).load(), ports.clock.now()
    order, problems = _located(ports, asked.order)
    problems = [*product_problems(ports.store, asked.order), *problems]
    chosen = _strategy(configuration, asked, order, now)
    if isinstance(chosen, Problem) or problems:
        in_order = [Problem(f"order.{problem.path}", problem.message) for problem in problems]
        raise InvalidInput([*in_order, *([chosen] if isinstance(chosen, Problem) else [])], _NAME)
    facts = facts_for(ports, configuration, order, _NAME, now)
    request = _in_a_hurry(request_for(configuration, chosen.id, facts))
    request = with_roads(ports, request, limit_s=QUICK_LIMIT_S, keep=False)
    return _suggestion(request, order, plan_once(request, ports.solver))


def _require_few_lines(order: IntakeOrder) -> None:
    """Nothing is looked up for an order that is too large anyway. Raises InvalidInput."""
    count = len(order.lines)
    if count > MAX_LINES:
        message = f"the order has {count} lines; at most {MAX_LINES} are answered at once: post it, and ask for a run"
        raise InvalidInput([Problem("order.lines", message)], _NAME)


def _located(ports: Ports, intake: IntakeOrder) -> tuple[Order, list[Problem]]:
    """The order with the locations of its addresses, each looked up once; a problem for each that does not exist."""
    wanted = intake.addresses_to_find()
    found: dict[Address, Location | None] = {
        address: ports.geocoder.locate(address) for address in dict.fromkeys(address for _, address in wanted)
    }
    order = intake.to_order(ports.clock.now(), _WHO)
    lines = tuple(replace(line, location=line.location or found[line.ship_to]) for line in order.lines)
    nowhere = "there is no such place; correct the address or give coordinates"
    return replace(order, lines=lines), [Problem(path, nowhere) for path, address in wanted if found[address] is None]


def _strategy(
    configuration: Configuration, asked: SuggestionRequest, order: Order, now: datetime
) -> Strategy | Problem:
    """The strategy to ask, or why there is none."""
    if asked.strategy_id is None:
        return _only_one(configuration, order, now)
    named = next((each for each in configuration.strategies if each.id == asked.strategy_id), None)
    if named is None:
        known = _names(configuration.strategies)
        return Problem("strategy_id", f"there is no strategy '{asked.strategy_id}'; known: {known}")
    if not named.enabled:
        return Problem("strategy_id", f"strategy '{named.id}' is disabled: enable it, or name another one")
    if not named.in_date(now.date()):
        message = f"strategy '{named.id}' is out of date on {now.date()}: change its dates, or name another one"
        return Problem("strategy_id", message)
    return named


def _only_one(configuration: Configuration, order: Order, now: datetime) -> Strategy | Problem:
    """The one strategy that would take lines of the order when the clock starts it."""
    active = [each for each in configuration.strategies if _is_active(configuration, each, now)]
    taking = [each for each in active if _takes_some(configuration, each, order, now)]
    if len(taking) == 1:
        return taking[0]
    if taking:
        return Problem("strategy_id", f"several strategies take lines of this order; name one of {_names(taking)}")
    if active:
        nobody = "no active strategy takes a line of this order"
        return Problem("strategy_id", f"{nobody}; to learn why, name one of {_names(active)}")
    return Problem("strategy_id", "no strategy is active: enable one that is in date and no simulation")


def _is_active(configuration: Configuration, strategy: Strategy, now: datetime) -> bool:
    return strategy.decides and strategy.in_date(now.date()) and not waits_for_another(configuration, strategy, now)


def _takes_some(configuration: Configuration, strategy: Strategy, order: Order, now: datetime) -> bool:
    """Whether the strategy takes a line of the order; a default strategy leaves what others claim."""
    others = configuration.deciding_with(strategy, now.date()) if strategy.default_strategy else ()
    claimants = [other for other in others if not other.default_strategy]
    return any(
        takes(strategy, order, line) and not any(takes(other, order, line) for other in claimants)
        for line in order.lines
    )


def _names(strategies: Sequence[Strategy]) -> str:
    return ", ".join(f"'{strategy.id}'" for strategy in strategies) or "none"


def _in_a_hurry(request: PlanRequest) -> PlanRequest:
    given = request.strategy.limits
    limits = replace(given, solve_limit_s=min(given.solve_limit_s, SOLVE_LIMIT_S))
    return replace(request, strategy=replace(request.strategy, limits=limits))


def _suggestion(request: PlanRequest, order: Order, plan: Plan) -> Suggestion:
    ranking = Ranking.of(request, plan)
    held = {each.line_id: each for each in plan.held}
    lines = (
        _held(line, held[line.id]) if line.id in held else _planned(plan, ranking, order, line) for line in order.lines
    )
    return Suggestion(
        order_id=order.id,
        strategy_id=plan.strategy_id,
        planned_at=plan.planned_at,
        lines=tuple(lines),
        iterations=plan.iterations,
        warnings=plan.warnings,
    )


def _held(line: Line, held: HeldLine) -> SuggestedLine:
    return SuggestedLine(line.id, line.product_id, line.units, 0, Fulfillment.NOT_SOURCED, held=held.reason)


def _planned(plan: Plan, ranking: Ranking, order: Order, line: Line) -> SuggestedLine:
    position = plan.position(order.id, line.id)
    assert position is not None, "a line is planned or held"  # noqa: S101 - our own mistake
    planned = plan.lines[position]
    return SuggestedLine(
        line_id=line.id,
        product_id=line.product_id,
        units=line.units,
        filled_units=planned.filled_units,
        fulfillment=planned.fulfillment,
        exception=planned.exception,
        assignments=planned.assignments,
        sources=ranking.sources(position),
    )
