"""From degrees to the plane."""

from math import hypot

import pytest

from dom_core.domain.network import Location
from dom_core.optimizer.great_circle import distances_m
from dom_core.report.projection import albers, in_north_america, plate_carree, projection_for
from tests.report.views import BOSTON, DENVER, SEATTLE

TOKYO, OSAKA, HONOLULU = Location(35.7, 139.7), Location(34.7, 135.5), Location(21.3, -157.9)


def test_the_centre_of_the_conic_is_its_origin_and_north_is_up() -> None:
    assert albers(Location(37.5, -96)) == pytest.approx((0, 0), abs=1e-6)
    assert albers(Location(45, -96))[1] < 0
    assert albers(Location(37.5, -80))[0] > 0


@pytest.mark.parametrize(("one", "other"), [(SEATTLE, BOSTON), (DENVER, BOSTON), (SEATTLE, DENVER)])
def test_distances_on_the_conic_are_within_three_percent_of_the_sphere(one: Location, other: Location) -> None:
    import numpy as np

    drawn_km = hypot(*(a - b for a, b in zip(albers(one), albers(other), strict=True)))
    degrees = [np.array([(place.latitude, place.longitude)]) for place in (one, other)]
    assert drawn_km == pytest.approx(distances_m(*degrees)[0, 0] / 1000, rel=0.03)


def test_a_degree_east_is_as_long_as_it_is_in_the_middle_of_the_places() -> None:
    project = plate_carree([Location(59, 10), Location(61, 12)])
    east_km = project(Location(60, 11))[0] - project(Location(60, 10))[0]
    assert east_km == pytest.approx(111.19 / 2, rel=0.001)


def test_only_networks_around_the_united_states_are_drawn_on_the_conic() -> None:
    assert in_north_america([SEATTLE, HONOLULU])
    assert not in_north_america([TOKYO, OSAKA])
    assert not in_north_america([SEATTLE, TOKYO])
    assert not in_north_america([HONOLULU])
    assert projection_for([SEATTLE]) is albers
