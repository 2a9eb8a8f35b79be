"""Where goods are and what they are: places, sources, source lists, products."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from dom_core.domain.ids import Id, Label, Name
from dom_core.domain.units import Count, Latitude, Longitude, WallClock

STRICT = ConfigDict(extra="forbid")
"""Unknown fields are mistakes: they are refused wherever these values are read from outside."""


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the earth, WGS 84 degrees."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    latitude: Latitude
    longitude: Longitude


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is the ISO 3166 alpha-2 code."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    street: Annotated[str, Field(max_length=200)] = ""
    city: Annotated[str, Field(max_length=100)] = ""
    region: Annotated[str, Field(max_length=100)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "US"


class SourceType(StrEnum):
    """What kind of place ships."""

    WAREHOUSE = "warehouse"
    STORE = "store"
    DISTRIBUTION_CENTER = "distribution_center"
    DROP_SHIP = "drop_ship"
    VIRTUAL = "virtual"


class Weekday(StrEnum):
    """Days of the week, Monday first, as calendars write them."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The days on which a source works: weekdays, less closed dates, plus extra dates. In the source's own zone."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    weekdays: tuple[Weekday, ...] = tuple(Weekday)
    closed_dates: tuple[date, ...] = ()
    extra_dates: tuple[date, ...] = ()

    def is_working_day(self, day: date) -> bool:
        """Whether work is done on this local date. Extra dates win over closed dates."""
        if day in self.extra_dates:
            return True
        return day not in self.closed_dates and list(Weekday)[day.weekday()] in self.weekdays


@dataclass(frozen=True, slots=True)
class Source:
    """A place that ships."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    type: SourceType
    name: Name = ""
    description: Name = ""
    address: Address = Address()
    location: Location | None = None
    time_zone: str = "UTC"
    legal_entity: Label = "default"
    use_real_inventory: bool = True
    active: bool = True
    manual_accept: bool = False
    calendar: WorkingCalendar = WorkingCalendar()
    cut_off: WallClock | None = None
    processing_hours: Count = 0

    def local_time(self, now: datetime) -> datetime:
        """`now` on this source's clock."""
        return now.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True)
class SourceList:
    """A named group of sources; a source may be in many."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    source_ids: tuple[Id, ...]
    name: Name = ""
    description: Name = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A SKU. With a parent it is a variant of that product."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    name: Name = ""
    description: Name = ""
    parent_id: Id | None = None
    categories: tuple[Label, ...] = ()
    supplementary_categories: tuple[Label, ...] = ()


WRITE_IN_PRODUCT_ID = "write-in"
"""The product of a line whose product is not in the catalogue (C8): location priority only, stock assumed."""
