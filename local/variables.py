"""`%NAME%` in a queue name or a schedule: the app setting of that name."""

import re
from collections import ChainMap
from collections.abc import Mapping

from dom_core.settings import TABLE

_REFERENCE = re.compile(r"%([^%]*)%")


def app_settings(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, and below it the defaults of our own settings: what the app itself would see."""
    defaults = {setting.variable: setting.default for setting in TABLE}
    return ChainMap(dict(environment), defaults)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with every `%NAME%` replaced. Raises ValueError for a name that is not set."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise ValueError(f"refers to the setting '{match[1]}', which is not set")
        return variables[match[1]]

    return _REFERENCE.sub(value_of, text)
