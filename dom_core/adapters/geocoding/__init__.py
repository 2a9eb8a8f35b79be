"""Where addresses are: offline tables first, then the service that the settings name, if any."""

from dom_core.adapters.geocoding.chain import GeocoderChain
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.ports import Geocoder
from dom_core.settings import Settings


def from_settings(settings: Settings) -> Geocoder:
    """The geocoder of an installation. Cheap: tables are read and services asked when an address needs them.

    Raises InvalidInput when the chosen service lacks its URL or key.
    """
    return GeocoderChain([OfflineGeocoder(), *_services(settings)])


def _services(settings: Settings) -> list[Geocoder]:
    """The service, whose modules (HTTP, TLS) are imported only where one is set."""
    if settings.geocoder == "nominatim":
        from dom_core.adapters.geocoding.nominatim import NominatimGeocoder

        return [NominatimGeocoder(settings.nominatim_url)]
    if settings.geocoder == "azure_maps":
        from dom_core.adapters.geocoding.azure_maps import AzureMapsGeocoder

        return [AzureMapsGeocoder(settings.azure_maps_key)]
    return []
