"""What cost factors say, in a form that tests can compare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dom_core.costs import build
from dom_core.costs.base import CostFactor
from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch, PlaceTable
from dom_core.domain.reason import IntArray
from dom_core.errors import InvalidInput
from dom_core.rules.checking import Facts
from tests.builders import RequestBuilder, a_cost_factor


def the_cost_factor(kind: str, *lines: dict[str, Any]) -> CostFactor:
    """A cost factor built the way stored ones are."""
    return build(a_cost_factor(kind, {"lines": list(lines)}))


def problems(kind: str, *lines: dict[str, Any]) -> list[str]:
    """What is wrong with parameters, each problem with its path."""
    try:
        the_cost_factor(kind, *lines)
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]
    return []


def with_distances(request: RequestBuilder, distances_m: Sequence[Sequence[int | None]]) -> Batch:
    """The batch of a request with these distances per line and source."""
    table = [[UNKNOWN_DISTANCE_M if metres is None else metres for metres in row] for row in distances_m]
    return replace(request.batch(), metres=PlaceTable(np.arange(len(table)), np.array(table, dtype=np.int32)))


def leg_by_leg(factor: CostFactor, batch: Batch) -> list[list[int]]:
    """Every leg of a batch, priced one by one the way the audit does."""
    facts = Facts.of(batch.request)

    def cents(line: int, source: int) -> int:
        metres = int(batch.distance_m[line, source])
        distance_m = None if metres == UNKNOWN_DISTANCE_M else metres
        return factor.cost_of_leg_cents(facts, batch.sources[source].id, batch.lines[line].mode_of_delivery, distance_m)

    lines, sources = batch.shape
    return [[cents(line, source) for source in range(sources)] for line in range(lines)]


def both_ways(factor: CostFactor, batch: Batch) -> list[list[int]]:
    """The cents of every leg, on which the arrays and the audit agree."""
    table = values(factor.leg_cents(batch), batch)
    assert leg_by_leg(factor, batch) == table
    return table


def values(table: IntArray | None, batch: Batch) -> list[list[int]]:
    """A table of cents as plain numbers, once its shape and type are right."""
    assert table is not None
    assert table.shape == batch.shape
    assert table.dtype == np.int64
    return [[int(value) for value in row] for row in table]
