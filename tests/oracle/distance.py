"""How far two places are apart (docs/semantics.md section 6)."""

from math import asin, cos, radians, sin, sqrt

from dom_core.domain.network import Location

EARTH_RADIUS_M = 6_371_009.0


def distance_m(one: Location | None, other: Location | None) -> int | None:
    """Whole metres along the great circle (haversine); None where a place has no coordinates."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(one.longitude - other.longitude)
    half = sin((north - south) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half))))
