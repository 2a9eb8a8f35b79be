"""Measure the service on this machine, on both stores, and write benchmarks/SERVICE.md: `make bench-service`.

    python -m benchmarks.service [--quick] [--to FILE]

Nothing is judged: figures of one run on one machine are compared with each other only.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from benchmarks.service_applying import Applying, on_cosmos, on_sqlite, plan_stored_and_read, timed
from benchmarks.service_intake import CLIENTS, Intake, intake
from tests import azure_servers

TABLE = Path(__file__).parent / "SERVICE.md"
AT_ONCE = 8
DISTANCE_MS = 5.0
SERVERS = ("azure-cosmos", "azure-functions", "azure-storage-queue")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    orders: int
    applied_lines: int
    stored_lines: Sequence[int]


FULL = Size(orders=1000, applied_lines=10_000, stored_lines=(10_000, 100_000))
QUICK = Size(orders=20, applied_lines=40, stored_lines=(100,))


@dataclass(frozen=True)
class Figures:
    """Everything that was measured."""

    import_s: float
    intakes: Sequence[Intake]
    applied: Sequence[Applying]
    stored: Sequence[tuple[float, float, int]]


def measure(size: Size) -> Figures:
    """Everything, one after the other. Needs Node."""
    with tempfile.TemporaryDirectory() as folder, azure_servers.cosmos_server() as endpoint:
        places = Path(folder)
        for name in ("sqlite", "azure", "applied", "far", "near", "one", "many"):
            (places / name).mkdir()
        lines = size.applied_lines
        with _azure(endpoint) as variables:
            intakes = [
                intake("SQLite file", places / "sqlite", {"DOM_STORE": "sqlite"}, size.orders),
                intake("Azurite and Cosmos DB server", places / "azure", variables, size.orders),
            ]
        return Figures(
            import_s=_import_s(),
            intakes=intakes,
            applied=[
                on_sqlite(places / "applied", lines),
                on_cosmos(places / "one", endpoint, lines, at_once=1),
                on_cosmos(places / "near", endpoint, lines, AT_ONCE),
                on_cosmos(places / "far", endpoint, lines, 1, DISTANCE_MS),
                on_cosmos(places / "many", endpoint, lines, AT_ONCE, DISTANCE_MS),
            ],
            stored=[plan_stored_and_read(endpoint, wanted) for wanted in size.stored_lines],
        )


@contextmanager
def _azure(endpoint: str) -> Iterator[Mapping[str, str]]:
    """Settings for queues and a database of their own."""
    with azure_servers.azurite() as connection, azure_servers.database(endpoint) as database:
        yield {
            **azure_servers.settings(endpoint, connection),
            "DOM_COSMOS_DATABASE": database.database,
            "DOM_ORDERS_QUEUE": f"orders-{uuid4().hex}",
        }


def _import_s() -> float:
    """Seconds for Python to start and to import the app, as a host does."""
    command = [sys.executable, "-c", "import function_app"]
    return timed(lambda: subprocess.run(command, check=True, cwd=azure_servers.ROOT))[1]  # noqa: S603  # ourselves


def as_markdown(figures: Figures, size: Size) -> str:
    """The page that shows the figures."""
    rows = [*_head(size), *_intake_rows(figures), *_applying_rows(figures), *_storing_rows(figures)]
    return "\n".join(rows) + "\n"


def _head(size: Size) -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in SERVERS)
    return [
        "# The service in figures",
        "",
        "Written by `make bench-service`. One run on one machine: compare the figures with each other, not with those",
        "of another machine. The Cosmos DB server and Azurite run on the same cores as the app and the clients, and",
        "neither is Azure: what Cosmos DB charges and how far away it is, only Azure can say. A load above the",
        "number of cores means that other programs were at work meanwhile: then only the ratios say something.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores ({platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}; {versions}.",
        "",
        f"## Orders in: HTTP → queue → store ({size.orders:,} orders of two lines, {CLIENTS} clients)",
        "",
    ]


def _intake_rows(figures: Figures) -> list[str]:
    return [
        "| Store | orders/s until stored | `post_order` p50 | p99 | use case p50 | p99 | start to health | requests |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {each.place} | {each.orders_a_second:.0f} | {each.http_p50_ms:.1f} ms | {each.http_p99_ms:.1f} ms "
            f"| {each.use_case_p50_ms:.1f} ms | {each.use_case_p99_ms:.1f} ms | {each.start_s:.1f} s "
            f"| {_or_dash(each.requests_an_order)} |"
            for each in figures.intakes
        ),
        "",
        f"Starting Python and importing the app alone took {figures.import_s:.2f} s. *Requests* are those to Cosmos DB",
        "for submitting and taking one order; the server here charges 1 for each, so RU are not known.",
        "",
    ]


def _applying_rows(figures: Figures) -> list[str]:
    return [
        f"## Applying a plan of {figures.applied[0].lines:,} lines",
        "",
        "| Store | requests at once | apply | requests a line |",
        "|---|---:|---:|---:|",
        *(
            f"| {each.place} | {each.requests_at_once} | {each.apply_s:.1f} s "
            f"| {_or_dash(each.requests / each.lines)} |"
            for each in figures.applied
        ),
        "",
    ]


def _storing_rows(figures: Figures) -> list[str]:
    return [
        "## Storing and reading a plan on the Cosmos DB server",
        "",
        "| Lines | store | read |",
        "|---:|---:|---:|",
        *(f"| {lines:,} | {store_s:.1f} s | {read_s:.1f} s |" for store_s, read_s, lines in figures.stored),
    ]


def _or_dash(requests: float) -> str:
    return f"{requests:.2f}" if requests else "–"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write. Exit code 1 where the servers cannot run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few orders only: whether it works, not how fast")
    parser.add_argument("--to", type=Path, default=TABLE, help="the page to write (default: benchmarks/SERVICE.md)")
    wanted = parser.parse_args(arguments)
    size = QUICK if wanted.quick else FULL
    try:
        page = as_markdown(measure(size), size)
    except azure_servers.NodeMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    wanted.to.write_text(page, "utf-8")
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
