"""What pydantic finds, in plain words that name the way out. The offending value is never repeated."""

from collections.abc import Mapping
from typing import Any

PLAIN: Mapping[str, str] = {
    "extra_forbidden": "there is no such field; correct its name or leave it out",
    "unexpected_keyword_argument": "there is no such field; correct its name or leave it out",
    "missing": "is required",
    "missing_argument": "is required",
    "int_type": "must be a whole number, written without quotes or decimals",
    "int_from_float": "must be a whole number, written without quotes or decimals",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "decimal_type": "must be a number",
    "decimal_max_places": "may have at most {decimal_places} decimals",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "dataclass_type": "must be an object",
    "model_type": "must be an object",
    "timezone_aware": "needs a UTC offset, as in 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "must be a time with a UTC offset, as in 2026-01-31T12:00:00Z",
    "datetime_parsing": "must be a time with a UTC offset, as in 2026-01-31T12:00:00Z",
    "datetime_type": "must be a time with a UTC offset, as in 2026-01-31T12:00:00Z",
    "date_parsing": "must be a date, as in 2026-01-31",
    "date_from_datetime_parsing": "must be a date, as in 2026-01-31",
    "time_parsing": "must be a time of day, as in 17:30",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "needs at least {min_length} entries",
    "too_long": "may have at most {max_length} entries",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "value_error": "{error}",
}
"""By pydantic's own name of the error; `{…}` is filled from what it says about it."""

_ID_HINT = "may hold letters, digits and . _ : @ + - only, and begins with a letter or a digit"
_ID_PATTERN_START = "^[A-Za-z0-9][A-Za-z0-9"


def message_of(error: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors; pydantic's own words where we have none."""
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return _ID_HINT if pattern.startswith(_ID_PATTERN_START) else f"must match {pattern}"
    wording = PLAIN.get(error["type"])
    return wording.format(**context) if wording else str(error["msg"])
