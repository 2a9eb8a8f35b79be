"""Bands lie side by side, from near to far."""

from typing import Any

import pytest

from tests.costs.prices import problems


def a_band(from_km: object, to_km: object, **amount: Any) -> dict[str, Any]:
    return {"from_km": from_km, "to_km": to_km, **(amount or {"cents": 100})}


def flaws(*bands: dict[str, Any], basis: str = "fixed") -> list[str]:
    """What is wrong with the bands of the second of two lines, without the path to that line."""
    lines = [{"basis": "fixed", "cents": 1}, {"basis": basis, "bands": list(bands), "default_cents": 0}]
    return [problem.removeprefix("params.lines[1].") for problem in problems("shipping", *lines)]


@pytest.mark.parametrize(
    "bands",
    [
        [a_band(0, 250)],
        [a_band(0, None)],
        [a_band(50, 80.5), a_band(80.5, 100.125)],
        [a_band(0, 0.1), a_band(0.1, 0.3), a_band(0.3, 100_000), a_band(100_000, None)],
        [a_band(0, 250), {"from_km": 250, "cents": 100}],
    ],
)
def test_bands_that_meet_are_accepted(bands: list[dict[str, Any]]) -> None:
    assert flaws(*bands) == []


def test_a_gap_is_named_at_the_band_behind_it() -> None:
    found = flaws(a_band(0, 100), a_band(100, 250), a_band(300, None))
    assert found == ["bands[2]: begins at 300 km but the band before ends at 250 km: gap"]


def test_a_gap_of_one_metre_is_a_gap() -> None:
    assert flaws(a_band(0, 80.1), a_band(80.101, None)) == [
        "bands[1]: begins at 80.101 km but the band before ends at 80.1 km: gap"
    ]


def test_an_overlap_is_named_at_the_later_band() -> None:
    assert flaws(a_band(0, 250.0), a_band(200, None)) == [
        "bands[1]: begins at 200 km but the band before ends at 250 km: overlap"
    ]


def test_the_same_band_twice_overlaps() -> None:
    assert flaws(a_band(0, 250), a_band(0, 250)) == [
        "bands[1]: begins at 0 km but the band before ends at 250 km: overlap"
    ]


def test_bands_that_go_from_far_to_near_are_not_in_order() -> None:
    assert flaws(a_band(100, 250), a_band(0, 100)) == [
        "bands[1]: begins at 0 km but the band before ends at 250 km: not in order of distance"
    ]


def test_only_the_last_band_may_be_open() -> None:
    assert flaws(a_band(0, None), a_band(10, None), a_band(20, None)) == [
        "bands[0].to_km: is required: only the last band may be open",
        "bands[1].to_km: is required: only the last band may be open",
    ]


@pytest.mark.parametrize("to_km", [99.999, 100])
def test_a_band_ends_beyond_its_beginning(to_km: float) -> None:
    assert flaws(a_band(100, to_km)) == ["bands[0].to_km: must lie beyond from_km, 100 km"]


def test_every_flaw_of_all_bands_is_listed_at_once() -> None:
    assert flaws(a_band(0, 50), a_band(40, 90, cents_per_km=2), a_band(100, None, cents=1, cents_per_km=1)) == [
        "bands[1].cents: is required with basis fixed",
        "bands[1].cents_per_km: means nothing with basis fixed",
        "bands[2].cents_per_km: means nothing with basis fixed",
        "bands[1]: begins at 40 km but the band before ends at 50 km: overlap",
        "bands[2]: begins at 100 km but the band before ends at 90 km: gap",
    ]


def test_bands_per_kilometre_have_amounts_per_kilometre() -> None:
    assert flaws(a_band(0, 50, cents_per_km=2.5), a_band(50, None, cents=9), basis="per_km") == [
        "bands[1].cents: means nothing with basis per_km",
        "bands[1].cents_per_km: is required with basis per_km",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("from_km", value) for value in (-1, "0", None, True, 0.0001)),
        *(("to_km", value) for value in (100_001, "9", False, 9.1234)),
        *(("cents", value) for value in (-1, 1.5, "1")),
        ("colour", "red"),
    ],
)
def test_a_band_is_made_of_whole_metres_and_whole_cents(field: str, value: object) -> None:
    (problem,) = flaws({"from_km": 0, "to_km": 50, "cents": 100, field: value})
    assert problem.startswith(f"bands[0].{field}: ")


def test_a_line_with_no_bands_in_its_list_is_a_mistake() -> None:
    assert [problem.partition(":")[0] for problem in flaws()] == ["bands"]
