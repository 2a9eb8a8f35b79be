"""The network of the example: eight warehouses and sixteen stores. Invented, in real places with real ZIP codes."""

from datetime import time

from dom_core.domain.network import Address, Location, Source, SourceList, SourceType, Weekday, WorkingCalendar

MONDAY_TO_SATURDAY = WorkingCalendar(weekdays=tuple(Weekday)[:6])
SEVEN_DAYS = WorkingCalendar()


def sources() -> tuple[Source, ...]:
    """All sources, by id. Warehouses never close, so that some source is open whenever somebody tries the example."""
    return tuple(sorted((*_warehouses(), *_stores()), key=lambda source: source.id))


def source_lists() -> tuple[SourceList, ...]:
    """The groups that rules and strategies name."""
    return (
        _list("all", "All sources", sources()),
        _list("california-stores", "Stores in California", [s for s in _stores() if s.address.region == "California"]),
        _list("stores", "Stores", _stores()),
        _list("warehouses", "Warehouses", _warehouses()),
    )


def _list(id: str, name: str, members: list[Source] | tuple[Source, ...]) -> SourceList:
    return SourceList(id=id, name=name, source_ids=tuple(sorted(source.id for source in members)))


def _warehouses() -> list[Source]:
    return [
        _warehouse("Allentown", "Pennsylvania", "18109", "2700 Ridge Loop", 40.6369, -75.4368, "America/New_York"),
        _warehouse("Atlanta", "Georgia", "30336", "410 Fulton Yard Dr", 33.7364, -84.5564, "America/New_York"),
        _warehouse("Aurora", "Colorado", "80011", "19500 Smith Rail Rd", 39.7378, -104.8122, "America/Denver"),
        _warehouse("Fort Worth", "Texas", "76177", "1300 Alliance Ramp Rd", 32.9492, -97.3145, "America/Chicago"),
        _warehouse("Joliet", "Illinois", "60436", "3250 Canal Port Rd", 41.4888, -88.1573, "America/Chicago"),
        _warehouse("Kent", "Washington", "98032", "7150 Green Valley Way", 47.3990, -122.2609, "America/Los_Angeles"),
        _warehouse("Memphis", "Tennessee", "38118", "4040 Airfreight Ave", 35.0510, -89.9265, "America/Chicago"),
        _warehouse("Ontario", "California", "91761", "2200 Haven Dock St", 34.0350, -117.5919, "America/Los_Angeles"),
    ]


def _stores() -> list[Source]:
    eastern, central, pacific = "America/New_York", "America/Chicago", "America/Los_Angeles"
    return [
        _store("Boston", "Massachusetts", "02110", "75 Harbor Row", 42.3576, -71.0514, eastern),
        _store("Charlotte", "North Carolina", "28202", "118 Mint Arcade", 35.2270, -80.8440, eastern, cut_off=time(17)),
        _store("Chicago", "Illinois", "60611", "540 Lakeshore Mall", 41.8971, -87.6223, central),
        _store("Detroit", "Michigan", "48226", "900 Riverfront Plaza", 42.3312, -83.0489, "America/Detroit"),
        _store("Houston", "Texas", "77002", "1010 Bayou Center", 29.7594, -95.3594, central, cut_off=time(18)),
        _store("Los Angeles", "California", "90015", "1100 Figueroa Court", 34.0434, -118.2716, pacific),
        _store("Miami", "Florida", "33130", "210 Brickell Market", 25.7672, -80.2059, eastern, accepts_by_hand=True),
        _store("Minneapolis", "Minnesota", "55402", "700 Skyway Level 2", 44.9762, -93.2759, central, cut_off=time(16)),
        _store("New York", "New York", "10001", "330 W Garment St", 40.7508, -73.9961, eastern),
        _store("Philadelphia", "Pennsylvania", "19103", "1700 Chestnut Hall", 39.9513, -75.1741, eastern),
        _store("Phoenix", "Arizona", "85004", "60 Copper Square", 33.4557, -112.0686, "America/Phoenix"),
        _store("Portland", "Oregon", "97205", "815 Alder Block", 45.5206, -122.7102, pacific, accepts_by_hand=True),
        _store("San Diego", "California", "92101", "300 Gaslamp Corner", 32.7185, -117.1593, pacific),
        _store("San Francisco", "California", "94103", "865 Mission Arcade", 37.7725, -122.4147, pacific),
        _store("St. Louis", "Missouri", "63101", "500 Arch Gallery", 38.6346, -90.1913, central, cut_off=time(17)),
        _store("Washington", "District of Columbia", "20005", "1250 K Street Hall", 38.9067, -77.0312, eastern),
    ]


def _warehouse(
    city: str, region: str, postal_code: str, street: str, latitude: float, longitude: float, time_zone: str
) -> Source:
    return Source(
        id=_id("wh", city),
        type=SourceType.WAREHOUSE,
        name=f"{city} warehouse",
        address=Address(street, city, region, postal_code),
        location=Location(latitude, longitude),
        time_zone=time_zone,
        calendar=SEVEN_DAYS,
        processing_hours=8,
    )


def _store(
    city: str,
    region: str,
    postal_code: str,
    street: str,
    latitude: float,
    longitude: float,
    time_zone: str,
    *,
    cut_off: time | None = None,
    accepts_by_hand: bool = False,
) -> Source:
    """A store. Those with a cut-off are closed on Sundays."""
    return Source(
        id=_id("st", city),
        type=SourceType.STORE,
        name=f"{city} store",
        address=Address(street, city, region, postal_code),
        location=Location(latitude, longitude),
        time_zone=time_zone,
        calendar=MONDAY_TO_SATURDAY if cut_off else SEVEN_DAYS,
        cut_off=cut_off,
        manual_accept=accepts_by_hand,
        processing_hours=24,
    )


def _id(prefix: str, city: str) -> str:
    return f"{prefix}-{city.lower().replace('.', '').replace(' ', '-')}"
