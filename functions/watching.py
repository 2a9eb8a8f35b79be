"""Watching: what nobody asks about is said all the same."""

import azure.functions as func

from functions import messages
from functions.bootstrap import ports

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%DOM_WATCH_SCHEDULE%", run_on_startup=False)
@messages.discreet
def watch_queues(timer: func.TimerRequest) -> None:
    """Log how long the oldest message of each queue has waited."""
    from dom_core.use_cases.watch_queues import watch_queues as watch

    watch(ports())
