"""Where two JSON values differ first."""

from typing import Any

import pytest

from dom_core.messages.difference import Difference, first_difference


@pytest.mark.parametrize(
    ("stored", "now", "expected"),
    [
        ({"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 3}]}, Difference("b[1].c", "2", "3")),
        ({"a": 1, "b": 2}, {"b": 3, "a": 1}, Difference("b", "2", "3")),
        ({"a": [1]}, {"a": [1, "x"]}, Difference("a[1]", "", '"x"')),
        ({"a": [1, 2]}, {"a": [1]}, Difference("a[1]", "2", "")),
        ({"a": 1}, {}, Difference("a", "1", "")),
        ({}, {"a": None}, Difference("a", "", "null")),
        (1, 1.0, Difference("", "1", "1.0")),
        (True, 1, Difference("", "true", "1")),
        ({"a": []}, {"a": {}}, Difference("a", "[]", "{}")),
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, Difference("a", "1", "2")),
    ],
)
def test_the_first_difference_is_named(stored: Any, now: Any, expected: Difference) -> None:
    assert first_difference(stored, now) == expected


@pytest.mark.parametrize("value", [None, {"a": [1, {"b": 2.5}], "c": ""}, [], "x"])
def test_equal_values_have_no_difference(value: Any) -> None:
    assert first_difference(value, value) is None
