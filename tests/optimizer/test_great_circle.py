"""Distances agree with geopy's great circle, near and far."""

import numpy as np
import pytest
from geopy.distance import great_circle

from dom_core.optimizer import great_circle as ours

PLACES = np.array(
    [[47.6062, -122.3321], [47.6063, -122.3321], [40.7128, -74.006], [-33.8688, 151.2093], [89.9, 10.0], [0.0, 180.0]]
)


def test_every_pair_agrees_with_geopy_to_a_metre() -> None:
    found = ours.distances_m(PLACES, PLACES)
    expected = [[great_circle(tuple(one), tuple(other)).m for other in PLACES] for one in PLACES]
    assert np.abs(found - np.array(expected)).max() <= 1


def test_neighbours_ten_metres_apart_are_not_lost_to_rounding() -> None:
    # 0.0001 degrees of latitude are 11.1 m.
    assert ours.distances_m(PLACES[:1], PLACES[1:2]) == pytest.approx(np.array([[11]]), abs=1)


def test_antipodes_are_half_the_circumference_apart() -> None:
    found = ours.distances_m(np.array([[10.0, 20.0]]), np.array([[-10.0, -160.0]]))
    assert found[0, 0] == pytest.approx(np.pi * ours.EARTH_RADIUS_M, abs=1)


def test_blocks_of_rows_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ours.distances_m(PLACES, PLACES)
    monkeypatch.setattr(ours, "_BLOCK_PAIRS", 7)
    assert (ours.distances_m(PLACES, PLACES) == whole).all()
