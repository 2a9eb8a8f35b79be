"""What happens to queue messages and timer calls that fail.

A retryable failure goes back to the host, which delivers the message again. A message that can never work is kept as
a dead letter and acknowledged. Neither leaves its content in a log.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import azure.functions as func

from dom_core.errors import DomError, InvalidInput
from dom_core.settings import Settings
from functions import accounting, responses
from functions.bootstrap import ports

P = ParamSpec("P")


class Failed(Exception):
    """A function failed as nobody expected; the log has the incident."""


def discreet(handler: Callable[P, None]) -> Callable[P, None]:
    """Let the host see that the handler failed, but not what it was working on.

    The host logs an exception with all its causes, and those of a validation quote the message.
    """

    @wraps(handler)
    def handle(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with accounting.charged(handler.__name__):
                handler(*args, **kwargs)
        except DomError as error:
            raise error from None
        except Exception as error:
            raise Failed(f"incident {responses.incident(error, handler.__name__)}") from None

    return handle


def keeps_bad_messages(
    queue: Callable[[Settings], str],
) -> Callable[[Callable[[func.QueueMessage], None]], Callable[[func.QueueMessage], None]]:
    """Turn a message of this queue that is not valid into a dead letter, and acknowledge it."""

    def decorate(handler: Callable[[func.QueueMessage], None]) -> Callable[[func.QueueMessage], None]:
        @wraps(handler)
        def handle(msg: func.QueueMessage) -> None:
            try:
                handler(msg)
            except InvalidInput as error:
                _keep(queue(ports().settings), msg, error)

        return handle

    return decorate


def _keep(queue: str, message: func.QueueMessage, error: InvalidInput) -> None:
    from dom_core.use_cases import dead_letters

    dead_letters.record(ports(), queue, message.get_body(), error.problems, message.id or "")
