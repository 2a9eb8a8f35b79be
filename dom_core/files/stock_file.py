"""Stock in a file: JSON lines or CSV with the columns `product_id`, `source_id`, `on_hand`."""

from collections.abc import Container, Iterator

from dom_core.domain.ids import ProductId, SourceId
from dom_core.domain.stock import StockLevel
from dom_core.errors import InvalidInput
from dom_core.files.places import Found
from dom_core.files.rows import Reading, csv_rows, is_json_lines, json_lines, number
from dom_core.messages.reading import read_value

COLUMNS = ("product_id", "source_id", "on_hand")

Stock = dict[tuple[ProductId, SourceId], int]
"""Units on hand per product and source."""


def read_stock(file: str, text: str, products: Container[str], sources: Container[str]) -> tuple[Stock, Reading]:
    """The stock, and every problem with its line: also products and sources that are not known, and cells twice."""
    reading = Reading(file)
    stock: Stock = {}
    lines: dict[tuple[ProductId, SourceId], int] = {}
    for level in _levels(reading, text):
        cell = (level.value.product_id, level.value.source_id)
        if lines.setdefault(cell, level.line) != level.line:
            reading.blame(level.line, "", f"stock of '{cell[0]}' at '{cell[1]}' already stands on line {lines[cell]}")
        _blame_unknown(reading, level, products, sources)
        stock[cell] = level.value.on_hand
    return stock, reading


def _levels(reading: Reading, text: str) -> Iterator[Found[StockLevel]]:
    for raw in _raw_levels(reading, text):
        try:
            yield Found(read_value(raw.value, StockLevel, "stock"), raw.line)
        except InvalidInput as error:
            reading.blame_all(raw.line, error)


def _raw_levels(reading: Reading, text: str) -> Iterator[Found[object]]:
    if is_json_lines(text):
        yield from json_lines(reading, text)
        return
    for row in csv_rows(reading, text, COLUMNS, COLUMNS):
        units = {"on_hand": number(row.value["on_hand"])} if "on_hand" in row.value else {}
        yield Found({**row.value, **units}, row.line)


def _blame_unknown(
    reading: Reading, level: Found[StockLevel], products: Container[str], sources: Container[str]
) -> None:
    if level.value.product_id not in products:
        reading.blame(level.line, "product_id", f"there is no product '{level.value.product_id}'")
    if level.value.source_id not in sources:
        reading.blame(level.line, "source_id", f"there is no source '{level.value.source_id}'")
