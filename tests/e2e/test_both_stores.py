"""The same day of a shop on both stores, over HTTP to a real host: only settings differ, the answers are the same."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from examples.superstore.client import CallFailed, Client
from tests import azure_servers
from tests.e2e.hosting import host

SHOP: Mapping[str, list[dict[str, Any]]] = {
    "sources": [
        {"id": "seattle", "type": "warehouse", "location": {"latitude": 47.6, "longitude": -122.3}},
        {"id": "portland", "type": "store", "location": {"latitude": 45.5, "longitude": -122.7}},
    ],
    "source-lists": [{"id": "west", "source_ids": ["portland", "seattle"]}],
    "products": [{"id": "pen"}],
    "rules": [{"id": "twice", "kind": "maximum_rejects", "params": {"threshold": 2}}],
    "strategies": [{"id": "daily", "source_list_id": "west", "rule_ids": ["twice"]}],
}
ORDERS = 3


@pytest.fixture(params=["sqlite", "azure"])
def variables(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """The settings that choose the store: nothing else tells the two installations apart."""
    if request.param == "sqlite":
        yield {"DOM_STORE": "sqlite"}
        return
    endpoint, queues = (request.getfixturevalue(name) for name in ("cosmos_endpoint", "azurite_connection"))
    own = uuid4().hex
    with azure_servers.database(endpoint) as connection:
        yield {
            **azure_servers.settings(endpoint, queues),
            "DOM_COSMOS_DATABASE": connection.database,
            "DOM_ORDERS_QUEUE": f"orders-{own}",
            "DOM_RUNS_QUEUE": f"runs-{own}",
        }


def an_order(number: int) -> dict[str, Any]:
    line = {"id": "1", "product_id": "pen", "units": 2, "amount_cents": 1000}
    return {
        "id": f"O-{number}",
        "ordered_at": "2026-03-02T08:00:00Z",
        "ship_to": {"postal_code": "98101"},
        "lines": [line],
    }


def line_of(client: Client, order_id: str = "O-0") -> dict[str, Any]:
    line: dict[str, Any] = client.get(f"orders/{order_id}")["lines"][0]
    return line


def place_of(client: Client, order_id: str = "O-0") -> tuple[str, str | None, str | None]:
    """The line's state, its exception, and its source."""
    line = line_of(client, order_id)
    return line["state"], line["exception"], (line["assignment"] or {}).get("source_id")


def reject(client: Client, source_id: str) -> None:
    refusal = {"source_id": source_id, "reason_code": "damaged", "who": "clerk"}
    for _ in range(2):  # its message comes twice, and counts once
        client.post("orders/O-0/lines/1/reject", refusal)


def test_orders_are_taken_planned_rejected_planned_again_and_reset(
    tmp_path: Path, variables: Mapping[str, str]
) -> None:
    with host(tmp_path, variables) as client:
        assert {check["name"] for check in client.get("health")["checks"]} >= {"store", "queue", "solver"}
        for kind, objects in SHOP.items():
            client.put(f"config/{kind}", objects)
        client.put("stock", [{"product_id": "pen", "source_id": id, "on_hand": 9} for id in ("seattle", "portland")])

        for number in [*range(ORDERS), 0]:
            client.post("orders", an_order(number))
        wanted = {f"O-{number}" for number in range(ORDERS)}
        client.wait_for("orders", lambda page: {order["id"] for order in page["items"]} == wanted)

        run = client.run_and_wait("daily")
        assert (run["summary"]["lines"], run["summary"]["filled_lines"]) == (ORDERS, ORDERS)
        assert place_of(client) == ("assigned", None, "seattle")

        reject(client, "seattle")
        assert place_of(client) == ("exception", "rejected", None)
        client.run_and_wait("daily")
        assert place_of(client) == ("assigned", None, "portland")

        reject(client, "portland")
        assert (place_of(client), line_of(client)["rejects"]) == (("exception", "max_rejects", None), 2)
        client.run_and_wait("daily")
        assert place_of(client) == ("exception", "max_rejects", None)

        client.post("orders/O-0/lines/1/reset", {"who": "Ada", "why": "the shelf was found"})
        client.run_and_wait("daily")
        assert place_of(client) == ("assigned", None, "seattle")
        assert [cell["reserved"] for cell in client.get("stock/pen")["cells"]] == [0, 2 * ORDERS]
        require_refused(client)
    assert json.dumps(an_order(0)["ship_to"]) not in (tmp_path / "log").read_text()


def require_refused(client: Client) -> None:
    """The same order id with other content, and nonsense."""
    with pytest.raises(CallFailed, match="409"):
        client.post("orders", {**an_order(0), "customer_reference": "another"})
    with pytest.raises(CallFailed, match="422"):
        client.post("orders", {"id": "O-9", "lines": []})
