"""Addresses found by a Nominatim server (OpenStreetMap), through geopy.

The public server allows one request a second and asks who calls: https://operations.osmfoundation.org/policies/nominatim/
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from dom_core import __version__
from dom_core.domain.network import Address, Location
from dom_core.errors import InvalidInput, Problem, Unavailable

USER_AGENT = f"dom-optimizer/{__version__}"
"""How we introduce ourselves to the server."""


class NominatimGeocoder:
    """Asks a Nominatim server, never more often than every `seconds_between_requests` in this process."""

    def __init__(self, url: str, *, timeout_s: float = 10.0, seconds_between_requests: float = 1.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput([Problem("DOM_NOMINATIM_URL", "must be an http or https URL")], "settings")
        self._scheme = parts.scheme
        self._server = parts.netloc + parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._seconds_between_requests = seconds_between_requests

    def locate(self, address: Address) -> Location | None:
        """The best match. A street that OpenStreetMap lacks is left out of a second question: the town will do."""
        whole = _question(address)
        town = {part: text for part, text in whole.items() if part != "street"}
        for question in (whole, town) if "street" in whole else (whole,):
            found = self._ask(question, address.country) if question else None
            if found is not None:
                return found
        return None

    def _ask(self, question: dict[str, str], country: str) -> Location | None:
        from geopy.exc import GeopyError

        try:
            place = self._geocode(question, exactly_one=True, country_codes=country)
            return None if place is None else Location(place.latitude, place.longitude)
        except (GeopyError, LookupError, TypeError, ValueError, AttributeError) as error:
            # geopy's own message may repeat the answer's text, and so the address: only its kind is told.
            raise Unavailable(f"Nominatim at {self._server} gave no answer ({type(error).__name__})") from error

    @cached_property
    def _geocode(self) -> Callable[..., Any]:
        from geopy.adapters import URLLibAdapter  # lazily: geopy imports every geocoder there is
        from geopy.extra.rate_limiter import RateLimiter
        from geopy.geocoders import Nominatim

        server = Nominatim(
            scheme=self._scheme,
            domain=self._server,
            user_agent=USER_AGENT,
            timeout=self._timeout_s,
            adapter_factory=URLLibAdapter,
        )
        limited: Callable[..., Any] = RateLimiter(
            server.geocode,
            min_delay_seconds=self._seconds_between_requests,
            max_retries=0,  # the queue retries, with its own delays
            swallow_exceptions=False,
        )
        return limited


def _question(address: Address) -> dict[str, str]:
    parts = {
        "street": address.street,
        "city": address.city,
        "state": address.region,
        "postalcode": address.postal_code,
    }
    return {part: text.strip() for part, text in parts.items() if text.strip()}
