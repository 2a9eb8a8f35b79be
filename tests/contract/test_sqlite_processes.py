"""The embedded store with several processes at once, and with processes that die in the middle of their work."""

import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.adapters.sqlite import Database, SqliteDocuments, SqliteQueues
from dom_core.errors import StoreConflict
from dom_core.ports import Container, Create

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEADLINE_S = 120
PROCESSES = 4

# A fresh interpreter for each: nothing is shared but the file.
fresh = multiprocessing.get_context("spawn")


def increment(path: Path, times: int) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        done = 0
        while done < times:
            found = store.read(Container.STOCK, "SKU-1", "stock")
            assert found is not None
            try:
                store.replace(Container.STOCK, "SKU-1", "stock", {"units": found.body["units"] + 1}, found.etag)
            except StoreConflict:
                continue
            done += 1


def drain(path: Path, process: int) -> None:
    """Handle every message: a document per handling, whose id shows who handled what."""
    with Database(path) as database:
        queues, store = SqliteQueues(database, FixedClock(NOON)), SqliteDocuments(database)
        while messages := queues.receive("orders", limit=2):
            for message in messages:
                store.create(Container.ORDERS, message.id, f"by-{process}", {"text": message.body.decode()})
                queues.delete("orders", message)


def create_one(path: Path, process: int) -> None:
    with Database(path) as database:
        SqliteDocuments(database).create(Container.ORDERS, "O-1", str(process), {})


def hold_a_message(path: Path, ready: Connection) -> None:
    with Database(path) as database:
        (message,) = SqliteQueues(database, FixedClock(NOON)).receive("orders", visibility_timeout_s=600)
        ready.send(message.id)
        signal.pause()


def die_in_a_batch(path: Path) -> None:
    """Kill this very process at the 50th insert of a batch of 60 documents of 19 kB."""
    with Database(path) as database:
        inserts = 0

        def die_at_the_50th(statement: str) -> None:
            nonlocal inserts
            inserts += statement.lstrip().startswith("INSERT")
            if inserts == 50:
                os.kill(os.getpid(), signal.SIGKILL)

        with database.reading() as connection:
            # With so little memory SQLite writes to its log before the batch is done.
            connection.execute("PRAGMA cache_size = 10")
            connection.set_trace_callback(die_at_the_50th)
        writes = [Create(f"{number:03}", {"text": "x" * 19_000}) for number in range(60)]
        SqliteDocuments(database).batch(Container.PLANS, "P-1", writes)


def run_at_once(target: object, arguments: list[tuple[object, ...]]) -> None:
    processes = [fresh.Process(target=target, args=each) for each in arguments]  # type: ignore[arg-type] # any function will do
    for process in processes:
        process.start()
    for process in processes:
        process.join(DEADLINE_S)
    assert [process.exitcode for process in processes] == [0] * len(processes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dom.sqlite3"


def test_processes_that_increment_one_document_lose_nothing(path: Path) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        store.create(Container.STOCK, "SKU-1", "stock", {"units": 0})

        run_at_once(increment, [(path, 50)] * PROCESSES)

        found = store.read(Container.STOCK, "SKU-1", "stock")
        assert found is not None
        assert found.body == {"units": 50 * PROCESSES}


def test_processes_that_drain_one_queue_handle_each_message_once(path: Path) -> None:
    with Database(path) as database:
        queues, store = SqliteQueues(database, FixedClock(NOON)), SqliteDocuments(database)
        sent = {queues.send("orders", f"{number}".encode()): f"{number}" for number in range(100)}

        run_at_once(drain, [(path, process) for process in range(PROCESSES)])

        handled = store.query(Container.ORDERS, limit=1000).documents
        assert len(handled) == len(sent)
        assert {document.partition: document.body["text"] for document in handled} == sent
        assert queues.length("orders") == 0


def test_processes_that_make_the_file_at_the_same_time_all_get_it(path: Path) -> None:
    run_at_once(create_one, [(path, process) for process in range(PROCESSES)])

    with Database(path) as database:
        assert len(SqliteDocuments(database).query(Container.ORDERS).documents) == PROCESSES


def test_the_message_of_a_killed_process_returns_after_its_timeout(path: Path) -> None:
    clock = FixedClock(NOON)
    with Database(path) as database:
        queues = SqliteQueues(database, clock)
        id = queues.send("orders", b"{}")
        ready, child_end = fresh.Pipe(duplex=False)
        with ready, child_end:
            holder = fresh.Process(target=hold_a_message, args=(path, child_end))
            holder.start()
            assert ready.poll(DEADLINE_S)
            assert ready.recv() == id
            holder.kill()
            holder.join(DEADLINE_S)

        clock.time = NOON + timedelta(seconds=599)
        assert queues.receive("orders") == []
        clock.time = NOON + timedelta(seconds=600)
        (message,) = queues.receive("orders")

    assert holder.exitcode == -signal.SIGKILL
    assert (message.id, message.dequeue_count) == (id, 2)


def test_a_process_killed_in_the_middle_of_a_batch_leaves_nothing_of_it(path: Path) -> None:
    with Database(path) as database:
        SqliteDocuments(database).create(Container.PLANS, "P-1", "before", {})
    process = fresh.Process(target=die_in_a_batch, args=(path,))
    process.start()
    process.join(DEADLINE_S)
    assert process.exitcode == -signal.SIGKILL
    # Most of the batch had reached the log already.
    assert path.with_name("dom.sqlite3-wal").stat().st_size > 500_000

    with Database(path) as database:
        store = SqliteDocuments(database)
        assert [document.id for document in store.query(Container.PLANS).documents] == ["before"]
        store.create(Container.PLANS, "P-1", "after", {})
        with database.reading() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_opens_its_own_connection(path: Path) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        store.create(Container.ORDERS, "O-1", "parent", {})

        child = multiprocessing.get_context("fork").Process(target=_write_as_child, args=(database,))
        child.start()
        child.join(DEADLINE_S)

        assert child.exitcode == 0
        assert [document.id for document in store.query(Container.ORDERS).documents] == ["child", "parent"]


def _write_as_child(database: Database) -> None:
    inherited = list(database._connections.values())
    SqliteDocuments(database).create(Container.ORDERS, "O-1", "child", {})
    with database.reading() as connection:
        assert connection not in inherited
    database.close()
    assert all(isinstance(old, sqlite3.Connection) for old in database._connections.values())
