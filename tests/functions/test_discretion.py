"""What customers sent us never reaches a log, whatever goes wrong."""

import json
import logging
from dataclasses import replace
from traceback import format_exception
from typing import Any

import pytest

from dom_core.errors import Unavailable
from dom_core.use_cases.context import Ports
from functions import bootstrap
from functions.messages import Failed, discreet
from tests.functions.app import JSON, call, message
from tests.functions.shop import an_intake

PRIVATE = "Wisteria Lane 4352"
ORDER = an_intake(ship_to={"postal_code": "98101", "street": PRIVATE})


class TalkativeStore:
    """A store that quotes what it was working on when it fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError(f"cannot {name} for {PRIVATE}: {args} {kwargs}")

        return fail


BODIES: dict[str, tuple[str, str, Any]] = {
    "order": ("POST", "orders", ORDER),
    "order that is invalid": ("POST", "orders", ORDER | {"lines": PRIVATE}),
    "suggestion": ("POST", "suggest", {"order": ORDER}),
    "suggestion that is invalid": ("POST", "suggest", {"order": ORDER, "strategy_id": PRIVATE}),
    "rejection": ("POST", "orders/O1/lines/1/reject", {"source_id": "s", "reason_code": PRIVATE, "who": PRIVATE}),
    "acceptance": ("POST", "orders/O1/lines/1/accept", {"source_id": "s", "who": PRIVATE}),
    "line reset": ("POST", "orders/O1/lines/1/reset", {"who": PRIVATE, "why": PRIVATE}),
    "order reset": ("POST", "orders/O1/reset", {"who": PRIVATE, "why": PRIVATE}),
    "run": ("POST", "strategies/daily/run", {"who": PRIVATE}),
    "replay": ("POST", "deadletters/2026-03-02/x/replay", {"who": PRIVATE}),
    "object": ("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": PRIVATE}),
    "objects": ("PUT", "config/products", [{"id": "SKU-1", "name": PRIVATE}]),
    "stock": ("PUT", "stock/SKU-1/seattle", {"on_hand": PRIVATE}),
    "stocks": ("PUT", "stock", [{"product_id": PRIVATE}]),
}


@pytest.mark.parametrize("broken", [False, True], ids=["working", "broken"])
@pytest.mark.parametrize("name", BODIES)
def test_no_body_reaches_the_log(name: str, broken: bool, shop: Ports, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    if broken:
        bootstrap.use(replace(shop, store=TalkativeStore()))
    method, path, content = BODIES[name]
    call(method, path, content, headers={**JSON, "x-customer": PRIVATE})
    assert PRIVATE not in caplog.text


@pytest.mark.parametrize("content", [ORDER, ORDER | {"lines": PRIVATE}], ids=["valid", "invalid"])
def test_a_failing_message_tells_the_host_nothing_about_itself(
    content: Any, shop: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bootstrap.use(replace(shop, store=TalkativeStore()))
    with pytest.raises(Failed) as failure:
        message("collect_order", json.dumps(content).encode())
    assert "incident" in caplog.text
    assert PRIVATE not in caplog.text + logged(failure.value)


def test_a_known_error_loses_its_causes_on_the_way_to_the_host() -> None:
    @discreet
    def handler() -> None:
        try:
            int(PRIVATE)
        except ValueError as error:
            raise Unavailable("the geocoder does not answer") from error

    with pytest.raises(Unavailable) as failure:
        handler()
    assert PRIVATE not in logged(failure.value)


def logged(error: BaseException) -> str:
    """What a host writes into its log about an error: the traceback with all causes."""
    return "".join(format_exception(error))
