"""What the offline tables know, and what they must not guess."""

import pytest

from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.domain.network import Address, Location

GEOCODER = OfflineGeocoder()


@pytest.mark.parametrize("postal_code", ["9810", "98101-30", "98101-30175", "ABCDE", "98101 98102", "９８１０１"])
def test_what_is_not_shaped_like_a_zip_code_is_nowhere(postal_code: str) -> None:
    assert GEOCODER.locate(Address(city="Seattle", postal_code=postal_code)) is None


def test_a_military_post_office_is_nowhere_rather_than_in_the_gulf_of_guinea() -> None:
    assert GEOCODER.locate(Address(city="APO", region="AE", postal_code="09001")) is None


def test_puerto_rico_uses_us_zip_codes_and_has_cities() -> None:
    by_zip = GEOCODER.locate(Address(postal_code="00901", country="PR"))
    by_city = GEOCODER.locate(Address(city="San Juan", country="PR"))
    assert by_zip is not None
    assert by_city is not None
    assert abs(by_zip.latitude - by_city.latitude) < 0.2


def test_without_a_region_the_most_populous_city_is_meant() -> None:
    assert GEOCODER.locate(Address(city="Portland")) == GEOCODER.locate(Address(city="Portland", region="OR"))


def test_a_us_region_may_be_a_code_or_a_name() -> None:
    maine = GEOCODER.locate(Address(city="Portland", region="me"))
    assert maine == GEOCODER.locate(Address(city="Portland", region="Maine"))
    assert maine != GEOCODER.locate(Address(city="Portland", region="Oregon"))


@pytest.mark.parametrize("region", ["TX", "Nowhere"])
def test_a_city_outside_the_named_us_region_is_nowhere(region: str) -> None:
    assert GEOCODER.locate(Address(city="Seattle", region=region)) is None


@pytest.mark.parametrize("city", ["München", "MUNCHEN", "munich", "Muenchen", "Мюнхен"])
def test_a_city_has_several_names(city: str) -> None:
    assert GEOCODER.locate(Address(city=city, country="DE")) == Location(48.13743, 11.57549)


def test_a_postal_code_abroad_does_not_hide_the_city() -> None:
    with_code = Address(city="Saint-Étienne", postal_code="42000", country="FR")
    assert GEOCODER.locate(with_code) == GEOCODER.locate(Address(city="saint etienne", country="FR"))


def test_a_hyphen_and_a_dot_count_as_a_space() -> None:
    assert GEOCODER.locate(Address(city="St. Petersburg", region="FL")) is not None
    assert GEOCODER.locate(Address(city="Saint-Petersburg", region="FL")) is not None
