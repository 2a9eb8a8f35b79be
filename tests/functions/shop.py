"""A small shop: its configuration, its orders, and a host that empties its queues."""

from typing import Any

from dom_core.use_cases.context import Ports
from tests.functions.app import message

SHOP: dict[str, list[dict[str, Any]]] = {
    "products": [{"id": "SKU-1"}, {"id": "SKU-2"}],
    "sources": [
        {"id": "seattle", "type": "warehouse", "location": {"latitude": 47.6, "longitude": -122.3}},
        {
            "id": "portland",
            "type": "store",
            "location": {"latitude": 45.5, "longitude": -122.7},
            "manual_accept": True,
        },
    ],
    "source-lists": [{"id": "west", "source_ids": ["portland", "seattle"]}],
    "rules": [{"id": "near", "kind": "maximum_distance", "params": {"lines": [{"km": 500}]}}],
    "cost-factors": [],
    "strategies": [{"id": "daily", "source_list_id": "west", "rule_ids": ["near"]}],
}
"""A shop with two sources near Seattle."""


def an_intake(id: str = "O1", **fields: Any) -> dict[str, Any]:
    """An order of two units to a ZIP code in Seattle, as a storefront posts it."""
    return {
        "id": id,
        "ordered_at": "2026-03-02T08:00:00Z",
        "ship_to": {"postal_code": "98101"},
        "lines": [{"id": "1", "product_id": "SKU-1", "units": 2}],
    } | fields


def deliver(ports: Ports, queue: str, function: str) -> int:
    """Let a function take every message of a queue, as the host does; how many there were."""
    count = 0
    while received := ports.queues.receive(queue):
        message(function, received[0].body, received[0].id)
        ports.queues.delete(queue, received[0])
        count += 1
    return count
