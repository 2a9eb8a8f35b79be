"""Records in a text file: JSON lines or CSV with a header, told apart by how the text begins."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO

from dom_core.errors import InvalidInput, Problem
from dom_core.files.places import Found

Row = dict[str, str]
"""One CSV row: its filled cells by column name, without the spaces around them."""


def is_json_lines(text: str) -> bool:
    """Whether the text begins as JSON does. CSV headers never begin with a bracket."""
    return text.lstrip()[:1] in ("{", "[")


@dataclass(slots=True)
class Reading:
    """The problems that reading a file meets on its way."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def blame(self, line: int, path: str, message: str) -> None:
        """Note a problem at a line."""
        self.problems.append(Problem(f"{self.file}:{line}{': ' if path else ''}{path}", message))

    def blame_all(self, line: int, error: InvalidInput) -> None:
        """Note all problems of an error at a line."""
        for problem in error.problems:
            self.blame(line, problem.path, problem.message)


def json_lines(reading: Reading, text: str) -> Iterator[Found[object]]:
    """The value of each line that holds one; the others are noted as problems."""
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            try:
                yield Found(json.loads(content, parse_constant=_refuse_constant), line)
            except (ValueError, RecursionError):
                reading.blame(line, "", "is not a JSON object on one line (this file is read as JSON lines)")


def csv_rows(reading: Reading, text: str, columns: Sequence[str], required: Sequence[str]) -> Iterator[Found[Row]]:
    """The rows with at least one filled cell; a header that does not fit ends the reading with its problems."""
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    header: list[str] = []
    started = 1
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                pass
            elif not header:
                header = [cell.strip() for cell in cells]
                if _bad_header(reading, started, header, columns, required):
                    return
            elif len(cells) != len(header):
                reading.blame(started, "", f"has {len(cells)} cells, the header has {len(header)}")
            else:
                yield Found(
                    {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}, started
                )
            started = lines.line_num + 1
    except csv.Error as error:
        reading.blame(started, "", f"is not valid CSV: {error}")


def _bad_header(
    reading: Reading, line: int, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> bool:
    known = len(reading.problems)
    for name in dict.fromkeys(header):
        if name not in columns:
            reading.blame(line, "", f"there is no column '{name}'; known columns: {', '.join(columns)}")
        elif header.count(name) > 1:
            reading.blame(line, "", f"the column '{name}' stands there twice")
    for name in required:
        if name not in header:
            reading.blame(line, "", f"the column '{name}' is missing")
    return len(reading.problems) > known


def number(text: str) -> int | float | str:
    """The number that a cell holds; the text itself, for the validator to refuse, when it holds none."""
    for parse in (int, float):
        try:
            return parse(text) if text.isascii() and "_" not in text else text
        except ValueError:
            continue
    return text


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
