"""The Superstore example: its files are valid, tell the story they should, and can be made again."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.domain.network import Product, Source, SourceList, SourceType
from dom_core.domain.stock import StockLevel
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json, read_value
from examples.superstore import build

EXAMPLE = Path(build.__file__).parent
T = TypeVar("T")

HEADER = (
    "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,City,State,"
    "Postal Code,Region,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,Profit"
)
ROWS = (
    "3,CA-2017-2,2017-12-05,2017-12-07,First Class,XX-1,Jo Roe,Consumer,United States,Boston,Massachusetts,"
    "2110,East,OFF-PA-1,Office Supplies,Paper,Xerox 1,14.615,2,0,1",
    "1,CA-2017-1,2017-12-04,2017-12-06,Same Day,XX-2,Sam Doe,Corporate,United States,Seattle,Washington,"
    "98103,West,TEC-PH-1,Technology,Phones,Phone é,100,1,0,1",
    "2,CA-2017-1,2017-12-04,2017-12-08,Same Day,XX-2,Sam Doe,Corporate,United States,Seattle,Washington,"
    "98103,West,FUR-TA-1,Furniture,Tables,Table,261.96,7,0,1",
    "4,CA-2017-3,2017-09-05,2017-09-09,Standard Class,XX-3,Ann Poe,Home Office,United States,Denver,Colorado,"
    "80219,West,OFF-PA-1,Office Supplies,Paper,Another name,20,3,0,1",
)


def _committed(name: str, shape: type[T]) -> T:
    return read_json((EXAMPLE / "config" / f"{name}.json").read_bytes(), shape, name)


def _sources() -> tuple[Source, ...]:
    return _committed("sources", tuple[Source, ...])


def _rules() -> tuple[RuleRecord, ...]:
    return _committed("rules", tuple[RuleRecord, ...])


def _strategies() -> tuple[Strategy, ...]:
    return _committed("strategies", tuple[Strategy, ...])


def _products() -> tuple[Product, ...]:
    return _committed("products", tuple[Product, ...])


def _orders(folder: Path = EXAMPLE) -> list[IntakeOrder]:
    lines = (folder / "orders.jsonl").read_bytes().splitlines()
    return [read_json(line, IntakeOrder, "order") for line in lines]


def _stock(folder: Path = EXAMPLE) -> list[StockLevel]:
    with (folder / "stock.csv").open(encoding="utf-8", newline="") as file:
        rows = [{**row, "on_hand": int(row["on_hand"])} for row in csv.DictReader(file)]
    return [read_value(row, StockLevel, "stock level") for row in rows]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "superstore.csv"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n", "utf-8")
    return path


def _built(sample: Path, out: Path, *more: str) -> dict[str, bytes]:
    assert build.main(["--csv", str(sample), "--out", str(out), *more]) == 0
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_the_same_sample_gives_the_same_bytes_whatever_the_order_of_its_rows(sample: Path, tmp_path: Path) -> None:
    first = _built(sample, tmp_path / "first")
    sample.write_text("\n".join((HEADER, *reversed(ROWS))) + "\n", "utf-8")
    assert _built(sample, tmp_path / "second") == first
    assert set(first) == {
        "config/cost_factors.json",
        "config/products.json",
        "config/rules.json",
        "config/source_lists.json",
        "config/sources.json",
        "config/strategies.json",
        "orders.jsonl",
        "stock.csv",
    }


def test_an_order_carries_the_facts_of_the_sample(sample: Path, tmp_path: Path) -> None:
    _built(sample, tmp_path / "out")
    order = next(order for order in _orders(tmp_path / "out") if order.id == "CA-2017-1")
    assert order.ordered_at == datetime(2017, 12, 4, 12, tzinfo=UTC)
    assert order.promised_by == datetime(2017, 12, 8, 23, 59, 59, tzinfo=UTC)
    assert (order.mode_of_delivery, order.priority_class, order.ship_to.postal_code) == ("same-day", 3, "98103")
    assert [(line.id, line.product_id, line.units, line.amount_cents) for line in order.lines] == [
        ("1", "TEC-PH-1", 1, 10000),
        ("2", "FUR-TA-1", 7, 26196),
    ]


def test_a_zip_code_gets_its_zero_back_and_half_a_cent_is_rounded_up(sample: Path, tmp_path: Path) -> None:
    _built(sample, tmp_path / "out")
    order = next(order for order in _orders(tmp_path / "out") if order.id == "CA-2017-2")
    assert order.ship_to.postal_code == "02110"
    assert order.lines[0].amount_cents == 1462


def test_a_product_with_two_names_keeps_that_of_the_first_row(sample: Path, tmp_path: Path) -> None:
    _built(sample, tmp_path / "out")
    raw = (tmp_path / "out" / "config" / "products.json").read_bytes()
    names = {product.id: product.name for product in read_json(raw, tuple[Product, ...], "products")}
    assert names == {"FUR-TA-1": "Table", "OFF-PA-1": "Xerox 1", "TEC-PH-1": "Phone é"}


def test_no_customer_is_named(sample: Path, tmp_path: Path) -> None:
    everything = b"".join(_built(sample, tmp_path / "out").values()).decode()
    assert not [text for text in ("Doe", "Roe", "Poe", "XX-") if text in everything]


def test_only_the_busiest_weeks_are_taken(sample: Path, tmp_path: Path) -> None:
    _built(sample, tmp_path / "out", "--weeks", "1")
    assert [order.id for order in _orders(tmp_path / "out")] == ["CA-2017-1", "CA-2017-2"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no rows"),
        (HEADER, "has no rows"),
        ("a,b\n1,2\n", "superstore.csv:2: lacks the column or value 'Row ID'"),
        (f"{HEADER}\n{ROWS[0].replace('First Class', 'By Mule')}\n", "superstore.csv:2: lacks the column or value"),
        (f"{HEADER}\n{ROWS[0].replace('2017-12-05', 'soon')}\n", "superstore.csv:2: Invalid isoformat string"),
        (f"{HEADER}\n1,CA-1\n", "superstore.csv:2"),
        (f"{HEADER}\n{ROWS[0].replace(',2,0,1', ',0,0,1')}\n", "greater than or equal to 1"),
    ],
)
def test_a_sample_that_cannot_be_understood_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    (tmp_path / "superstore.csv").write_text(text, "utf-8")
    assert build.main(["--csv", str(tmp_path / "superstore.csv"), "--out", str(tmp_path / "out")]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_sample_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--csv", str(tmp_path / "none.csv")]) == 1
    assert "cannot use the sample" in capsys.readouterr().err


def test_the_committed_files_are_those_that_the_program_makes() -> None:
    made = {**build.policy_and_network_files(), "stock.csv": build.stock_file(_orders())}
    made["orders.jsonl"] = build.orders_file(_orders())
    assert [name for name, text in made.items() if (EXAMPLE / name).read_text("utf-8") != text] == []


def test_the_network_has_eight_warehouses_and_sixteen_stores() -> None:
    types = [source.type for source in _sources()]
    assert (types.count(SourceType.WAREHOUSE), types.count(SourceType.STORE), len(types)) == (8, 16, 24)


def test_sources_lie_where_their_zip_codes_say() -> None:
    geocoder = OfflineGeocoder()
    for source in _sources():
        found = geocoder.locate(source.address)
        assert found is not None, source.id
        assert source.location is not None, source.id
        assert abs(found.latitude - source.location.latitude) < 0.1, source.id
        assert abs(found.longitude - source.location.longitude) < 0.1, source.id


def test_at_any_hour_of_the_week_some_sources_take_orders() -> None:
    def is_open(source: Source, now: datetime) -> bool:
        local = source.local_time(now)
        before_cut_off = source.cut_off is None or local.time() < source.cut_off
        return source.calendar.is_working_day(local.date()) and before_cut_off

    week = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24 * 7)]
    open_sources = [sum(is_open(source, now) for source in _sources()) for now in week]
    assert min(open_sources) >= 8
    assert max(open_sources) == 24


def test_every_kind_of_rule_is_used_by_some_strategy() -> None:
    linked = {rule_id for strategy in _strategies() for rule_id in strategy.rule_ids}
    assert {rule.kind for rule in _rules() if rule.id in linked} == {
        "minimum_inventory",
        "location_priority",
        "partial_orders",
        "offline_location",
        "maximum_rejects",
        "maximum_distance",
        "maximum_orders",
        "working_hours",
    }
    assert linked == {rule.id for rule in _rules()}


def test_no_mode_of_delivery_belongs_to_two_strategies_and_none_is_left_out() -> None:
    modes = [mode for strategy in _strategies() for mode in strategy.modes_of_delivery]
    assert len(modes) == len(set(modes))
    assert {order.mode_of_delivery for order in _orders()} == set(modes)


def _named(value: Any, field: str) -> set[str]:
    """All values of a field, however deep in a rule's parameters."""
    if isinstance(value, list):
        return set().union(*(_named(item, field) for item in value))
    if isinstance(value, dict):
        here = {value[field]} if field in value else set()
        return here.union(*(_named(item, field) for item in value.values()))
    return set()


