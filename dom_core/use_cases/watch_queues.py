"""Say how long messages have been waiting: what waits long is not being worked on."""

from dom_core.telemetry.events import QueueAge
from dom_core.use_cases.context import Ports

POISON = "-poison"
"""What the host adds to a queue's name for messages that failed too often."""


def watch_queues(ports: Ports) -> tuple[QueueAge, ...]:
    """The age of the oldest message that waits in each queue that functions are triggered by. It is told, too."""
    settings = ports.settings
    own = (settings.orders_queue, settings.runs_queue, settings.plan_tasks_queue)
    ages = tuple(_age(ports, queue) for name in own for queue in (name, name + POISON))
    for age in ages:
        ports.telemetry.tell(age)
    return ages


def _age(ports: Ports, queue: str) -> QueueAge:
    since = ports.queues.waiting_since(queue)
    age_s = 0.0 if since is None else max(0.0, (ports.clock.now() - since).total_seconds())
    return QueueAge(queue, round(age_s, 1), ports.queues.length(queue))
