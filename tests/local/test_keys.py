"""Who may call what."""

import pytest

from dom_core.errors import InvalidInput
from local.keys import Keys, Level, make_key

KEYS = Keys(function="f-key", master="m-key")


@pytest.mark.parametrize(
    ("presented", "allowed"),
    [
        (None, {Level.ANONYMOUS}),
        ("", {Level.ANONYMOUS}),
        ("f-ke", {Level.ANONYMOUS}),
        ("F-KEY", {Level.ANONYMOUS}),
        ("f-key\udcff", {Level.ANONYMOUS}),
        ("f-key", {Level.ANONYMOUS, Level.FUNCTION}),
        ("m-key", {Level.ANONYMOUS, Level.FUNCTION, Level.ADMIN}),
    ],
)
def test_a_key_opens_its_levels_and_no_others(presented: str | None, allowed: set[Level]) -> None:
    assert {level for level in Level if KEYS.allow(level, presented)} == allowed


@pytest.mark.parametrize(("function", "master"), [("", "m"), ("f", ""), ("same", "same"), (" f", "m")])
def test_keys_that_protect_nothing_are_refused(function: str, master: str) -> None:
    with pytest.raises(InvalidInput):
        Keys(function=function, master=master)


def test_keys_do_not_appear_in_a_representation() -> None:
    assert "key" not in repr(KEYS)


def test_made_keys_are_long_and_never_the_same() -> None:
    assert make_key() != make_key()
    assert len(make_key()) >= 40
