"""What every document store keeps to. A further adapter adds one entry to STORES.

An entry opens an empty store; the tests use only what all adapters promise.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.adapters.sqlite import Database, SqliteDocuments
from dom_core.errors import AlreadyExists, DomError, InvalidInput, StoreConflict
from dom_core.ports import Body, Container, Create, Delete, Document, DocumentStore, Replace, Write
from tests import azure_servers

ORDERS = Container.ORDERS


@contextmanager
def _sqlite(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    with Database(request.getfixturevalue("tmp_path") / "dom.sqlite3") as database:
        yield SqliteDocuments(database)


@contextmanager
def _cosmos(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    with azure_servers.database(request.getfixturevalue("cosmos_endpoint")) as connection:
        yield CosmosDocuments(connection)


STORES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[DocumentStore]]] = {
    "sqlite": _sqlite,
    "cosmos": _cosmos,
}


@pytest.fixture(params=STORES.values(), ids=list(STORES))
def store(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    with request.param(request) as opened:
        yield opened


def visit_all(store: DocumentStore, *, limit: int, **query: Any) -> list[Document]:
    """Every document of a query, page by page."""
    page = store.query(ORDERS, limit=limit, **query)
    documents = list(page.documents)
    while page.continuation is not None:
        page = store.query(ORDERS, limit=limit, continuation=page.continuation, **query)
        documents += page.documents
        assert len(page.documents) <= limit
        assert len(documents) <= 1000, "the pages do not end"
    return documents


def ids(documents: list[Document]) -> list[str]:
    return [document.id for document in documents]


class TestPointOperations:
    def test_what_was_created_is_read_back_with_the_same_etag(self, store: DocumentStore) -> None:
        body: Body = {"units": 3, "km": 1.5, "open": True, "note": None, "lines": [{"sku": "Größe ✓"}]}

        created = store.create(ORDERS, "O-1", "order", body)

        assert created.body == body
        assert store.read(ORDERS, "O-1", "order") == created

    def test_an_unknown_document_reads_as_none(self, store: DocumentStore) -> None:
        assert store.read(ORDERS, "O-1", "order") is None

    def test_the_same_id_lives_apart_in_other_partitions_and_containers(self, store: DocumentStore) -> None:
        store.create(ORDERS, "O-1", "x", {"at": 1})
        store.create(ORDERS, "O-2", "x", {"at": 2})
        store.create(Container.PLANS, "O-1", "x", {"at": 3})

        found = [store.read(container, partition, "x") for container, partition in
                 [(ORDERS, "O-1"), (ORDERS, "O-2"), (Container.PLANS, "O-1")]]  # fmt: skip

        assert [document and document.body["at"] for document in found] == [1, 2, 3]

    def test_a_document_is_created_only_once_and_the_first_stays(self, store: DocumentStore) -> None:
        first = store.create(ORDERS, "O-1", "order", {"revision": 1})

        with pytest.raises(AlreadyExists):
            store.create(ORDERS, "O-1", "order", {"revision": 2})

        assert store.read(ORDERS, "O-1", "order") == first

    def test_a_replaced_document_has_a_new_body_and_a_new_etag(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {"revision": 1})

        replaced = store.replace(ORDERS, "O-1", "order", {"revision": 2}, created.etag)

        assert replaced.etag != created.etag
        assert store.read(ORDERS, "O-1", "order") == replaced
        assert replaced.body == {"revision": 2}

    def test_writing_the_same_body_again_changes_the_etag_too(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {"revision": 1})

        assert store.replace(ORDERS, "O-1", "order", {"revision": 1}, created.etag).etag != created.etag

    def test_replacing_with_an_old_etag_is_a_conflict_and_changes_nothing(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {"revision": 1})
        second = store.replace(ORDERS, "O-1", "order", {"revision": 2}, created.etag)

        with pytest.raises(StoreConflict):
            store.replace(ORDERS, "O-1", "order", {"revision": 3}, created.etag)

        assert store.read(ORDERS, "O-1", "order") == second

    def test_replacing_what_vanished_is_a_conflict_and_creates_nothing(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {})
        store.delete(ORDERS, "O-1", "order", created.etag)

        with pytest.raises(StoreConflict):
            store.replace(ORDERS, "O-1", "order", {}, created.etag)

        assert store.read(ORDERS, "O-1", "order") is None

    def test_deleting_with_an_old_etag_is_a_conflict_and_deletes_nothing(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {"revision": 1})
        second = store.replace(ORDERS, "O-1", "order", {"revision": 2}, created.etag)

        with pytest.raises(StoreConflict):
            store.delete(ORDERS, "O-1", "order", created.etag)

        assert store.read(ORDERS, "O-1", "order") == second

    def test_deleting_twice_is_a_conflict(self, store: DocumentStore) -> None:
        created = store.create(ORDERS, "O-1", "order", {})
        store.delete(ORDERS, "O-1", "order", created.etag)

        with pytest.raises(StoreConflict):
            store.delete(ORDERS, "O-1", "order", created.etag)

    def test_a_document_that_is_created_again_does_not_get_its_old_etag_back(self, store: DocumentStore) -> None:
        first = store.create(ORDERS, "O-1", "order", {"life": 1})
        store.delete(ORDERS, "O-1", "order", first.etag)

        second = store.create(ORDERS, "O-1", "order", {"life": 1})

        assert second.etag != first.etag
        with pytest.raises(StoreConflict):
            store.replace(ORDERS, "O-1", "order", {"life": 2}, first.etag)

    @pytest.mark.parametrize(
        "id", ["a'b", 'a"b', "a; DROP TABLE documents; --", "a%b_c", " a b", "Ł-東京-✓", "$.a", "x" * 250]
    )
    def test_ids_are_opaque_text(self, store: DocumentStore, id: str) -> None:
        created = store.create(ORDERS, id, id, {"id": id})

        assert store.read(ORDERS, id, id) == created
        assert ids(visit_all(store, limit=10, partition=id)) == [id]

    @pytest.mark.parametrize("id", ["", "a/b", "a\\b", "a?b", "a#b", "a\tb", "a\n", "a ", "x" * 1024, "\ud800"])
    def test_an_id_that_cosmos_db_would_refuse_is_refused(self, store: DocumentStore, id: str) -> None:
        with pytest.raises(InvalidInput):
            store.create(ORDERS, "O-1", id, {})

    def test_a_document_of_nearly_2_mb_is_stored(self, store: DocumentStore) -> None:
        body = {"text": "é" * 1_000_000}  # two bytes each

        store.create(ORDERS, "O-1", "order", body)

        found = store.read(ORDERS, "O-1", "order")
        assert found is not None
        assert found.body == body

    def test_a_document_over_2_mb_is_invalid_and_not_stored(self, store: DocumentStore) -> None:
        with pytest.raises(InvalidInput, match="bytes"):
            store.create(ORDERS, "O-1", "order", {"text": "é" * 1_050_000})

        assert store.read(ORDERS, "O-1", "order") is None

    def test_a_number_that_json_does_not_have_is_invalid(self, store: DocumentStore) -> None:
        with pytest.raises(InvalidInput):
            store.create(ORDERS, "O-1", "order", {"km": float("nan")})

    def test_an_integer_that_a_store_would_round_is_invalid(self, store: DocumentStore) -> None:
        store.create(ORDERS, "O-1", "exact", {"n": [2**53 - 1, -(2**53) + 1]})

        found = store.read(ORDERS, "O-1", "exact")
        assert found is not None
        assert found.body == {"n": [2**53 - 1, -(2**53) + 1]}
        with pytest.raises(InvalidInput, match="integer"):
            store.create(ORDERS, "O-1", "rounded", {"n": [2**53]})

    def test_a_body_may_hold_the_names_that_a_store_uses_itself(self, store: DocumentStore) -> None:
        body: Body = {"id": 1, "orderId": "other", "body": {}, "write": 2, "_etag": "x", "_rid": None, "etag": 3}

        created = store.create(ORDERS, "O-1", "order", body)

        assert store.read(ORDERS, "O-1", "order") == created
        assert ids(visit_all(store, limit=10, where={"orderId": "other", "_etag": "x", "id": 1})) == ["order"]
        assert visit_all(store, limit=10, where={"orderId": "O-1"}) == []

    def test_in_runs_every_document_is_a_partition_of_its_own(self, store: DocumentStore) -> None:
        store.create(Container.RUNS, "run-1", "run-1", {})

        found = store.query(Container.RUNS, partition="run-1").documents
        assert [(document.partition, document.id) for document in found] == [("run-1", "run-1")]
        with pytest.raises(InvalidInput, match="partition"):
            store.create(Container.RUNS, "run-1", "other", {})

    def test_a_body_nested_deeper_than_127_levels_is_invalid(self, store: DocumentStore) -> None:
        body: Body = {}
        for _ in range(127):
            body = {"inner": body}

        with pytest.raises(InvalidInput, match="nested"):
            store.create(ORDERS, "O-1", "order", body)

        store.create(ORDERS, "O-1", "order", body["inner"])


class TestBatch:
    def test_all_writes_of_a_batch_are_made_and_answered_in_order(self, store: DocumentStore) -> None:
        old = store.create(ORDERS, "O-1", "old", {})
        gone = store.create(ORDERS, "O-1", "gone", {})

        etags = store.batch(
            ORDERS, "O-1", [Create("new", {"n": 1}), Replace("old", {"n": 2}, old.etag), Delete("gone", gone.etag)]
        )

        new, replaced = store.read(ORDERS, "O-1", "new"), store.read(ORDERS, "O-1", "old")
        assert new is not None
        assert replaced is not None
        assert etags == (new.etag, replaced.etag, None)
        assert (new.body, replaced.body) == ({"n": 1}, {"n": 2})
        assert replaced.etag != old.etag
        assert store.read(ORDERS, "O-1", "gone") is None

    @pytest.mark.parametrize(
        ("failing", "error"),
        [
            (Create("taken", {}), AlreadyExists),
            (Replace("taken", {}, "not-its-etag"), StoreConflict),
            (Replace("unknown", {}, "1"), StoreConflict),
            (Delete("taken", "not-its-etag"), StoreConflict),
            (Delete("unknown", "1"), StoreConflict),
        ],
    )
    def test_one_failing_write_undoes_the_whole_batch(
        self, store: DocumentStore, failing: Write, error: type[DomError]
    ) -> None:
        taken = store.create(ORDERS, "O-1", "taken", {"n": 1})
        other = store.create(ORDERS, "O-1", "other", {"n": 1})

        with pytest.raises(error):
            store.batch(
                ORDERS,
                "O-1",
                [Create("a", {}), Replace("other", {"n": 2}, other.etag), failing, Create("z", {})],
            )

        assert visit_all(store, limit=10, partition="O-1") == [other, taken]

    def test_the_error_is_that_of_the_first_write_that_fails(self, store: DocumentStore) -> None:
        store.create(ORDERS, "O-1", "taken", {})

        with pytest.raises(StoreConflict) as caught:
            store.batch(ORDERS, "O-1", [Create("a", {}), Delete("unknown", "1"), Create("taken", {})])

        assert not isinstance(caught.value, AlreadyExists)

    def test_an_invalid_document_in_a_batch_leaves_nothing_behind(self, store: DocumentStore) -> None:
        with pytest.raises(InvalidInput):
            store.batch(ORDERS, "O-1", [Create("a", {}), Create("b", {"text": "x" * 2_200_000})])

        assert store.read(ORDERS, "O-1", "a") is None

    def test_a_batch_over_1_2_mb_is_invalid_and_writes_nothing(self, store: DocumentStore) -> None:
        with pytest.raises(InvalidInput, match="bytes"):
            store.batch(ORDERS, "O-1", [Create("a", {"text": "x" * 600_000}), Create("b", {"text": "x" * 600_000})])

        assert visit_all(store, limit=10, partition="O-1") == []

    def test_an_empty_batch_does_nothing(self, store: DocumentStore) -> None:
        assert store.batch(ORDERS, "O-1", []) == ()

    def test_a_batch_takes_100_operations(self, store: DocumentStore) -> None:
        etags = store.batch(ORDERS, "O-1", [Create(f"{number:03}", {}) for number in range(100)])

        assert len(set(etags)) == 100
        assert len(visit_all(store, limit=1000, partition="O-1")) == 100

    def test_a_batch_of_101_operations_is_invalid_and_writes_nothing(self, store: DocumentStore) -> None:
        with pytest.raises(InvalidInput, match="100"):
            store.batch(ORDERS, "O-1", [Create(f"{number:03}", {}) for number in range(101)])

        assert visit_all(store, limit=10, partition="O-1") == []


class TestQuery:
    def test_documents_of_a_partition_come_in_the_order_of_their_ids(self, store: DocumentStore) -> None:
        for id in ["b", "a", "C", "10", "9", "é", "ab"]:
            store.create(ORDERS, "O-1", id, {})
        store.create(ORDERS, "O-2", "aa", {})

        assert ids(visit_all(store, limit=100, partition="O-1")) == sorted(["b", "a", "C", "10", "9", "é", "ab"])

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    @pytest.mark.parametrize("partition", [None, "O-2"])
    def test_following_the_continuation_visits_each_document_once(
        self, store: DocumentStore, partition: str | None, limit: int
    ) -> None:
        stored = [store.create(ORDERS, f"O-{p}", f"x{n}", {"p": p}) for p in range(4) for n in range(3)]
        expected = [document for document in stored if partition in (None, document.partition)]

        visited = visit_all(store, limit=limit, partition=partition)

        assert sorted(visited, key=lambda document: (document.partition, document.id)) == expected

    def test_documents_written_between_pages_do_not_hide_or_repeat_the_others(self, store: DocumentStore) -> None:
        kept = [store.create(ORDERS, "O-1", id, {}) for id in ["b", "d", "f", "h"]]
        first = store.query(ORDERS, partition="O-1", limit=2)
        store.delete(ORDERS, "O-1", "b", kept[0].etag)
        store.create(ORDERS, "O-1", "a", {})

        second = store.query(ORDERS, partition="O-1", limit=2, continuation=first.continuation)

        assert [document.id for document in (*first.documents, *second.documents)] == ["b", "d", "f", "h"]

    def test_an_empty_answer_is_one_empty_page(self, store: DocumentStore) -> None:
        page = store.query(ORDERS, partition="O-1")

        assert (page.documents, page.continuation) == ((), None)

    def test_other_containers_are_not_searched(self, store: DocumentStore) -> None:
        store.create(Container.PLANS, "O-1", "x", {})

        assert visit_all(store, limit=10) == []

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("1", ["text"]),
            (1, ["number"]),
            (True, ["true"]),
            (0, ["zero"]),
            (False, ["false"]),
            ("", ["empty"]),
            ("' OR 1=1 --", []),
            ("[1]", []),
            ("null", []),
        ],
    )
    def test_where_compares_json_values_with_their_types(
        self, store: DocumentStore, value: str | int | bool, expected: list[str]
    ) -> None:
        values = {
            "text": "1",
            "number": 1,
            "true": True,
            "zero": 0,
            "false": False,
            "empty": "",
            "null": None,
            "list": [1],
        }
        for id, held in values.items():
            store.create(ORDERS, "O-1", id, {"field": held})
        store.create(ORDERS, "O-1", "without", {"inner": {"field": value}})

        assert ids(visit_all(store, limit=2, where={"field": value})) == expected

    def test_all_fields_of_where_must_match(self, store: DocumentStore) -> None:
        for id, body in {"a": {"x": 1, "y": "n"}, "b": {"x": 1, "y": "m"}, "c": {"x": 2, "y": "n"}}.items():
            store.create(ORDERS, f"O-{id}", id, body)

        assert ids(visit_all(store, limit=10, where={"x": 1, "y": "n"})) == ["a"]
        assert ids(visit_all(store, limit=10, where={"x": 1, "y": "n"}, partition="O-b")) == []

    def test_a_page_is_filled_from_the_documents_that_match(self, store: DocumentStore) -> None:
        for number in range(30):
            store.create(ORDERS, f"O-{number:02}", "order", {"open": number % 10 == 0})

        found = visit_all(store, limit=2, where={"open": True})

        assert sorted(document.partition for document in found) == ["O-00", "O-10", "O-20"]

    @pytest.mark.parametrize("field", ["", "a b", "a.b", "a'b", 'a"', "$", "1a", "a[0]", "x" * 101])
    def test_a_field_name_that_could_be_a_path_is_invalid(self, store: DocumentStore, field: str) -> None:
        with pytest.raises(InvalidInput):
            store.query(ORDERS, where={field: 1})

    @pytest.mark.parametrize("value", [2**53, -(2**70), "\ud800"])
    def test_a_value_that_json_does_not_hold_exactly_is_invalid(self, store: DocumentStore, value: str | int) -> None:
        with pytest.raises(InvalidInput):
            store.query(ORDERS, where={"field": value})

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_size_outside_1_to_1000_is_invalid(self, store: DocumentStore, limit: int) -> None:
        with pytest.raises(InvalidInput):
            store.query(ORDERS, limit=limit)

    @pytest.mark.parametrize("token", ["", "x", "é", "bm9wZQ==", "W10=", "bnVsbA==", "' OR 1=1 --", "W1tb" * 100_000])
    def test_a_continuation_that_is_none_is_invalid(self, store: DocumentStore, token: str) -> None:
        with pytest.raises(InvalidInput):
            store.query(ORDERS, continuation=token)

    def test_a_continuation_of_another_query_is_invalid(self, store: DocumentStore) -> None:
        for id in "abc":
            store.create(ORDERS, "O-1", id, {"x": 1})
        token = store.query(ORDERS, partition="O-1", limit=1).continuation
        assert token is not None

        with pytest.raises(InvalidInput):
            store.query(ORDERS, partition="O-2", limit=1, continuation=token)
        with pytest.raises(InvalidInput):
            store.query(ORDERS, partition="O-1", limit=1, where={"x": 1}, continuation=token)


class TestConcurrency:
    def test_threads_that_retry_on_conflict_lose_no_increment(self, store: DocumentStore) -> None:
        store.create(ORDERS, "O-1", "counter", {"n": 0})

        def increment(_: int) -> None:
            while True:
                found = store.read(ORDERS, "O-1", "counter")
                assert found is not None
                try:
                    store.replace(ORDERS, "O-1", "counter", {"n": found.body["n"] + 1}, found.etag)
                except StoreConflict:
                    continue
                return

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(increment, range(40)))

        counter = store.read(ORDERS, "O-1", "counter")
        assert counter is not None
        assert counter.body == {"n": 40}

    def test_of_many_threads_that_create_one_document_exactly_one_succeeds(self, store: DocumentStore) -> None:
        def create(number: int) -> bool:
            try:
                store.create(ORDERS, "O-1", "order", {"by": number})
            except AlreadyExists:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            created = list(threads.map(create, range(16)))

        found = store.read(ORDERS, "O-1", "order")
        assert found is not None
        assert created == [number == found.body["by"] for number in range(16)]
