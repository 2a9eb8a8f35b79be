"""Planning: runs by the clock, runs that somebody asks for, what became of them, and suggestions for one order."""

import azure.functions as func

from functions import messages, responses, wire
from functions.bootstrap import ports
from functions.shapes import Asked, PageQuery, RunAccepted

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%DOM_PLAN_SCHEDULE%", run_on_startup=False)
@messages.discreet
def plan_orders(timer: func.TimerRequest) -> None:
    """Run every strategy that is due."""
    from dom_core.use_cases.plan_batch import run_due

    run_due(ports())


@bp.route(route="strategies/{strategy_id}/run", methods=["POST"])
@responses.answered
def run_strategy(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a run now. It may take longer than an HTTP answer can wait: the answer says where to look."""
    from dom_core.use_cases.start_run import start_run

    strategy_id = wire.route_id(req, "strategy_id", "strategy")
    run = start_run(ports(), strategy_id, wire.body(req, Asked, "run request").who)
    return responses.accepted(RunAccepted(run_id=run.id, status_url=responses.status_url("runs", run.id)))


@bp.route(route="suggest", methods=["POST"])
@responses.answered
def suggest(req: func.HttpRequest) -> func.HttpResponse:
    """How one order would be sourced now, and what every other source would cost. Nothing is stored or promised."""
    from dom_core.domain.suggestion import Suggestion
    from dom_core.use_cases import suggest as suggesting

    return responses.value(suggesting.suggest(ports(), wire.json_body(req)), Suggestion)


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_RUNS_QUEUE%", connection="AzureWebJobsStorage")
@messages.discreet
@messages.keeps_bad_messages(lambda settings: settings.runs_queue)
def execute_run(msg: func.QueueMessage) -> None:
    """Do a run that was asked for. Safe to redeliver: a run that is done is not done again."""
    from dom_core.use_cases.plan_batch import plan_batch

    ticket = wire.run_ticket(msg)
    plan_batch(ports(), ticket.run_id, ticket.strategy_id)


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_PLAN_TASKS_QUEUE%", connection="AzureWebJobsStorage")
@messages.discreet
@messages.keeps_bad_messages(lambda settings: settings.plan_tasks_queue)
def perform_plan_task(msg: func.QueueMessage) -> None:
    """Do a part of a run that is made by many machines. Safe to redeliver: the same part has the same answer."""
    from dom_core.use_cases.perform_plan_task import perform_plan_task as perform

    perform(ports(), msg.get_body())


@bp.route(route="runs", methods=["GET"])
@responses.answered
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """A page of runs."""
    from dom_core.domain.run import Run
    from dom_core.use_cases import read_plan

    asked = wire.query(req, PageQuery)
    return responses.page(read_plan.list_runs(ports(), asked.limit, asked.continuation), Run)


@bp.route(route="runs/{run_id}/cancel", methods=["POST"])
@responses.answered
def cancel_run(req: func.HttpRequest) -> func.HttpResponse:
    """Stop a run that waits, or that plans: it ends within seconds, without a plan. Safe to repeat."""
    from dom_core.domain.run import Run
    from dom_core.messages.actions import Cancellation
    from dom_core.use_cases.cancel_run import cancel_run as cancel

    run_id, asked = wire.route_id(req, "run_id", "run"), wire.body(req, Cancellation, "request to stop a run")
    return responses.value(cancel(ports(), run_id, asked.who, asked.why), Run)


@bp.route(route="runs/{run_id}", methods=["GET"])
@responses.answered
def get_run(req: func.HttpRequest) -> func.HttpResponse:
    """A run: how far it is, how it ended, and its figures."""
    from dom_core.domain.run import Run
    from dom_core.use_cases import read_plan

    return responses.value(read_plan.get_run(ports(), wire.route_id(req, "run_id", "run")), Run)
