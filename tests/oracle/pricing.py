"""What cost factors charge: read from docs/cost-factors.md, without the code of the cost factors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dom_core.domain.network import Source
from dom_core.domain.order import Line
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import CostFactorRecord, Objective
from tests.oracle.distance import distance_m
from tests.oracle.scopes import place_rank

Charge = tuple[object, ...]
"""What is paid once: order id, source id, cost factor id, and which leg, shipment or part of theirs it is."""


@dataclass(frozen=True)
class Tariff:
    """The cost factors in force."""

    request: PlanRequest
    factors: tuple[CostFactorRecord, ...]

    def charges(self, order_id: str, lines: Iterable[Line], source: Source) -> dict[Charge, int]:
        """Cents of everything that is paid when these lines of an order come from the source, each thing once."""
        cents: dict[Charge, int] = {}
        for line in lines:
            for factor in self.factors:
                here = (order_id, source.id, factor.id)
                if factor.kind == "shipping":
                    leg = ("leg", line.location, line.mode_of_delivery)
                    cents[*here, *leg] = self._leg(factor, line, source)
                else:
                    cents[*here, "shipment"] = self._handling(factor, "per_order_cents", source)
                    cents[*here, "part", line.id] = self._handling(factor, "per_line_cents", source)
        return cents

    def _handling(self, factor: CostFactorRecord, amount: str, source: Source) -> int:
        """The most specific of the lines that give this amount; between equals the dearer."""
        ranked = [
            (rank, entry[amount])
            for entry in factor.params["lines"]
            if amount in entry and (rank := place_rank(self.request, entry, source)) is not None
        ]
        return max(ranked, default=(0, 0))[1]

    def _leg(self, factor: CostFactorRecord, line: Line, source: Source) -> int:
        """The most specific line, mode of delivery first; between equals the dearer for this leg."""
        metres = distance_m(line.location, source.location)
        ranked = [
            ("mode_of_delivery" in entry, rank, _cents_of_leg(entry, metres))
            for entry in factor.params["lines"]
            if entry.get("mode_of_delivery", line.mode_of_delivery) == line.mode_of_delivery
            and (rank := place_rank(self.request, entry, source)) is not None
        ]
        return max(ranked, default=(False, 0, 0))[2]


def tariff_of(request: PlanRequest) -> Tariff | None:
    """What counts when plans are compared by cost: the active cost factors of today, in UTC. None without any."""
    today = request.now.astimezone(UTC).date()
    in_force = tuple(
        factor
        for factor in request.cost_factors
        if factor.active and (factor.start_date or today) <= today <= (factor.end_date or today)
    )
    by_cost = request.strategy.objective is Objective.COST and in_force
    return Tariff(request, in_force) if by_cost else None


def _cents_of_leg(entry: Mapping[str, Any], metres: int | None) -> int:
    rate = entry
    if "bands" in entry:
        band = _band(entry["bands"], metres)
        if band is None:
            return int(entry["default_cents"])
        rate = band
    if entry["basis"] == "fixed":
        return int(rate["cents"])
    if metres is None:
        return int(entry["default_cents"])
    exact = Decimal(str(rate["cents_per_km"])) * metres / 1000
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _band(bands: Sequence[Mapping[str, Any]], metres: int | None) -> Mapping[str, Any] | None:
    """The band in which a distance lies: from its beginning up to, and without, its end."""
    if metres is None:
        return None
    return next(
        (
            band
            for band in bands
            if Decimal(str(band["from_km"])) * 1000 <= metres
            and (band.get("to_km") is None or metres < Decimal(str(band["to_km"])) * 1000)
        ),
        None,
    )
