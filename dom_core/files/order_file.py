"""Orders in a file: JSON lines (one intake message a line) or CSV (one order line a row)."""

from collections.abc import Container, Iterator

from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.errors import InvalidInput
from dom_core.files.places import Found
from dom_core.files.rows import Reading, Row, csv_rows, is_json_lines, json_lines, number
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_value

_ORDER_TEXTS = ("ordered_at", "sales_origin", "legal_entity", "promised_by", "customer_reference")
_ORDER_NUMBERS = ("revision", "priority_class")
_LINE_NUMBERS = ("units", "amount_cents", "tax_cents")
_ADDRESS = ("street", "city", "region", "postal_code", "country")
_PLACE = ("latitude", "longitude")

COLUMNS = (
    "order_id",
    "line_id",
    "product_id",
    *_LINE_NUMBERS,
    *_ADDRESS,
    *_PLACE,
    "mode_of_delivery",
    "direct_delivery",
    *_ORDER_TEXTS,
    *_ORDER_NUMBERS,
)
"""The columns of an order CSV. Those of the order itself count in its first row, and may not change in later ones."""

REQUIRED_COLUMNS = ("order_id", "product_id", "units", "ordered_at")


def read_orders(file: str, text: str, products: Container[str]) -> tuple[list[IntakeOrder], Reading]:
    """The valid orders in the order of the file, and every problem with its line.

    The same order twice counts once; the same id with other content is a problem, and so is a product that is not
    among `products`.
    """
    reading = Reading(file)
    found = _from_json_lines(reading, text) if is_json_lines(text) else _from_csv(reading, text)
    return [order.value for order in _once(reading, found, products)], reading


def _once(
    reading: Reading, found: Iterator[Found[IntakeOrder]], products: Container[str]
) -> Iterator[Found[IntakeOrder]]:
    seen: dict[str, Found[IntakeOrder]] = {}
    for order in found:
        first = seen.setdefault(order.value.id, order)
        if first is order:
            _blame_unknown_products(reading, order, products)
            yield order
        elif first.value.content_hash != order.value.content_hash:
            reading.blame(order.line, "id", f"order '{order.value.id}' has other content than on line {first.line}")


def _blame_unknown_products(reading: Reading, order: Found[IntakeOrder], products: Container[str]) -> None:
    for position, line in enumerate(order.value.lines):
        if line.product_id not in products and line.product_id != WRITE_IN_PRODUCT_ID:
            reading.blame(order.line, f"lines[{position}].product_id", f"there is no product '{line.product_id}'")


def _from_json_lines(reading: Reading, text: str) -> Iterator[Found[IntakeOrder]]:
    for raw in json_lines(reading, text):
        try:
            yield Found(read_value(raw.value, IntakeOrder, "order"), raw.line)
        except InvalidInput as error:
            reading.blame_all(raw.line, error)


def _from_csv(reading: Reading, text: str) -> Iterator[Found[IntakeOrder]]:
    by_order: dict[str, list[Found[Row]]] = {}
    for row in csv_rows(reading, text, COLUMNS, REQUIRED_COLUMNS):
        if "order_id" in row.value:
            by_order.setdefault(row.value["order_id"], []).append(row)
        else:
            reading.blame(row.line, "order_id", "is empty")
    for rows in by_order.values():
        if _agree(reading, rows):
            yield from _order(reading, rows)


def _agree(reading: Reading, rows: list[Found[Row]]) -> bool:
    """Whether no later row says something else about the order than the first does."""
    known = len(reading.problems)
    first = rows[0]
    for row in rows[1:]:
        for column in (*_ORDER_TEXTS, *_ORDER_NUMBERS):
            if column in row.value and row.value[column] != first.value.get(column):
                reading.blame(row.line, column, f"differs from the order's first row (line {first.line})")
    return len(reading.problems) == known


def _order(reading: Reading, rows: list[Found[Row]]) -> Iterator[Found[IntakeOrder]]:
    first = rows[0].value
    raw: dict[str, object] = {
        "id": first["order_id"],
        "ship_to": _address(first),
        "lines": [_line(row.value, position) for position, row in enumerate(rows, start=1)],
        **_texts(first, _ORDER_TEXTS),
        **_numbers(first, _ORDER_NUMBERS),
    }
    try:
        yield Found(read_value(raw, IntakeOrder, "order"), rows[0].line)
    except InvalidInput as error:
        for problem in error.problems:
            line, path = _row_of(problem.path, rows)
            reading.blame(line, path, problem.message)


def _line(row: Row, default_id: int) -> dict[str, object]:
    line: dict[str, object] = {
        "id": row.get("line_id", str(default_id)),
        "product_id": row.get("product_id", ""),
        "units": 0,
        "ship_to": _address(row),
        **_numbers(row, _LINE_NUMBERS),
        **_texts(row, ("mode_of_delivery",)),
    }
    if any(column in row for column in _PLACE):
        line["location"] = _numbers(row, _PLACE)
    if "direct_delivery" in row:
        line["direct_delivery"] = {"true": True, "false": False}.get(row["direct_delivery"], row["direct_delivery"])
    return line


def _address(row: Row) -> dict[str, object]:
    return _texts(row, _ADDRESS)


def _texts(row: Row, columns: tuple[str, ...]) -> dict[str, object]:
    return {column: row[column] for column in columns if column in row}


def _numbers(row: Row, columns: tuple[str, ...]) -> dict[str, object]:
    return {column: number(row[column]) for column in columns if column in row}


def _row_of(path: str, rows: list[Found[Row]]) -> tuple[int, str]:
    """The row that a path into the order concerns, and the column in it."""
    head, _, column = path.partition("].")
    if head.startswith("lines["):
        return rows[int(head.removeprefix("lines["))].line, column.split(".")[-1]
    return rows[0].line, path.split(".")[-1]
