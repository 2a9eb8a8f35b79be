"""Several geocoders, asked in turn, and what they said before."""

from collections.abc import Sequence
from functools import lru_cache

from dom_core.domain.network import Address, Location
from dom_core.ports import Geocoder

REMEMBERED_ADDRESSES = 10_000


class GeocoderChain:
    """Asks each geocoder until one knows the address, and remembers the answer, found or not, in this process."""

    def __init__(self, geocoders: Sequence[Geocoder], remembered: int = REMEMBERED_ADDRESSES) -> None:
        self._geocoders = tuple(geocoders)
        # An error is not an answer, and is not remembered.
        self._locate = lru_cache(maxsize=remembered)(self._ask)

    def locate(self, address: Address) -> Location | None:
        """The first answer; None if nobody knows the address. Raises Unavailable when one that is needed is away."""
        return self._locate(address)

    def _ask(self, address: Address) -> Location | None:
        for geocoder in self._geocoders:
            found = geocoder.locate(address)
            if found is not None:
                return found
        return None
