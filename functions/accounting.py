"""What a function asks of the store is charged to it; what it does to an order is a step on the order's way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import azure.functions as func

from dom_core.charges import charged_to
from functions.bootstrap import ports


@contextmanager
def charged(function: str) -> Iterator[None]:
    """Charge the block's requests to this function, and tell of them at the end; nothing where the store is free."""
    with charged_to(function) as account:
        try:
            yield
        finally:
            if account.requests:
                _tell(function, account.requests, account.request_units)


def step(function: str, request: func.HttpRequest) -> AbstractContextManager[None]:
    """A request that changes an order, or something of it, is a step on that order's way."""
    order_id = request.route_params.get("order_id")
    if request.method == "GET" or order_id is None:
        return nullcontext()
    from dom_core.telemetry.ways import order_way

    return ports().telemetry.step(function, order_way(order_id))


def _tell(function: str, requests: int, request_units: float) -> None:
    from dom_core.telemetry.events import WorkCharged

    ports().telemetry.tell(WorkCharged(function, requests, round(request_units, 2)))
