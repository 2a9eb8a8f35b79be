"""The Cosmos DB server of the tests answers as Cosmos DB does, where its library alone would not."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.cosmos import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from dom_core.ports import Container
from tests import azure_servers

ALL = "SELECT * FROM c"


@pytest.fixture
def orders(cosmos_endpoint: str) -> Iterator[ContainerProxy]:
    with azure_servers.database(cosmos_endpoint) as connection:
        yield connection.container(Container.ORDERS)


def item(id: str, order_id: str = "O-1", **fields: object) -> dict[str, Any]:
    return {"id": id, "orderId": order_id, **fields}


def ids(found: Any) -> list[str]:
    return sorted(one["id"] for one in found)


class TestReading:
    def test_a_missing_item_is_404(self, orders: ContainerProxy) -> None:
        with pytest.raises(CosmosResourceNotFoundError):
            orders.read_item("a", "O-1")

    def test_an_item_of_another_partition_is_404(self, orders: ContainerProxy) -> None:
        orders.create_item(item("a"))

        with pytest.raises(CosmosResourceNotFoundError):
            orders.read_item("a", "O-2")


class TestWriting:
    def test_a_second_create_is_409(self, orders: ContainerProxy) -> None:
        orders.create_item(item("a"))

        with pytest.raises(CosmosResourceExistsError):
            orders.create_item(item("a"))

    def test_an_old_etag_is_412_for_replace_and_delete(self, orders: ContainerProxy) -> None:
        old = orders.create_item(item("a"))["_etag"]
        orders.replace_item("a", item("a", n=2))

        with pytest.raises(CosmosAccessConditionFailedError):
            orders.replace_item("a", item("a", n=3), etag=old, match_condition=MatchConditions.IfNotModified)
        with pytest.raises(CosmosAccessConditionFailedError):
            orders.delete_item("a", "O-1", etag=old, match_condition=MatchConditions.IfNotModified)

    def test_an_item_that_contradicts_the_partition_in_the_header_is_400(
        self, orders: ContainerProxy, cosmos_endpoint: str
    ) -> None:
        database = orders.container_link.split("/")[1]
        headers = {"x-ms-documentdb-partitionkey": '["O-2"]'}

        assert post(cosmos_endpoint, f"/dbs/{database}/colls/orders/docs", headers, item("a")) == 400
        assert ids(orders.query_items(ALL, enable_cross_partition_query=True)) == []

    def test_writing_to_a_container_that_does_not_exist_is_404(self, cosmos_endpoint: str) -> None:
        headers = {"x-ms-documentdb-partitionkey": '["O-1"]'}

        assert post(cosmos_endpoint, "/dbs/none/colls/orders/docs", headers, item("a")) == 404


class TestQueries:
    def test_a_query_of_one_partition_sees_that_partition_only(self, orders: ContainerProxy) -> None:
        for order_id in ("O-1", "O-2"):
            orders.create_item(item(f"of-{order_id}", order_id, n=1))

        assert ids(orders.query_items(ALL, partition_key="O-1")) == ["of-O-1"]
        assert ids(orders.query_items("SELECT * FROM c WHERE c.n = 1", partition_key="O-2")) == ["of-O-2"]

    def test_a_query_across_partitions_must_say_so(self, orders: ContainerProxy) -> None:
        orders.create_item(item("a"))

        with pytest.raises(CosmosHttpResponseError) as caught:
            list(orders.query_items("SELECT * FROM c WHERE c.n = 1"))
        assert caught.value.status_code == 400

    def test_pages_of_one_partition_follow_each_other(self, orders: ContainerProxy) -> None:
        for number in range(5):
            for order_id in ("O-1", "O-2"):
                orders.create_item(item(str(number), order_id))

        pages = orders.query_items(f"{ALL} ORDER BY c.id", partition_key="O-1", max_item_count=2).by_page()

        assert [[one["id"] for one in page] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]

    def test_an_unreadable_continuation_is_400(self, orders: ContainerProxy) -> None:
        with pytest.raises(CosmosHttpResponseError) as caught:
            list(orders.query_items(ALL, enable_cross_partition_query=True).by_page("{not json"))
        assert caught.value.status_code == 400

    def test_a_query_that_cannot_be_parsed_is_400(self, orders: ContainerProxy) -> None:
        with pytest.raises(CosmosHttpResponseError) as caught:
            list(orders.query_items("SELECT FROM WHERE", enable_cross_partition_query=True))
        assert caught.value.status_code == 400


class TestBatches:
    def test_a_batch_answers_for_every_operation(self, orders: ContainerProxy) -> None:
        old = orders.create_item(item("old"))
        orders.create_item(item("gone"))

        results = orders.execute_item_batch(
            [
                ("create", (item("new"),)),
                ("replace", ("old", item("old", n=1)), {"if_match_etag": old["_etag"]}),
                ("read", ("new",)),
                ("upsert", (item("other"),)),
                ("delete", ("gone",)),
            ],
            "O-1",
        )

        assert [result["statusCode"] for result in results] == [201, 200, 200, 201, 204]
        assert results[0]["eTag"] == orders.read_item("new", "O-1")["_etag"]
        assert results[1]["resourceBody"]["n"] == 1
        assert ids(orders.query_items(ALL, partition_key="O-1")) == ["new", "old", "other"]

    @pytest.mark.parametrize(
        ("failing", "status"),
        [
            (("create", (item("old"),)), 409),
            (("replace", ("old", item("old")), {"if_match_etag": "another"}), 412),
            (("replace", ("none", item("none"))), 404),
            (("delete", ("old",), {"if_match_etag": "another"}), 412),
            (("delete", ("none",)), 404),
        ],
    )
    def test_a_batch_that_fails_changes_nothing(
        self, orders: ContainerProxy, failing: tuple[Any, ...], status: int
    ) -> None:
        before = [orders.create_item(item(id)) for id in ("gone", "old")]

        with pytest.raises(CosmosBatchOperationError) as caught:
            orders.execute_item_batch(
                [
                    ("create", (item("new"),)),
                    ("delete", ("gone",)),
                    ("create", (item("gone", n=2),)),
                    ("replace", ("old", item("old", n=2))),
                    failing,
                    ("create", (item("later"),)),
                ],
                "O-1",
            )

        statuses = [result["statusCode"] for result in caught.value.operation_responses]
        # What was done to 'old' before may make the failing operation fail otherwise, but never succeed.
        assert statuses == [424, 424, 424, 424, status, 424]
        after = list(orders.query_items(f"{ALL} ORDER BY c.id", partition_key="O-1"))
        assert [(one["id"], one["_etag"]) for one in after] == [(one["id"], one["_etag"]) for one in before]

    def test_a_batch_of_another_partition_is_400(self, orders: ContainerProxy) -> None:
        with pytest.raises(HttpResponseError) as caught:
            orders.execute_item_batch([("create", (item("a"),)), ("create", (item("b", "O-2"),))], "O-1")
        assert caught.value.status_code == 400
        assert ids(orders.query_items(ALL, enable_cross_partition_query=True)) == []

    def test_a_batch_of_more_than_100_is_400(self, orders: ContainerProxy) -> None:
        with pytest.raises(HttpResponseError) as caught:
            orders.execute_item_batch([("create", (item(str(number)),)) for number in range(101)], "O-1")
        assert caught.value.status_code == 400


def post(endpoint: str, path: str, headers: Mapping[str, str], body: object) -> int:
    """The status of a request that the SDK would not send."""
    connection = HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body), dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
