"""Cosmos DB that throttles, does not answer, breaks off, or is away: nothing is lost, and nothing is written twice."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from azure.cosmos import DatabaseAccount

from dom_core.adapters.cosmos import Connection, CosmosDocuments
from dom_core.adapters.cosmos.connection import warn_of_weak_consistency
from dom_core.adapters.cosmos.documents import UNKNOWN_ETAG
from dom_core.adapters.document_limits import continuation_token, query_scope
from dom_core.adapters.patience import Patience
from dom_core.charges import ChargeTotals, Total, charged_to
from dom_core.errors import AlreadyExists, InvalidInput, StoreConflict, StoreUnusable, Unavailable
from dom_core.ports import Container, Create, Delete, Document, Replace
from tests import azure_servers
from tests.contract.scripted_proxy import Proxy, Trouble, proxy_before

ORDERS = Container.ORDERS
THROTTLED = Trouble(429, retry_after_ms=1)

LOST = [Trouble(408, done=True), Trouble(500, done=True), Trouble(503, done=True), Trouble(0, done=True)]
UNDONE = [Trouble(408), Trouble(500), Trouble(503), Trouble(0), THROTTLED, Trouble(449)]

answer_lost = pytest.mark.parametrize("trouble", LOST, ids=lambda trouble: f"{trouble.status}-done")
not_done = pytest.mark.parametrize("trouble", UNDONE, ids=lambda trouble: f"{trouble.status}-undone")


@dataclass
class Scene:
    """A store behind the proxy, and somebody else who reaches the same database directly."""

    store: CosmosDocuments
    other: CosmosDocuments
    proxy: Proxy
    charges: ChargeTotals
    waits_s: list[float] = field(default_factory=list)

    def only(self, partition: str = "O-1") -> Document:
        (document,) = self.other.query(ORDERS, partition=partition).documents
        return document


@pytest.fixture
def scene(cosmos_endpoint: str) -> Iterator[Scene]:
    with (
        azure_servers.database(cosmos_endpoint) as direct,
        proxy_before(cosmos_endpoint) as proxy,
        closing(azure_servers.connect(proxy.url, direct.database)) as connection,
    ):
        waits_s: list[float] = []
        charges = ChargeTotals()
        store = CosmosDocuments(connection, charges, Patience(pause=waits_s.append))
        yield Scene(store, CosmosDocuments(direct), proxy, charges, waits_s)


class TestThrottling:
    def test_a_write_that_is_throttled_some_times_is_made_once(self, scene: Scene) -> None:
        scene.proxy.then(THROTTLED, THROTTLED, THROTTLED)

        created = scene.store.create(ORDERS, "O-1", "order", {"units": 3})

        assert scene.only() == created
        assert scene.waits_s

    def test_we_wait_as_long_as_the_service_asks(self, scene: Scene) -> None:
        scene.proxy.then(Trouble(429, retry_after_ms=300), Trouble(429, retry_after_ms=300))

        scene.store.create(ORDERS, "O-1", "order", {})

        assert scene.waits_s == [0.3]

    def test_a_storm_without_end_is_unavailable_after_a_bounded_wait(self, scene: Scene) -> None:
        scene.proxy.then(*[THROTTLED] * 100)

        with pytest.raises(Unavailable, match="throttling"):
            scene.store.read(ORDERS, "O-1", "order")

        assert 10 < sum(scene.waits_s) <= 20
        assert scene.waits_s == sorted(scene.waits_s)

    def test_a_batch_whose_operation_is_throttled_is_repeated(self, scene: Scene) -> None:
        throttled = json.dumps([{"statusCode": 424}, {"statusCode": 429}]).encode()
        scene.proxy.then(Trouble(207, body=throttled))

        etags = scene.store.batch(ORDERS, "O-1", [Create("a", {}), Create("b", {})])

        assert etags == tuple(document.etag for document in scene.other.query(ORDERS, partition="O-1").documents)

    def test_a_query_in_trouble_is_repeated(self, scene: Scene) -> None:
        scene.other.create(ORDERS, "O-1", "order", {"open": True})
        for partition in (None, "O-1"):
            scene.proxy.then(THROTTLED, THROTTLED, Trouble(503), Trouble(0))

            found = scene.store.query(ORDERS, partition=partition, where={"open": True}).documents

            assert [document.id for document in found] == ["order"]


class TestLostAnswers:
    @answer_lost
    def test_a_create_that_happened_although_its_answer_was_lost_succeeds(self, scene: Scene, trouble: Trouble) -> None:
        scene.proxy.then(trouble)

        created = scene.store.create(ORDERS, "O-1", "order", {"units": 3})

        assert scene.only() == created

    @answer_lost
    def test_a_replace_that_happened_although_its_answer_was_lost_succeeds(
        self, scene: Scene, trouble: Trouble
    ) -> None:
        before = scene.other.create(ORDERS, "O-1", "order", {"units": 3})
        scene.proxy.then(trouble)

        replaced = scene.store.replace(ORDERS, "O-1", "order", {"units": 2}, before.etag)

        assert scene.only() == replaced

    @answer_lost
    def test_a_delete_that_happened_although_its_answer_was_lost_succeeds(self, scene: Scene, trouble: Trouble) -> None:
        before = scene.other.create(ORDERS, "O-1", "order", {})
        scene.proxy.then(trouble)

        scene.store.delete(ORDERS, "O-1", "order", before.etag)

        assert scene.other.read(ORDERS, "O-1", "order") is None

    @answer_lost
    def test_a_batch_that_happened_although_its_answer_was_lost_succeeds(self, scene: Scene, trouble: Trouble) -> None:
        gone, old = (scene.other.create(ORDERS, "O-1", id, {}) for id in ("gone", "old"))
        scene.proxy.then(trouble)

        etags = scene.store.batch(
            ORDERS, "O-1", [Create("new", {}), Delete("gone", gone.etag), Replace("old", {"n": 1}, old.etag)]
        )

        new, old = scene.other.query(ORDERS, partition="O-1").documents
        assert (new.id, old.id, old.body) == ("new", "old", {"n": 1})
        assert etags == (new.etag, None, old.etag)

    def test_a_batch_of_deletes_that_happened_although_its_answer_was_lost_succeeds(self, scene: Scene) -> None:
        stored = [scene.other.create(ORDERS, "O-1", id, {}) for id in "ab"]
        scene.proxy.then(LOST[0])

        etags = scene.store.batch(ORDERS, "O-1", [Delete(document.id, document.etag) for document in stored])

        assert etags == (None, None)

    def test_what_others_changed_right_after_a_lost_batch_has_an_etag_that_matches_nothing(self, scene: Scene) -> None:
        def change() -> None:
            written = scene.other.read(ORDERS, "O-1", "a")
            assert written is not None
            scene.other.replace(ORDERS, "O-1", "a", {"by": "other"}, written.etag)

        scene.proxy.then(Trouble(408, done=True, meanwhile=change))

        etags = scene.store.batch(ORDERS, "O-1", [Create("a", {}), Create("b", {})])

        a, b = scene.other.query(ORDERS, partition="O-1").documents
        assert etags == (UNKNOWN_ETAG, b.etag)
        assert a.body == {"by": "other"}


class TestWritesThatDidNotHappen:
    @not_done
    def test_they_are_made_by_the_next_attempt(self, scene: Scene, trouble: Trouble) -> None:
        for count, write in enumerate(self._writes(scene), start=1):
            scene.proxy.then(trouble)

            write()

            assert scene.only("O-1").body == {"n": count}
            assert scene.waits_s or trouble is THROTTLED

    @staticmethod
    def _writes(scene: Scene) -> Iterator[Callable[[], object]]:
        yield lambda: scene.store.create(ORDERS, "O-1", "order", {"n": 1})
        yield lambda: scene.store.replace(ORDERS, "O-1", "order", {"n": 2}, scene.only().etag)
        yield lambda: scene.store.batch(ORDERS, "O-1", [Replace("order", {"n": 3}, scene.only().etag)])

    def test_a_create_that_somebody_else_made_meanwhile_exists_already_even_with_the_same_content(
        self, scene: Scene
    ) -> None:
        scene.proxy.then(Trouble(408, meanwhile=lambda: scene.other.create(ORDERS, "O-1", "order", {"units": 3})))

        with pytest.raises(AlreadyExists):
            scene.store.create(ORDERS, "O-1", "order", {"units": 3})

    def test_taking_a_unit_that_somebody_else_took_meanwhile_is_a_conflict_although_the_content_is_the_same(
        self, scene: Scene
    ) -> None:
        before = scene.other.create(ORDERS, "O-1", "stock", {"units": 3})
        scene.proxy.then(
            Trouble(408, meanwhile=lambda: scene.other.replace(ORDERS, "O-1", "stock", {"units": 2}, before.etag))
        )

        with pytest.raises(StoreConflict):
            scene.store.replace(ORDERS, "O-1", "stock", {"units": 2}, before.etag)

    def test_a_batch_that_somebody_else_came_before_is_a_conflict(self, scene: Scene) -> None:
        before = scene.other.create(ORDERS, "O-1", "order", {})
        scene.proxy.then(
            Trouble(408, meanwhile=lambda: scene.other.replace(ORDERS, "O-1", "order", {"by": "other"}, before.etag))
        )

        with pytest.raises(StoreConflict):
            scene.store.batch(ORDERS, "O-1", [Create("new", {}), Replace("order", {}, before.etag)])

        assert scene.only().body == {"by": "other"}

    def test_silence_without_end_is_unavailable_and_says_that_it_may_have_happened(self, scene: Scene) -> None:
        scene.proxy.then(*[Trouble(503)] * 100)

        with pytest.raises(Unavailable, match="may or may not"):
            scene.store.create(ORDERS, "O-1", "order", {})

    def test_a_refusal_is_not_repeated(self, scene: Scene) -> None:
        scene.other.create(ORDERS, "O-1", "order", {})

        with pytest.raises(AlreadyExists):
            scene.store.create(ORDERS, "O-1", "order", {})

        assert scene.waits_s == []


class TestAway:
    def test_an_account_that_is_not_reached_is_unavailable_and_serves_once_it_is_back(
        self, cosmos_endpoint: str
    ) -> None:
        with azure_servers.database(cosmos_endpoint) as direct, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            waits_s: list[float] = []
            with closing(azure_servers.connect(f"http://127.0.0.1:{port}/", direct.database)) as connection:
                store = CosmosDocuments(connection, patience=Patience(limit_s=1, pause=waits_s.append))
                with pytest.raises(Unavailable, match="not reached"):
                    store.create(ORDERS, "O-1", "order", {})
                assert waits_s
                taken.close()
                with proxy_before(cosmos_endpoint, port):
                    created = store.create(ORDERS, "O-1", "order", {})
            assert CosmosDocuments(direct).read(ORDERS, "O-1", "order") == created


class TestRefusals:
    @pytest.mark.parametrize("status", [401, 403])
    def test_denied_access_names_the_role_that_is_missing(self, scene: Scene, status: int) -> None:
        scene.proxy.then(Trouble(status))

        with pytest.raises(StoreUnusable, match="Data Contributor"):
            scene.store.read(ORDERS, "O-1", "order")

    def test_a_container_that_nobody_provisioned_is_unusable_not_empty(self, cosmos_endpoint: str) -> None:
        with closing(azure_servers.connect(cosmos_endpoint, "nobody-made-this")) as connection:
            store = CosmosDocuments(connection)

            with pytest.raises(StoreUnusable, match="DOM_COSMOS_DATABASE"):
                store.read(ORDERS, "O-1", "order")

    def test_a_document_that_cosmos_db_finds_too_large_is_invalid(self, scene: Scene) -> None:
        scene.proxy.then(Trouble(413))

        with pytest.raises(InvalidInput, match="large"):
            scene.store.create(ORDERS, "O-1", "order", {})

    def test_a_forged_token_for_a_query_across_partitions_is_invalid(self, scene: Scene) -> None:
        forged = continuation_token(query_scope(ORDERS, None, {}), ["{not json"])

        with pytest.raises(InvalidInput):
            scene.store.query(ORDERS, continuation=forged)


class TestCharges:
    def test_every_answer_is_charged_to_the_use_case_that_asked(self, scene: Scene) -> None:
        with charged_to("take_order"):
            created = scene.store.create(ORDERS, "O-1", "order", {})
            scene.store.read(ORDERS, "O-1", "missing")
            scene.store.batch(ORDERS, "O-1", [Replace("order", {}, created.etag)])
        with charged_to("plan_batch"):
            scene.store.query(ORDERS)
            scene.store.query(ORDERS, partition="O-1")

        assert scene.charges.by_use_case_and_operation() == {
            ("plan_batch", "query"): Total(1, 1.0),
            ("plan_batch", "query_across"): Total(1, 1.0),
            ("take_order", "batch"): Total(1, 1.0),
            ("take_order", "create"): Total(1, 1.0),
            ("take_order", "read"): Total(1, 1.0),
        }


class TestOneClient:
    def test_threads_that_come_first_together_share_one_client(self, cosmos_endpoint: str) -> None:
        made: list[str] = []

        def credential() -> str:
            made.append("credential")
            return azure_servers.COSMOS_KEY

        with azure_servers.database(cosmos_endpoint) as direct:
            connection = Connection(cosmos_endpoint, direct.database, credential)
            store = CosmosDocuments(connection)
            with closing(connection), ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda number: store.create(ORDERS, f"O-{number}", "order", {}), range(16)))

        assert len(made) == 1


def test_an_account_whose_reads_may_be_old_is_named_in_the_log(
    cosmos_endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(azure_servers.connect(cosmos_endpoint)) as connection:
        warn_of_weak_consistency(connection.client(), "https://dom.documents.azure.com")
    assert "has the consistency Session" in caplog.text


def test_a_strong_account_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_weak_consistency(AccountOf("Strong"), "https://dom.documents.azure.com")  # type: ignore[arg-type]  # only asked for this
    assert caplog.text == ""


@dataclass(frozen=True)
class AccountOf:
    """A client of an account with this consistency, asked for nothing else."""

    level: str

    def get_database_account(self) -> DatabaseAccount:
        account = DatabaseAccount()
        account.ConsistencyPolicy = {"defaultConsistencyLevel": self.level}
        return account
