"""Who changed something that is configured, and when."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.network import STRICT
from dom_core.domain.units import Count, UtcTime


@dataclass(frozen=True, slots=True)
class Change:
    """One saving of an object: the version that it made, when, and by whom."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    version: Count
    at: UtcTime
    who: str
