"""Distances by road: from the engine that the settings name, or from nobody."""

from typing import TYPE_CHECKING

from dom_core.ports import RoadDistances
from dom_core.settings import Settings

if TYPE_CHECKING:
    from dom_core.adapters.distances.asking import Engine


def from_settings(settings: Settings) -> RoadDistances | None:
    """The engine of an installation; None where distances are those along the great circle. Asks nobody yet.

    Its modules (HTTP, TLS) are imported only where one is set. Raises InvalidInput when the engine lacks its key.
    """
    if settings.distances == "great_circle":
        return None
    from dom_core.adapters.distances.asking import PatientRoadDistances

    return PatientRoadDistances(_engine(settings))


def _engine(settings: Settings) -> "Engine":
    if settings.distances == "osrm":
        from dom_core.adapters.distances import osrm

        return osrm.OsrmEngine(settings.osrm_url, settings.road_profile or osrm.DEFAULT_PROFILE)
    if settings.distances == "valhalla":
        from dom_core.adapters.distances import valhalla

        return valhalla.ValhallaEngine(settings.valhalla_url, settings.road_profile or valhalla.DEFAULT_PROFILE)
    from dom_core.adapters.distances import azure_maps

    return azure_maps.AzureMapsEngine(settings.azure_maps_key, settings.road_profile or azure_maps.DEFAULT_PROFILE)
