"""Distances along the great circle, for all pairs in one pass.

Points become unit vectors; the chord between two of them gives the angle. In float64 this is right to a quarter of a
metre, and unlike the arc cosine of the dot product it stays right for neighbours.
"""

import numpy as np
import numpy.typing as npt

from dom_core.domain.reason import FloatArray

EARTH_RADIUS_M = 6_371_009.0
"""Mean radius of the earth, metres (IUGG; geopy uses the same)."""

_BLOCK_PAIRS = 4_000_000


def distances_m(from_degrees: FloatArray, to_degrees: FloatArray) -> npt.NDArray[np.int32]:
    """Whole metres between every point of one set and every point of another.

    Both arrays are (n, 2): latitude, longitude in degrees. The answer is (n_from, n_to). Memory for intermediate
    results is bounded: rows are taken in blocks.
    """
    origins, targets = _unit_vectors(from_degrees), _unit_vectors(to_degrees)
    result = np.empty((len(origins), len(targets)), dtype=np.int32)
    rows = max(1, _BLOCK_PAIRS // max(1, len(targets)))
    for start in range(0, len(origins), rows):
        dots = origins[start : start + rows] @ targets.T
        half_chords = np.sqrt(np.clip((1.0 - dots) / 2.0, 0.0, 1.0))
        result[start : start + rows] = np.rint(2.0 * EARTH_RADIUS_M * np.arcsin(half_chords))
    return result


def _unit_vectors(degrees: FloatArray) -> FloatArray:
    latitude, longitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    return np.column_stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude))
    )
