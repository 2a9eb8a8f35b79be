"""Two sources far apart, and orders to Seattle: an early one takes what a late one then misses."""

from datetime import timedelta

from tests.builders import NOW, OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order

SEATTLE, PORTLAND, NEW_YORK = (47.6062, -122.3321), (45.5152, -122.6784), (40.7128, -74.006)
NEAR = a_rule("maximum_distance", {"lines": [{"km": 500}]}, id="near")


def a_case() -> RequestBuilder:
    """WEST is 234 km from Seattle; EAST is 3,866 km from it, too far for `near`."""
    return a_request().with_sources(a_source("EAST", at=NEW_YORK), a_source("WEST", at=PORTLAND))


def early(id: str = "A") -> OrderBuilder:
    return an_order(id).shipping_to(*SEATTLE).ordered_at(NOW - timedelta(days=1))


def late(id: str = "B") -> OrderBuilder:
    return an_order(id).shipping_to(*SEATTLE)
