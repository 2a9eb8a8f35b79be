"""A short campaign on either store; `make test-troubles` plays long ones."""

from tests.troubles.campaign import campaign
from tests.troubles.installation import Installation

ROUNDS = {False: 8, True: 3}
"""On the embedded store, and on Cosmos DB."""


def test_whoever_is_killed_whenever_nothing_is_lost_and_nothing_happens_twice(installation: Installation) -> None:
    rounds = ROUNDS[bool(installation.endpoint)]
    played = campaign(installation, seed=7, rounds=rounds)
    assert played.killed + played.ended == rounds
    assert played.killed >= 1
