"""Cleaning: what is old is removed, and messages that failed too often are kept where people look."""

import azure.functions as func

from functions import messages
from functions.bootstrap import ports

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%DOM_CLEANUP_SCHEDULE%", run_on_startup=False)
@messages.discreet
def clean_up(timer: func.TimerRequest) -> None:
    """Remove old plans, runs, dead letters and distances, and free what the killed left reserved."""
    from dom_core.use_cases.clean_up import clean_up as clean

    clean(ports())


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_ORDERS_QUEUE%-poison", connection="AzureWebJobsStorage")
@messages.discreet
def keep_poisoned_order(msg: func.QueueMessage) -> None:
    """Keep an order that failed too often as a dead letter. Safe to redeliver."""
    _keep(ports().settings.orders_queue, msg)


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_RUNS_QUEUE%-poison", connection="AzureWebJobsStorage")
@messages.discreet
def keep_poisoned_run(msg: func.QueueMessage) -> None:
    """Keep the message of a run that failed too often as a dead letter. Safe to redeliver."""
    _keep(ports().settings.runs_queue, msg)


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_WEBHOOKS_QUEUE%-poison", connection="AzureWebJobsStorage")
@messages.discreet
def keep_poisoned_webhook(msg: func.QueueMessage) -> None:
    """Keep a webhook that failed too often for another reason than its receiver. Safe to redeliver."""
    _keep(ports().settings.webhooks_queue, msg)


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_PLAN_TASKS_QUEUE%-poison", connection="AzureWebJobsStorage")
@messages.discreet
def keep_poisoned_plan_task(msg: func.QueueMessage) -> None:
    """Keep a part of a run that failed too often as a dead letter; its run did without. Safe to redeliver."""
    _keep(ports().settings.plan_tasks_queue, msg)


def _keep(queue: str, message: func.QueueMessage) -> None:
    from dom_core.use_cases.dead_letters import record_poisoned

    record_poisoned(ports(), queue, message.get_body(), message.id or "")
