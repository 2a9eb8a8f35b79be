"""The estimate of charges: prices worked out by hand, and every request priced once."""

from pathlib import Path

import pytest

from dom_core.adapters.sqlite import Database, SqliteDocuments
from dom_core.charges import ChargeTotals, Total, charged_to
from dom_core.ports import Container, Create, Delete
from examples.request_units import PricedDocuments, size_kb, table

ORDERS = Container.ORDERS


def body_of(kilobytes: float) -> dict[str, str]:
    return {"text": "x" * int(kilobytes * 1024)}


@pytest.mark.parametrize(("kilobytes", "counted"), [(0, 1), (0.6, 1), (0.9, 2), (1.6, 2), (9.5, 10)])
def test_a_kilobyte_that_is_begun_counts(kilobytes: float, counted: int) -> None:
    # 0.3 KB are the keys, the id of the write and what Cosmos DB adds itself.
    assert size_kb(ORDERS, "O1", "O1", body_of(kilobytes)) == counted


def test_each_operation_has_its_price(tmp_path: Path) -> None:
    totals = ChargeTotals()
    with Database(tmp_path / "priced.sqlite3") as database, charged_to("trying"):
        store = PricedDocuments(SqliteDocuments(database), totals)
        stored = store.create(ORDERS, "O1", "O1", body_of(2.5))
        store.replace(ORDERS, "O1", "O1", body_of(0.1), stored.etag)
        store.read(ORDERS, "O1", "O1")
        store.read(ORDERS, "O2", "O2")
        store.batch(ORDERS, "O1", [Create("a", body_of(0.1)), Create("b", body_of(1.5))])
        found = store.query(ORDERS, partition="O1")
        store.query(ORDERS, limit=10)
        store.batch(ORDERS, "O1", [Delete(each.id, each.etag) for each in found.documents[:1]])
        store.delete(ORDERS, "O1", "b", found.documents[2].etag)
    assert [document.id for document in found.documents] == ["O1", "a", "b"]
    assert totals.by_use_case_and_operation() == {
        ("trying", "batch"): Total(2, 6 * (1 + 2) + 6.0),
        ("trying", "create"): Total(1, 6 * 3.0),
        ("trying", "delete"): Total(1, 6.0),
        ("trying", "query"): Total(1, 2.5 + 1 + 1 + 2),
        ("trying", "query_across"): Total(1, 2.5 + 1 + 1 + 2),
        ("trying", "read"): Total(2, 1 + 1.0),
        ("trying", "replace"): Total(1, 6.0),
    }


def test_the_table_divides_by_orders_and_by_lines() -> None:
    totals = ChargeTotals()
    assert table(totals, orders=2, lines=4)[-2:] == [
        "per order: 0.0 RU to post it, 0.0 RU to take it in",
        "per planned line: 0.0 RU",
    ]
