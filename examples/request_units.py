"""What the Superstore example would be charged by Cosmos DB: `python -m examples.request_units`. An estimate.

No server here charges as Azure does, so every operation is priced by the size of what it reads and writes, from the
documented figures: a request unit (RU) for reading a kilobyte by its id, six for writing one. A query is taken to cost
two and a half RU besides the kilobytes that it reads. Azure's own charges stand in the events `run_ended` and
`work_charged` of a real installation; compare.
"""

import argparse
import csv
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.cosmos.items import to_item
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues
from dom_core.charges import ChargeTotals, charge, charged_to
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Body, Container, Delete, Document, DocumentStore, Page, Write
from dom_core.settings import from_environment
from dom_core.use_cases import configure, set_stock
from dom_core.use_cases.configure import ConfigKind
from dom_core.use_cases.context import Ports
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.submit_order import submit_order
from dom_core.use_cases.take_order import take_order

READ_RU_PER_KB = 1.0
WRITE_RU_PER_KB = 6.0
QUERY_RU = 2.5
SYSTEM_FIELDS_BYTES = 220
"""What Cosmos DB adds to an item: `_rid`, `_self`, `_etag`, `_attachments`, `_ts`."""

HERE = Path(__file__).parent / "superstore"


def size_kb(container: Container, partition: str, id: str, body: Body) -> int:
    """The kilobytes of a stored document, each one begun counted whole."""
    item = json.dumps(to_item(container, partition, id, body, "0" * 32), ensure_ascii=False, separators=(",", ":"))
    return math.ceil((len(item.encode()) + SYSTEM_FIELDS_BYTES) / 1024)


class PricedDocuments:
    """A document store that charges what Cosmos DB probably would. Implements `DocumentStore` around another one."""

    def __init__(self, documents: DocumentStore, totals: ChargeTotals) -> None:
        self._documents = documents
        self._totals = totals

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        """A point read; one that finds nothing costs a kilobyte."""
        found = self._documents.read(container, partition, id)
        self._charge(container, "read", READ_RU_PER_KB * (_size_of(container, found) if found else 1))
        return found

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        """A write of the whole document."""
        self._charge(container, "create", WRITE_RU_PER_KB * size_kb(container, partition, id, body))
        return self._documents.create(container, partition, id, body)

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        """A write of the whole document."""
        self._charge(container, "replace", WRITE_RU_PER_KB * size_kb(container, partition, id, body))
        return self._documents.replace(container, partition, id, body, etag)

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        """A write of one kilobyte."""
        self._charge(container, "delete", WRITE_RU_PER_KB)
        self._documents.delete(container, partition, id, etag)

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        """The sum of its writes."""
        sizes = [
            1 if isinstance(write, Delete) else size_kb(container, partition, write.id, write.body) for write in writes
        ]
        self._charge(container, "batch", WRITE_RU_PER_KB * sum(sizes))
        return self._documents.batch(container, partition, writes)

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        """A page: the query itself, and what it reads."""
        page = self._documents.query(
            container, partition=partition, where=where, limit=limit, continuation=continuation
        )
        read_kb = sum(_size_of(container, document) for document in page.documents)
        name = "query_across" if partition is None else "query"
        self._charge(container, name, QUERY_RU + READ_RU_PER_KB * read_kb)
        return page

    def _charge(self, container: Container, operation: str, request_units: float) -> None:
        self._totals.record(charge(container, operation, request_units))


def _size_of(container: Container, document: Document) -> int:
    return size_kb(container, document.partition, document.id, document.body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the example's orders in, plan and apply them, and print what each step would cost."""
    argparse.ArgumentParser(prog="python -m examples.request_units", description=__doc__).parse_args(arguments)
    totals = ChargeTotals()
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "priced.sqlite3") as database:
        ports = _ports(database, totals)
        _configure(ports)
        orders = (HERE / "orders.jsonl").read_bytes().splitlines()
        _take_in(ports, orders)
        lines = sum(_run(ports, strategy["id"]) for strategy in _config("strategies"))
    for row in table(totals, len(orders), lines):
        print(row)  # noqa: T201  # a command's output
    return 0


def table(totals: ChargeTotals, orders: int, lines: int) -> list[str]:
    """RU by use case and operation, per order or per planned line."""
    rows = [f"{orders} orders, {lines} planned lines", f"{'use case':<14} {'operation':<13} {'requests':>8} {'RU':>9}"]
    per: dict[str, float] = {}
    for (use_case, operation), total in totals.by_use_case_and_operation().items():
        rows.append(f"{use_case:<14} {operation:<13} {total.requests:>8} {total.request_units:>9,.0f}")
        per[use_case] = per.get(use_case, 0.0) + total.request_units
    intake = per.get("submit_order", 0.0), per.get("take_order", 0.0)
    rows.append(f"per order: {intake[0] / orders:.1f} RU to post it, {intake[1] / orders:.1f} RU to take it in")
    rows.append(f"per planned line: {per.get('plan_batch', 0.0) / lines:.1f} RU")
    return rows


def _ports(database: Database, totals: ChargeTotals) -> Ports:
    clock = SystemClock()
    return Ports(
        store=PricedDocuments(SqliteDocuments(database), totals),
        queues=SqliteQueues(database, clock),
        blobs=SqliteBlobs(database, clock),
        clock=clock,
        geocoder=OfflineGeocoder(),
        settings=from_environment({}),
        solver=CbcSolver(),
    )


def _config(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HERE / "config" / f"{name}.json").read_bytes())
    return found


def _configure(ports: Ports) -> None:
    with charged_to("configure"):
        for kind in ConfigKind:
            configure.save_many(ports, kind, json.dumps(_config(kind.value.replace("-", "_"))).encode())
        with (HERE / "stock.csv").open(newline="") as file:
            levels = [{**row, "on_hand": int(row["on_hand"])} for row in csv.DictReader(file)]
        set_stock.set_many(ports, json.dumps(levels).encode())


def _take_in(ports: Ports, orders: Sequence[bytes]) -> None:
    for number, order in enumerate(orders):
        with charged_to("submit_order"):
            submit_order(ports, order)
        with charged_to("take_order"):
            take_order(ports, order, f"M{number}")


def _run(ports: Ports, strategy_id: str) -> int:
    run = plan_batch(ports, f"run-{strategy_id}", strategy_id)
    return run.summary.lines if run.summary else 0


if __name__ == "__main__":
    sys.exit(main())
