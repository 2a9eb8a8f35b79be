from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.troubles.campaign import an_installation
from tests.troubles.installation import Installation


@pytest.fixture(params=["sqlite", "cosmos"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """An empty installation on either store."""
    endpoint = request.getfixturevalue("cosmos_endpoint") if request.param == "cosmos" else ""
    with an_installation(tmp_path, endpoint) as made:
        yield made
