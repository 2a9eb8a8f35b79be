"""The installation that tests of use cases share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.use_cases.world import World, a_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = a_world(tmp_path)
    yield built
    built.database.close()
