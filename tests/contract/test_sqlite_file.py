"""The file of the embedded store: how it is made, shared by threads, refused, and closed."""

import gc
import os
import sqlite3
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, faults, schema
from dom_core.errors import DomError, StoreUnusable, Unavailable
from dom_core.ports import Container, Create

ORDERS = Container.ORDERS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dom.sqlite3"


def test_the_folder_and_the_file_are_made_at_the_first_use(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "dom.sqlite3"
    with Database(path) as database:
        assert not path.parent.exists()

        SqliteDocuments(database).create(ORDERS, "O-1", "order", {})

    assert path.is_file()


def test_what_was_stored_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with Database(path) as database:
        created = SqliteDocuments(database).create(ORDERS, "O-1", "order", {"n": 1})

    with Database(path) as database:
        assert SqliteDocuments(database).read(ORDERS, "O-1", "order") == created


def test_etags_do_not_begin_again_when_the_file_is_opened_again(path: Path) -> None:
    with Database(path) as database:
        first = SqliteDocuments(database).create(ORDERS, "O-1", "order", {})
        SqliteDocuments(database).delete(ORDERS, "O-1", "order", first.etag)

    with Database(path) as database:
        assert SqliteDocuments(database).create(ORDERS, "O-1", "order", {}).etag != first.etag


def test_the_file_keeps_a_write_ahead_log_and_flushes_it_at_every_commit(path: Path) -> None:
    with Database(path) as database, database.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_reader_does_not_wait_for_a_writer_and_sees_nothing_unfinished(path: Path) -> None:
    with Database(path, busy_timeout_s=0) as database, Database(path, busy_timeout_s=0) as other:
        stored = SqliteDocuments(database).create(ORDERS, "O-1", "order", {"n": 1})
        with database.writing() as connection:
            connection.execute("UPDATE documents SET body = '{}'")

            assert SqliteDocuments(other).read(ORDERS, "O-1", "order") == stored


def test_a_writer_whose_turn_does_not_come_in_time_gets_unavailable(path: Path) -> None:
    with Database(path) as database, Database(path, busy_timeout_s=0.05) as other:
        with database.writing(), pytest.raises(Unavailable, match="locked"):
            SqliteDocuments(other).create(ORDERS, "O-1", "order", {})

        SqliteDocuments(other).create(ORDERS, "O-1", "order", {})


def test_a_new_file_that_another_process_keeps_locked_is_unavailable(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other, Database(path, busy_timeout_s=0.05) as database:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Unavailable, match="locked"):
            SqliteDocuments(database).read(ORDERS, "O-1", "order")


def test_a_process_waits_for_another_that_is_making_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other, Database(path) as database:
        other.execute("BEGIN IMMEDIATE")
        pauses: list[float] = []

        def other_ends_meanwhile(pause_s: float) -> None:
            pauses.append(pause_s)
            other.execute("COMMIT")

        monkeypatch.setattr(time, "sleep", other_ends_meanwhile)

        created = SqliteDocuments(database).create(ORDERS, "O-1", "order", {})

        assert SqliteDocuments(database).read(ORDERS, "O-1", "order") == created
        assert len(pauses) == 1


def write_and_be_interrupted(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("UPDATE last_write SET number = 77")
        raise KeyboardInterrupt


def test_an_exception_within_a_transaction_undoes_it(path: Path) -> None:
    with Database(path) as database:
        with pytest.raises(KeyboardInterrupt):
            write_and_be_interrupted(database)

        with database.reading() as connection:
            assert connection.execute("SELECT number FROM last_write").fetchone() == (0,)


def test_a_full_disk_is_unavailable_and_undoes_the_write(path: Path) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        with database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 20")

        with pytest.raises(Unavailable, match="full"):
            store.create(ORDERS, "O-1", "order", {"text": "x" * 200_000})

        store.create(ORDERS, "O-1", "order", {})


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_file_is_named_together_with_the_way_out(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with Database(path) as database, pytest.raises(StoreUnusable, match="not a database") as caught:
        SqliteDocuments(database).read(ORDERS, "O-1", "order")

    assert str(path) in str(caught.value)
    assert "backup" in caught.value.way_out
    assert path.read_bytes() == content


def test_a_page_that_is_damaged_later_is_named_together_with_the_way_out(path: Path) -> None:
    with Database(path) as database:
        for number in range(100):
            SqliteDocuments(database).create(ORDERS, f"O-{number}", "order", {"text": "x" * 1000})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    with Database(path) as database, pytest.raises(StoreUnusable, match="malformed"):
        SqliteDocuments(database).query(ORDERS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Unavailable),
        (sqlite3.SQLITE_IOERR_READ, StoreUnusable),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreUnusable),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreUnusable),
    ],
)
def test_sqlites_detailed_codes_mean_what_their_families_mean(path: Path, code: int, kind: type[DomError]) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code

    assert type(faults.explain(error, path)) is kind