def test_nothing_refers_to_what_does_not_exist() -> None:
    sources = {source.id for source in _sources()}
    lists = {group.id: set(group.source_ids) for group in _committed("source_lists", tuple[SourceList, ...])}
    products = {product.id for product in _products()}
    params = [rule.params for rule in _rules()]
    categories = {category for product in _products() for category in product.categories}
    assert set().union(*lists.values()) == sources
    assert _named(params, "source_id") <= sources
    assert _named(params, "source_list_id") | {strategy.source_list_id for strategy in _strategies()} <= set(lists)
    assert _named(params, "category") <= categories
    assert _named(params, "supplementary_category") <= {n for p in _products() for n in p.supplementary_categories}
    assert {line.product_id for order in _orders() for line in order.lines} == products
    assert {level.product_id for level in _stock()} <= products
    assert {level.source_id for level in _stock()} <= sources
    assert _committed("cost_factors", tuple[CostFactorRecord, ...]) == ()


def test_orders_come_without_coordinates_and_every_zip_code_can_be_found() -> None:
    geocoder = OfflineGeocoder()
    assert [order.id for order in _orders() if order.location or geocoder.locate(order.ship_to) is None] == []


def test_orders_are_many_and_named_once() -> None:
    orders = _orders()
    assert len({order.id for order in orders}) == len(orders) == 245
    assert sum(len(order.lines) for order in orders) == 502


def test_stock_is_scarce_in_several_ways() -> None:
    stock: dict[str, list[int]] = {}
    for level in _stock():
        stock.setdefault(level.product_id, []).append(level.on_hand)
    wanted: dict[str, list[int]] = {}
    for order in _orders():
        for line in order.lines:
            wanted.setdefault(line.product_id, []).append(line.units)
    nowhere = [product for product in wanted if product not in stock]
    too_little = [p for p in wanted if p in stock and sum(stock[p]) < sum(wanted[p])]
    scattered = [p for p in wanted if p in stock and max(stock[p]) < max(wanted[p]) <= sum(stock[p])]
    fought_over = [p for p in too_little if len(wanted[p]) > 1]
    counts = [len(nowhere), len(too_little), len(scattered), len(fought_over)]
    assert all(count >= 10 for count in counts), counts


def test_orders_are_json_lines_without_defaults() -> None:
    first = json.loads((EXAMPLE / "orders.jsonl").read_text("utf-8").splitlines()[0])
    assert set(first) <= {"id", "ordered_at", "lines", "ship_to", "mode_of_delivery", "priority_class", "promised_by"}
