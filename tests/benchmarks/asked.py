"""Small requests for ways of planning, and what a way makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.answers import Served
from benchmarks.judging import Worth, judge
from benchmarks.ways import BY_KEY
from dom_core.domain.network import Source, SourceType
from dom_core.domain.request import PlanRequest
from tests.builders import OrderBuilder, a_request, a_rule, a_source

NEAR, FAR, FARTHER = (47.6, -122.3), (45.5, -122.7), (37.8, -122.4)
"""Seattle, where orders of the builders go; Portland; San Francisco."""

SPLIT = {"max_sources": 3, "partial_orders": True, "partial_lines": False, "max_sources_per_line": 1}


def a_store(id: str, at: tuple[float, float] = NEAR) -> Source:
    return replace(a_source(id, at), type=SourceType.STORE)


def asked(
    sources: Sequence[Source],
    stock: Mapping[tuple[str, str], int],
    *orders: OrderBuilder,
    split: Mapping[str, Any] = SPLIT,
) -> PlanRequest:
    builder = a_request().with_sources(*sources).with_stock(stock).with_orders(*orders)
    return builder.with_rules(a_rule("partial_orders", dict(split))).build()


def served(way: str, request: PlanRequest) -> tuple[Served, ...]:
    """What the way answers, in order, after the judge has accepted it."""
    answer = BY_KEY[way].load()(request, 20.0)
    judge(request, answer.served)
    return tuple(sorted(answer.served))


def worth(way: str, request: PlanRequest) -> Worth:
    return judge(request, BY_KEY[way].load()(request, 20.0).served)
