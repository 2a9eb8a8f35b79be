"""Show a plan together with the places and names that drawing it needs."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from dom_core.domain.ids import PlanId, StrategyId
from dom_core.domain.order import Order
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import Strategy
from dom_core.errors import Conflict
from dom_core.optimizer.expanding import expand
from dom_core.ports import DocumentStore
from dom_core.report.line_list import explained_positions
from dom_core.report.view import PlanView, view_of
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.use_cases.context import Ports


def view_plan(ports: Ports, plan_id: PlanId) -> PlanView:
    """The plan with the network as it is now. What was removed since is shown by its id. Raises NotFound.

    The reasons that its page shows are spelt out, unless the plan was stored without its request.
    """
    plans = Plans(ports.store)
    plan = plans.get(plan_id)
    with suppress(Conflict):
        plan = spelt_out(plan, plans.request(plan_id))
    configuration = Configurations(ports.store).load()
    products = {product.id: product for product in configuration.products}
    name = _name(plan.strategy_id, configuration.strategies)
    return view_of(plan, configuration.sources, _orders(ports.store, plan), products, name)


def spelt_out(plan: Plan, request: PlanRequest) -> Plan:
    """The plan with those reasons in full that its page shows."""
    return replace(plan, reasons=expand(request, plan, explained_positions(plan)))


def _orders(store: DocumentStore, plan: Plan) -> Iterator[Order]:
    """The orders that the plan mentions, as far as they are stored."""
    orders = Orders(store)
    for order_id in sorted({line.order_id for line in plan.lines} | {line.order_id for line in plan.held}):
        found = orders.find(order_id)
        if found:
            yield found.value


def _name(strategy_id: StrategyId, strategies: tuple[Strategy, ...]) -> str:
    return next((strategy.name for strategy in strategies if strategy.id == strategy_id), "")
