"""What every geocoder promises. Nominatim and Azure Maps are local servers that answer in their shapes."""

from collections.abc import Callable, Iterator

import pytest
from geopy.distance import great_circle

from dom_core.adapters.geocoding.azure_maps import AzureMapsGeocoder
from dom_core.adapters.geocoding.chain import GeocoderChain
from dom_core.adapters.geocoding.nominatim import NominatimGeocoder
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.domain.network import Address, Location
from dom_core.ports import Geocoder
from tests.contract.geocoding_servers import LocalServer, azure_maps_answer, listening, nominatim_answer


def _offline() -> Iterator[Geocoder]:
    yield OfflineGeocoder()


def _nominatim() -> Iterator[Geocoder]:
    with listening(nominatim_answer) as server:
        yield _nominatim_at(server)


def _azure_maps() -> Iterator[Geocoder]:
    with listening(azure_maps_answer) as server:
        yield AzureMapsGeocoder("a-key", base_url=server.url)


def _chain() -> Iterator[Geocoder]:
    with listening(nominatim_answer) as server:
        yield GeocoderChain([OfflineGeocoder(), _nominatim_at(server)])


def _nominatim_at(server: LocalServer) -> NominatimGeocoder:
    return NominatimGeocoder(server.url, seconds_between_requests=0)


@pytest.fixture(params=[_offline, _nominatim, _azure_maps, _chain], ids=lambda make: make.__name__.strip("_"))
def geocoder(request: pytest.FixtureRequest) -> Iterator[Geocoder]:
    make: Callable[[], Iterator[Geocoder]] = request.param
    yield from make()


def _near(found: Location | None, latitude: float, longitude: float) -> bool:
    assert found is not None
    return bool(great_circle((found.latitude, found.longitude), (latitude, longitude)).km < 10)


def test_finds_a_us_address_by_its_zip_code(geocoder: Geocoder) -> None:
    address = Address(street="1201 3rd Ave", city="Seattle", region="WA", postal_code="98101", country="US")
    assert _near(geocoder.locate(address), 47.61, -122.33)


def test_a_zip_code_is_enough(geocoder: Geocoder) -> None:
    assert _near(geocoder.locate(Address(postal_code="98101")), 47.61, -122.33)


def test_four_more_digits_after_the_zip_code_are_allowed(geocoder: Geocoder) -> None:
    assert _near(geocoder.locate(Address(city="Seattle", region="WA", postal_code="98101-3017")), 47.61, -122.33)


def test_a_zip_code_that_does_not_exist_is_nowhere_even_in_a_city_that_does(geocoder: Geocoder) -> None:
    assert geocoder.locate(Address(city="Seattle", region="WA", postal_code="00000")) is None


def test_finds_a_city_abroad(geocoder: Geocoder) -> None:
    assert _near(geocoder.locate(Address(city="Zürich", country="CH")), 47.37, 8.54)


def test_case_and_accents_make_no_difference(geocoder: Geocoder) -> None:
    assert geocoder.locate(Address(city="ZURICH", country="CH")) == geocoder.locate(
        Address(city="Zürich", country="CH")
    )


def test_the_country_decides_between_cities_of_one_name(geocoder: Geocoder) -> None:
    assert _near(geocoder.locate(Address(city="Paris", region="TX", country="US")), 33.66, -95.56)
    assert _near(geocoder.locate(Address(city="Paris", country="FR")), 48.86, 2.34)


@pytest.mark.parametrize(
    "address",
    [Address(), Address(city="Qwxyzzy", country="FR"), Address(city="Seattle", country="AQ"), Address(city="  ")],
    ids=["empty", "no such city", "wrong country", "only spaces"],
)
def test_an_address_that_names_no_place_is_nowhere(geocoder: Geocoder, address: Address) -> None:
    assert geocoder.locate(address) is None


def test_the_same_address_always_has_the_same_location(geocoder: Geocoder) -> None:
    address = Address(city="Seattle", region="WA", postal_code="98101")
    assert geocoder.locate(address) == geocoder.locate(address)
