"""Real parts that tests start, and what becomes of a test where one is missing.

The variable DOM_TEST_REAL_PARTS names the parts that must be there, with commas: their tests fail without them, so that
a missing part hides nothing. Tests of the other parts are skipped, and say so.
"""

import os
from enum import StrEnum
from typing import NoReturn

import pytest

VARIABLE = "DOM_TEST_REAL_PARTS"


class Part(StrEnum):
    """What the variable may name."""

    AZURE = "azure"
    """Azurite and the Cosmos DB server: both need Node.js."""

    ROADS = "roads"
    """OSRM and Valhalla: there are packages for Linux, and not for every other machine."""

    BROWSER = "browser"
    """Chromium, in which the page of a plan is opened."""


def missing(part: Part, what: str, why: Exception) -> NoReturn:
    """End the test that needs the part: failed where the part must be there, skipped elsewhere."""
    message = f"NOT TESTED ON {what}: {why}"
    if part in required():
        pytest.fail(f"{message} ({VARIABLE} says that it must be)", pytrace=False)
    pytest.skip(message)


def required() -> frozenset[Part]:
    """The parts that must be there. Raises ValueError for a name that is none."""
    names = os.environ.get(VARIABLE, "").split(",")
    return frozenset(Part(name.strip()) for name in names if name.strip())
