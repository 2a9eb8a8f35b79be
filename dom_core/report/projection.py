"""From degrees to a plane: a conic that is true to area for North America, a plain grid for everywhere else.

Both answer kilometres to the east and to the south of an origin, so that one scale fits both directions.
"""

from collections.abc import Callable, Sequence
from math import cos, radians, sin, sqrt

from dom_core.domain.network import Location

EARTH_RADIUS_KM = 6371.0088

Point = tuple[float, float]
Projection = Callable[[Location], Point]


def projection_for(places: Sequence[Location]) -> Projection:
    """The projection that suits these places."""
    return albers if in_north_america(places) else plate_carree(places)


def in_north_america(places: Sequence[Location]) -> bool:
    """Whether all places lie where the conic for the United States draws without much distortion, and one in them."""
    near = all(15 <= place.latitude <= 72 and -170 <= place.longitude <= -50 for place in places)
    return near and any(24 <= place.latitude <= 50 and -125 <= place.longitude <= -66 for place in places)


def albers(place: Location) -> Point:
    """Albers' equal-area conic with parallels 29.5° and 45.5° N, centred at 37.5° N 96° W."""
    south, north, middle = radians(29.5), radians(45.5), radians(37.5)
    cone = (sin(south) + sin(north)) / 2
    constant = cos(south) ** 2 + 2 * cone * sin(south)
    radius_km = EARTH_RADIUS_KM * sqrt(constant - 2 * cone * sin(radians(place.latitude))) / cone
    middle_radius_km = EARTH_RADIUS_KM * sqrt(constant - 2 * cone * sin(middle)) / cone
    angle = cone * radians(place.longitude + 96)
    return radius_km * sin(angle), radius_km * cos(angle) - middle_radius_km


def plate_carree(places: Sequence[Location]) -> Projection:
    """Degrees as a grid whose cells have the shape that they have in the middle of these places."""
    latitudes = [place.latitude for place in places] or [0.0]
    squeeze = cos(radians((min(latitudes) + max(latitudes)) / 2))

    def project(place: Location) -> Point:
        return EARTH_RADIUS_KM * radians(place.longitude) * squeeze, -EARTH_RADIUS_KM * radians(place.latitude)

    return project