def test_an_error_in_our_own_statement_stays_sqlites(path: Path) -> None:
    with Database(path) as database, pytest.raises(sqlite3.OperationalError), database.reading() as connection:
        connection.execute("SELECT nothing FROM nowhere")


def test_a_last_page_that_is_exactly_full_says_that_it_is_the_last(path: Path) -> None:
    with Database(path) as database:
        SqliteDocuments(database).batch(ORDERS, "O-1", [Create("a", {}), Create("b", {})])

        assert SqliteDocuments(database).query(ORDERS, limit=2).continuation is None


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with Database(tmp_path) as database, pytest.raises(StoreUnusable, match="DOM_STORE_PATH"):
        SqliteDocuments(database).read(ORDERS, "O-1", "order")


def test_a_folder_that_cannot_be_made_is_refused(path: Path) -> None:
    path.write_text("a file where a folder should be")

    with Database(path / "dom.sqlite3") as database, pytest.raises(StoreUnusable, match="DOM_STORE_PATH"):
        SqliteDocuments(database).read(ORDERS, "O-1", "order")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused(path: Path) -> None:
    with Database(path) as database:
        SqliteDocuments(database).create(ORDERS, "O-1", "order", {})
    path.chmod(0o400)

    with Database(path) as database, pytest.raises(StoreUnusable, match="DOM_STORE_PATH"):
        SqliteDocuments(database).create(ORDERS, "O-1", "other", {})


def test_another_programs_database_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    with Database(path) as database, pytest.raises(StoreUnusable, match="another program"):
        SqliteDocuments(database).read(ORDERS, "O-1", "order")

    assert path.read_bytes() == before


def test_tables_of_another_version_are_refused(path: Path) -> None:
    with Database(path) as database, database.writing() as connection:
        connection.execute("PRAGMA user_version = 99")

    with Database(path) as database, pytest.raises(StoreUnusable, match="version 99"):
        SqliteDocuments(database).read(ORDERS, "O-1", "order")


def test_a_file_of_the_first_version_gets_the_newer_tables_and_keeps_its_content(path: Path) -> None:
    with Database(path) as database:
        stored = SqliteDocuments(database).create(ORDERS, "O-1", "order", {"n": 1})
        with database.writing() as connection:
            connection.execute("DROP TABLE blobs")
            connection.execute("PRAGMA user_version = 1")

    with Database(path) as database:
        blobs = SqliteBlobs(database, SystemClock())
        assert blobs.get(blobs.put(b"{}")) == b"{}"
        assert SqliteDocuments(database).read(ORDERS, "O-1", "order") == stored
        with database.reading() as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_each_thread_has_its_own_connection_and_keeps_it(path: Path) -> None:
    with Database(path) as database:
        with database.reading() as mine, database.reading() as again:
            assert mine is again
        theirs: list[sqlite3.Connection] = []

        def look() -> None:
            with database.reading() as connection:
                theirs.append(connection)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

        assert theirs[0] is not mine


def test_the_connections_of_threads_that_ended_are_closed(path: Path) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        for number in range(5):
            thread = threading.Thread(target=store.create, args=(ORDERS, "O-1", f"{number}", {}))
            thread.start()
            thread.join()

        assert len(database._connections) == 1


def test_closing_leaves_no_log_no_connection_and_no_warning(path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        database = Database(path)
        SqliteDocuments(database).create(ORDERS, "O-1", "order", {})
        database.close()
        database.close()
        del database
        gc.collect()

    assert [str(warning.message) for warning in caught] == []
    assert [file.name for file in path.parent.iterdir()] == ["dom.sqlite3"]


def test_a_closed_database_opens_again_when_it_is_used(path: Path) -> None:
    with Database(path) as database:
        store = SqliteDocuments(database)
        created = store.create(ORDERS, "O-1", "order", {})
        database.close()

        assert store.read(ORDERS, "O-1", "order") == created


def test_a_file_named_like_sqlites_memory_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with Database(":memory:") as database:
        SqliteDocuments(database).create(ORDERS, "O-1", "order", {})

    assert (tmp_path / ":memory:").is_file()
