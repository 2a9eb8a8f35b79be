"""Fingerprints of what a run decided on: the configuration, and the whole input.

They are made of what decides, so that a plan's stored request, which has nothing personal, has the same ones.
"""

import hashlib
import json
from collections.abc import Mapping

from pydantic import TypeAdapter

from dom_core.domain.request import PlanRequest


def configuration_hash(request: PlanRequest) -> str:
    """The fingerprint of the strategy and of all that it links."""
    return _hash(_configuration(request))


def input_hash(request: PlanRequest) -> str:
    """The fingerprint of the configuration, the orders, the stock, the loads and the time."""
    return _hash({**_configuration(request), **_facts(request.without_personal_data())})


def _hash(value: Mapping[str, object]) -> str:
    """SHA-256 of canonical JSON. The order in which things are listed means nothing, so it does not count."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(sorted(map(_canonical, value))) + "]"
    return json.dumps(value)


_PLAIN: TypeAdapter[object] = TypeAdapter(object)


def _plain(value: object) -> object:
    return _PLAIN.dump_python(value, mode="json")


def _configuration(request: PlanRequest) -> dict[str, object]:
    return {
        "strategy": _plain(request.strategy),
        "sources": _plain(sorted(request.sources, key=lambda source: source.id)),
        "source_lists": _plain(sorted(request.source_lists, key=lambda source_list: source_list.id)),
        "products": _plain(sorted(request.products.values(), key=lambda product: product.id)),
        "rules": _plain(sorted(request.rules, key=lambda rule: rule.id)),
        "cost_factors": _plain(sorted(request.cost_factors, key=lambda factor: factor.id)),
        "limits_elsewhere": _plain(request.limits_elsewhere),
        "claimants": _plain(request.claimants),
    }


def _facts(request: PlanRequest) -> dict[str, object]:
    return {
        "now": request.now.isoformat(),
        "orders": _plain(sorted(request.orders, key=lambda order: order.id)),
        "available": {f"{product} {source}": units for (product, source), units in request.available.items()},
        "loads": {
            source: [sorted(load.open_order_ids), sorted(load.order_ids_today), load.lines_today]
            for source, load in sorted(request.loads.items())
        },
        **_roads(request),
    }


def _roads(request: PlanRequest) -> dict[str, object]:
    """Rows mean what they mean by their order, so each is one text."""
    roads = request.roads
    if roads is None:
        return {}
    rows = {f"{place[0]} {place[1]}": row.hex() for place, row in zip(roads.places, roads.rows, strict=True)}
    named = {"engine": roads.engine, "circuity": roads.circuity_percent, "fault": roads.fault}
    return {"roads": {**named, "sources": "\n".join(roads.source_ids), "rows": rows}}
