"""What every blob store keeps to. A further adapter adds one entry to BLOBS."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.sqlite import Database, SqliteBlobs
from dom_core.adapters.storage_blob import from_connection_string
from dom_core.errors import InvalidInput
from dom_core.ports import Blobs
from tests import azure_servers

NOBODYS = "0" * 32


@contextmanager
def _embedded(request: pytest.FixtureRequest) -> Iterator[Blobs]:
    with Database(request.getfixturevalue("tmp_path") / "dom.sqlite3") as database:
        yield SqliteBlobs(database, SystemClock())


@contextmanager
def _azurite(request: pytest.FixtureRequest) -> Iterator[Blobs]:
    connection_string = request.getfixturevalue("azurite_connection")
    azure_servers.forget_blobs(connection_string)
    with closing(from_connection_string(connection_string)) as blobs:
        yield blobs


BLOBS: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[Blobs]]] = {
    "embedded": _embedded,
    "azurite": _azurite,
}


@pytest.fixture(params=BLOBS.values(), ids=list(BLOBS))
def blobs(request: pytest.FixtureRequest) -> Iterator[Blobs]:
    with request.param(request) as opened:
        yield opened


@pytest.mark.parametrize("content", [b"{}", b"\x00\xff\r\n", "Größe ✓".encode(), b"x" * 5_000_000], ids=len)
def test_what_was_put_is_got_byte_for_byte(content: bytes, blobs: Blobs) -> None:
    assert blobs.get(blobs.put(content)) == content


def test_the_same_content_twice_is_two_blobs(blobs: Blobs) -> None:
    first, second = blobs.put(b"{}"), blobs.put(b"{}")
    blobs.delete(first)
    assert (blobs.get(first), blobs.get(second)) == (None, b"{}")


def test_an_unknown_name_has_no_content(blobs: Blobs) -> None:
    assert blobs.get(NOBODYS) is None
    blobs.put(b"{}")
    assert blobs.get(NOBODYS) is None


def test_deleting_what_is_gone_is_no_error(blobs: Blobs) -> None:
    blobs.delete(NOBODYS)
    name = blobs.put(b"{}")
    blobs.delete(name)
    blobs.delete(name)
    assert list(blobs.every()) == []


def test_all_blobs_are_listed_by_name_with_the_time_of_their_put(blobs: Blobs) -> None:
    assert list(blobs.every()) == []
    before = datetime.now(UTC) - timedelta(seconds=2)
    names = sorted(blobs.put(b"{}") for _ in range(3))
    found = list(blobs.every())
    assert [blob.name for blob in found] == names
    assert all(before <= blob.stored_at <= datetime.now(UTC) + timedelta(seconds=2) for blob in found)


def test_names_cannot_be_guessed_from_each_other_or_from_the_content(blobs: Blobs) -> None:
    names = [blobs.put(b"{}") for _ in range(20)]
    assert len({name[:8] for name in names}) == len(set(names)) == 20


def test_many_put_at_once_and_nothing_is_lost(blobs: Blobs) -> None:
    contents = [b"%d" % number for number in range(30)]
    with ThreadPoolExecutor(6) as threads:
        names = list(threads.map(blobs.put, contents))
    assert [blobs.get(name) for name in names] == contents


@pytest.mark.parametrize(
    "name",
    ["", "a", "../secrets", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "0" * 31 + "/", "0" * 16 + "%2F" + "0" * 13],
)
def test_no_name_but_ours_is_ever_asked_for(name: str, blobs: Blobs) -> None:
    with pytest.raises(InvalidInput):
        blobs.get(name)
    with pytest.raises(InvalidInput):
        blobs.delete(name)


def test_nothing_and_too_much_are_refused(blobs: Blobs) -> None:
    with pytest.raises(InvalidInput):
        blobs.put(b"")
    with pytest.raises(InvalidInput):
        blobs.put(bytes(100_000_001))
    assert list(blobs.every()) == []
