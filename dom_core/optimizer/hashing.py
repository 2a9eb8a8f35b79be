"""Fingerprints of what a run decided on: the configuration, and the whole input.

They are made of what decides, so that a plan's stored request, which has nothing personal, has the same ones.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from dom_core.domain.order import Order
from dom_core.domain.request import PlanRequest
from dom_core.watch import UNWATCHED, Watch


class Hashes(NamedTuple):
    """Of the strategy and all that it links; of the request: that, the orders, the stock, the loads and the time."""

    configuration: str
    request: str


def hashes(request: PlanRequest, watch: Watch = UNWATCHED) -> Hashes:
    """The fingerprints of a request. Raises Cancelled soon after the watch asks to stop."""
    configuration = _configuration(request, watch)
    return Hashes(_hash(configuration, watch), _hash({**configuration, **_facts(request, watch)}, watch))


def _hash(value: dict[str, object], watch: Watch) -> str:
    """SHA-256 of canonical JSON. The order in which things are listed means nothing, so it does not count.

    The orders alone may be hundreds of megabytes of text, so the whole of it is never put together.
    """
    digest = hashlib.sha256()
    for number, (key, part) in enumerate(sorted(value.items())):
        digest.update(f"{',' if number else '{'}{_TEXT(key)}:".encode())
        text = _canonical(part)
        for start in range(0, len(text), _SOME_CHARACTERS):
            watch.go_on()
            digest.update(text[start : start + _SOME_CHARACTERS].encode())
    digest.update(b"}")
    return digest.hexdigest()


class _Written(str):
    """Canonical JSON already."""


def _canonical(value: object) -> str:
    """Canonical JSON of plain data. A batch has millions of values, so the frequent kinds are told apart first."""
    if type(value) is str:
        return _TEXT(value)
    if type(value) is int:
        return repr(value)
    if type(value) is dict:
        return "{" + ",".join([f"{_TEXT(key)}:{_canonical(value[key])}" for key in sorted(value)]) + "}"
    if type(value) is _Written:
        return value
    if type(value) is list:
        return "[" + ",".join(sorted([_canonical(item) for item in value])) + "]"
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and isfinite(value):
        return repr(value)
    return json.dumps(value)


_TEXT: Callable[[str], str] = json.encoder.encode_basestring_ascii


_PLAIN: TypeAdapter[object] = TypeAdapter(object)
_ORDERS = TypeAdapter(list[Order])
_SOME = 1000
_SOME_CHARACTERS = 1 << 24
_PERSONAL: dict[str, Any] = {
    "__all__": {"customer_reference": True, "content_hash": True, "history": True, "lines": {"__all__": {"ship_to"}}}
}
"""What decides nothing, and is not in the request that a plan keeps."""


def _plain(value: object) -> object:
    return _PLAIN.dump_python(value, mode="json")


def _configuration(request: PlanRequest, watch: Watch) -> dict[str, object]:
    products = sorted(request.products.values(), key=lambda product: product.id)
    parts: dict[str, object] = {
        "strategy": _plain(request.strategy),
        "sources": _plain(sorted(request.sources, key=lambda source: source.id)),
        "source_lists": _plain(sorted(request.source_lists, key=lambda source_list: source_list.id)),
        "products": _list_of(_PLAIN, products, watch),
        "rules": _plain(sorted(request.rules, key=lambda rule: rule.id)),
        "cost_factors": _plain(sorted(request.cost_factors, key=lambda factor: factor.id)),
        "limits_elsewhere": _plain(request.limits_elsewhere),
        "claimants": _plain(request.claimants),
    }
    return {name: _Written(_canonical(part)) for name, part in parts.items()}


def _list_of(kind: TypeAdapter[Any], items: Sequence[object], watch: Watch, exclude: Any = None) -> _Written:
    """A list, some of it at a time: as plain data all orders would fill more memory than anything else of a run."""
    some = (list(items[start : start + _SOME]) for start in range(0, len(items), _SOME))
    plain = (one for each in some for one in kind.dump_python(each, mode="json", exclude=exclude))
    return _Written("[" + ",".join(sorted(map(_canonical, watch.each(plain)))) + "]")


def _facts(request: PlanRequest, watch: Watch) -> dict[str, object]:
    return {
        "now": request.now.isoformat(),
        "orders": _list_of(_ORDERS, request.orders, watch, exclude=_PERSONAL),
        "available": _available(request, watch),
        "loads": {
            source: [sorted(load.open_order_ids), sorted(load.order_ids_today), load.lines_today]
            for source, load in sorted(request.loads.items())
        },
        **_roads(request),
    }


def _available(request: PlanRequest, watch: Watch) -> _Written:
    units = {f"{product} {source}": units for (product, source), units in watch.each(request.available.items())}
    return _Written("{" + ",".join([f"{_TEXT(cell)}:{units[cell]}" for cell in watch.each(sorted(units))]) + "}")


def _roads(request: PlanRequest) -> dict[str, object]:
    """Rows mean what they mean by their order, so each is one text."""
    roads = request.roads
    if roads is None:
        return {}
    rows = {f"{place[0]} {place[1]}": row.hex() for place, row in zip(roads.places, roads.rows, strict=True)}
    named = {"engine": roads.engine, "circuity": roads.circuity_percent, "fault": roads.fault}
    return {"roads": {**named, "sources": "\n".join(roads.source_ids), "rows": rows}}
