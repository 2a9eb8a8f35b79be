"""A configuration as a folder: `sources.json`, `strategies.json` and so on, each one JSON array."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dom_core.configuration import Configuration
from dom_core.configuration_checks import check
from dom_core.domain.network import Product, Source, SourceList
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.errors import InvalidInput, Problem
from dom_core.files.json_arrays import ArrayContent, read_array
from dom_core.files.places import decode, read_bytes

SHAPES: Mapping[str, type[Any]] = {
    "sources": Source,
    "source_lists": SourceList,
    "products": Product,
    "rules": RuleRecord,
    "cost_factors": CostFactorRecord,
    "strategies": Strategy,
}
"""What each file holds. A file that is missing holds nothing."""


@dataclass(frozen=True, slots=True)
class ConfigurationFolder:
    """What a folder holds, and everything wrong or doubtful about it."""

    configuration: Configuration
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def read_folder(folder: Path) -> ConfigurationFolder:
    """The configuration of a folder, with every problem by file and line. Raises InvalidInput if it holds none."""
    if not folder.is_dir():
        raise InvalidInput([Problem(str(folder), "is not a folder")], "configuration")
    if not any((folder / f"{name}.json").exists() for name in SHAPES):
        names = ", ".join(f"{name}.json" for name in SHAPES)
        raise InvalidInput([Problem(str(folder), f"holds no configuration; expected {names}")], "configuration")
    return _checked({name: _read_file(folder / f"{name}.json", shape) for name, shape in SHAPES.items()})


def _read_file(path: Path, shape: type[Any]) -> ArrayContent[Any]:
    if not path.exists():
        return ArrayContent()
    try:
        text = decode(path.name, read_bytes(path))
    except InvalidInput as error:
        return ArrayContent(problems=error.problems)
    return read_array(path.name, text, shape)


def _checked(contents: Mapping[str, ArrayContent[Any]]) -> ConfigurationFolder:
    configuration = Configuration(**{name: content.values() for name, content in contents.items()})
    partly_read = Configuration(
        **{name: tuple(item.value for item in content.partly_read) for name, content in contents.items()}
    )
    findings = check(configuration, {name: content.unread_ids for name, content in contents.items()}, partly_read)
    places = {
        f"{name}[{item.value.id}]": f"{name}.json:{item.line}"
        for name, content in contents.items()
        for item in (*content.items, *content.partly_read)
    }
    unreadable = [problem for content in contents.values() for problem in content.problems]
    return ConfigurationFolder(
        configuration,
        errors=(*unreadable, *_placed(findings.errors, places)),
        warnings=tuple(_placed(findings.warnings, places)),
    )


def _placed(problems: Iterable[Problem], places: Mapping[str, str]) -> Iterator[Problem]:
    """The problems with the file and line of the object that their path begins with."""
    for problem in problems:
        place = places.get(problem.path[: problem.path.find("]") + 1])
        yield Problem(f"{place}: {problem.path}", problem.message) if place else problem
