"""Plans: what runs decided, as data and as a page; and what people decide about those that wait for approval."""

import azure.functions as func

from functions import responses, wire
from functions.bootstrap import ports
from functions.shapes import LineQuery, PageQuery, PlanQuery

bp = func.Blueprint()


@bp.route(route="plans", methods=["GET"])
@responses.answered
def list_plans(req: func.HttpRequest) -> func.HttpResponse:
    """A page of plans: their headers, without lines and reasons."""
    from dom_core.domain.plan_header import PlanHeader
    from dom_core.use_cases import read_plan

    asked = wire.query(req, PageQuery)
    return responses.page(read_plan.list_plans(ports(), asked.limit, asked.continuation), PlanHeader)


@bp.route(route="plans/{plan_id}", methods=["GET"])
@responses.answered
def get_plan(req: func.HttpRequest) -> func.HttpResponse:
    """A plan with its figures; `?reasons=true` adds the verdict on every source to every line."""
    from dom_core.use_cases import read_plan
    from functions import views

    asked = wire.query(req, PlanQuery)
    read = read_plan.get_explained_plan if asked.reasons else read_plan.get_plan
    plan = read(ports(), wire.route_id(req, "plan_id", "plan"))
    return responses.value(views.plan(plan, with_reasons=asked.reasons), views.PlanDetails)


@bp.route(route="plans/{plan_id}/report", methods=["GET"])
@responses.answered
def plan_report(req: func.HttpRequest) -> func.HttpResponse:
    """A plan as one page for people: map, table, load and reasons."""
    from dom_core.report import page
    from dom_core.use_cases.view_plan import view_plan

    view = view_plan(ports(), wire.route_id(req, "plan_id", "plan"))
    return responses.report(page.render(view), page.CONTENT_SECURITY_POLICY)


@bp.route(route="plans/{plan_id}/approve", methods=["POST"])
@responses.answered
def approve_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Apply a proposed plan, as far as orders, stock and room are still as it saw them. Safe to repeat."""
    from dom_core.messages.actions import Approval
    from dom_core.use_cases.approve_plan import Approved
    from dom_core.use_cases.approve_plan import approve_plan as approve

    plan_id = wire.route_id(req, "plan_id", "plan")
    return responses.value(approve(ports(), plan_id, wire.body(req, Approval, "approval")), Approved)


@bp.route(route="plans/{plan_id}/expire", methods=["POST"])
@responses.answered
def expire_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Dismiss a proposed plan: it is never applied. Safe to repeat."""
    from dom_core.domain.plan_header import PlanHeader
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.close_plans import dismiss_plan

    plan_id = wire.route_id(req, "plan_id", "plan")
    return responses.value(dismiss_plan(ports(), plan_id, wire.body(req, Decision, "dismissal")), PlanHeader)


@bp.route(route="plans/{plan_id}/lines/{order_id}/{line_id}", methods=["GET"])
@responses.answered
def explain_plan_line(req: func.HttpRequest) -> func.HttpResponse:
    """A line with every source's reason, and what would place it; `?force=SOURCE` adds what that would change."""
    from dom_core.domain.explanation import LineExplanation
    from dom_core.use_cases.explain_line import explain_line

    asked = wire.query(req, LineQuery)
    order_id, line_id = wire.route_id(req, "order_id", "order"), wire.route_id(req, "line_id", "line")
    explained = explain_line(ports(), wire.route_id(req, "plan_id", "plan"), order_id, line_id, asked.force)
    return responses.value(explained, LineExplanation)


@bp.route(route="plans/{plan_id}/replay", methods=["POST"])
@responses.answered
def replay_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Make a plan again from its request: the same, or the first difference. Nothing is stored."""
    from dom_core.use_cases import replay_plan as replaying

    replayed = replaying.replay_plan(ports(), wire.route_id(req, "plan_id", "plan"))
    return responses.value(replayed, replaying.Replayed)
