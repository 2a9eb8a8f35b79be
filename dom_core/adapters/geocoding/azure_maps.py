"""Addresses found by Azure Maps: `GET /geocode`, API version 2025-01-01.

Reference: https://learn.microsoft.com/rest/api/maps/search/get-geocoding. The key travels in a header, never in the
URL, so that no proxy or log sees it.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from dom_core.domain.network import Address, Location
from dom_core.errors import InvalidInput, Problem, Unavailable

API_VERSION = "2025-01-01"
BASE_URL = "https://atlas.microsoft.com"
CONFIDENT = frozenset({"High", "Medium"})
MAX_ANSWER_BYTES = 1_000_000


class AzureMapsGeocoder:
    """Asks Azure Maps for the best match of an address."""

    def __init__(self, key: str, *, base_url: str = BASE_URL, timeout_s: float = 10.0) -> None:
        if not key.strip():
            raise InvalidInput([Problem("DOM_AZURE_MAPS_KEY", "is needed when the geocoder is azure_maps")], "settings")
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise InvalidInput([Problem("base_url", "must be an http or https URL")], "settings")
        self._key = key.strip()
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._opener = build_opener(_NoRedirects)

    def locate(self, address: Address) -> Location | None:
        """The best match that Azure Maps is sure of and that has the address's country and postal code."""
        question = _question(address)
        if not question:
            return None
        answer = self._ask({"api-version": API_VERSION, "top": "1", "countryRegion": address.country, **question})
        try:
            matches = [match for match in answer["features"] if _is_the_place(match["properties"], address)]
            return _location(matches[0]) if matches else None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable("Azure Maps answered in an unknown shape") from error

    def _ask(self, parameters: Mapping[str, str]) -> Any:
        request = Request(  # noqa: S310 -- the scheme was checked when this object was made
            f"{self._base_url}/geocode?{urlencode(parameters)}",
            headers={"subscription-key": self._key, "Accept": "application/geo+json, application/json"},
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return json.loads(response.read(MAX_ANSWER_BYTES))
        except HTTPError as error:
            with error:
                raise Unavailable(_meaning(error.code)) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unavailable(f"Azure Maps gave no answer ({type(error).__name__})") from error


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to another host: it is an error instead."""

    def redirect_request(self, *_: object) -> None:
        return None


def _meaning(status: int) -> str:
    if status in (401, 403):
        return f"Azure Maps refuses the key (HTTP {status}): check DOM_AZURE_MAPS_KEY"
    if 400 <= status < 500 and status not in (408, 429):
        return f"Azure Maps refuses the question (HTTP {status}): check the account and the API version {API_VERSION}"
    return f"Azure Maps cannot answer now (HTTP {status})"


def _question(address: Address) -> dict[str, str]:
    parts = {
        "addressLine": address.street,
        "locality": address.city,
        "adminDistrict": address.region,
        "postalCode": address.postal_code,
    }
    return {part: text.strip() for part, text in parts.items() if text.strip()}


def _is_the_place(properties: Mapping[str, Any], address: Address) -> bool:
    """Whether a match is sure enough, in the right country, and not of a town whose postal code it ignored."""
    found = properties.get("address", {})
    country = found.get("countryRegion", {}).get("ISO", address.country)
    return (
        properties["confidence"] in CONFIDENT
        and country == address.country
        and _has_postal_code(found.get("postalCode", ""), properties, address)
    )


def _has_postal_code(found: str, properties: Mapping[str, Any], address: Address) -> bool:
    wanted, found = _compact(address.postal_code), _compact(found)
    if not wanted:
        return True
    if not found:  # the answer is about a larger area: was the postal code given up for it?
        return "UpHierarchy" not in properties.get("matchCodes", ())
    # ZIP+4 and ZIP, or the outward and the whole British code, are the same place in different detail.
    return wanted.startswith(found) or found.startswith(wanted)


def _compact(postal_code: str) -> str:
    return "".join(letter for letter in postal_code.upper() if letter.isalnum())


def _location(match: Mapping[str, Any]) -> Location:
    longitude, latitude = match["geometry"]["coordinates"][:2]
    if not (-90 <= float(latitude) <= 90 and -180 <= float(longitude) <= 180):
        raise ValueError("coordinates out of range")
    return Location(float(latitude), float(longitude))
