"""Configuration and stock over HTTP: one object or many, with ETags, and nothing half-written."""

from dataclasses import replace
from typing import Any, cast

import pytest

from dom_core.ports import Container, Document, DocumentStore
from dom_core.use_cases.configure import ConfigKind
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import JSON, call, content_of, paths_of, problem_of
from tests.functions.shop import SHOP


class CountingStore:
    """A store that counts point reads."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self.reads = 0

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        self.reads += 1
        return self._store.read(container, partition, id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def if_match(etag: str) -> dict[str, str]:
    return {**JSON, "If-Match": etag}


@pytest.mark.parametrize("kind", ["products", "sources", "source-lists", "rules", "strategies"])
def test_every_kind_is_listed_and_read_back(kind: str, shop: Ports) -> None:
    listed = content_of(call("GET", f"config/{kind}"))
    assert [item["id"] for item in listed["items"]] == sorted(item["id"] for item in SHOP[kind])
    assert listed["continuation"] is None
    for item in listed["items"]:
        answer = call("GET", f"config/{kind}/{item['id']}")
        assert content_of(answer) == item
        assert answer.headers["ETag"].startswith('"')


def test_a_list_of_configuration_has_pages(shop: Ports) -> None:
    first = content_of(call("GET", "config/products", params={"limit": "1"}))
    second = content_of(call("GET", "config/products", params={"limit": "1", "continuation": first["continuation"]}))
    assert [page["items"][0]["id"] for page in (first, second)] == ["SKU-1", "SKU-2"]


def test_what_was_read_can_be_put_again(shop: Ports) -> None:
    source = content_of(call("GET", "config/sources/seattle"))
    answer = call("PUT", "config/sources/seattle", source)
    assert (answer.status_code, content_of(answer)["value"]) == (200, source)


def test_a_new_object_is_created_and_its_warnings_are_told(shop: Ports) -> None:
    rule = {
        "id": "closed",
        "kind": "offline_location",
        "params": {"places": [{"source_id": "portland"}]},
        "hard": False,
    }
    answer = call("PUT", "config/rules/closed", rule)
    assert answer.status_code == 201, answer.get_body()
    saved = content_of(answer)
    assert saved["value"]["id"] == "closed"
    assert saved["warnings"]


def test_a_cost_factor_can_be_stored(shop: Ports) -> None:
    problem_free = call("GET", "config/cost-factors")
    assert content_of(problem_free) == {"items": [], "continuation": None}


def test_a_put_under_the_read_etag_gives_the_next_one(shop: Ports) -> None:
    read = call("GET", "config/products/SKU-1")
    answer = call(
        "PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Lamp"}, headers=if_match(read.headers["ETag"])
    )
    assert answer.status_code == 200
    assert answer.headers["ETag"] != read.headers["ETag"]
    assert answer.headers["ETag"] == call("GET", "config/products/SKU-1").headers["ETag"]


def test_a_put_under_an_old_etag_changes_nothing(shop: Ports) -> None:
    old = call("GET", "config/products/SKU-1").headers["ETag"]
    call("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Lamp"})
    problem_of(call("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Sofa"}, headers=if_match(old)), 412)
    assert content_of(call("GET", "config/products/SKU-1"))["name"] == "Lamp"


def test_a_put_under_an_old_etag_is_refused_without_trying_again(shop: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CountingStore(shop.store)
    bootstrap.use(replace(shop, store=cast(DocumentStore, store)))
    problem_of(call("PUT", "config/products/SKU-1", {"id": "SKU-1"}, headers=if_match('"old"')), 412)
    assert store.reads == 1


def test_a_put_under_an_etag_creates_nothing(shop: Ports) -> None:
    problem_of(call("PUT", "config/products/SKU-9", {"id": "SKU-9"}, headers=if_match('"1"')), 412)
    problem_of(call("GET", "config/products/SKU-9"), 404)


@pytest.mark.parametrize("header", ["*", "1", '"1", "2"', 'W/"1"', '""', ""])
def test_if_match_must_be_one_etag(header: str, shop: Ports) -> None:
    problem_of(call("PUT", "config/products/SKU-1", {"id": "SKU-1"}, headers=if_match(header)), 400)


def test_an_object_to_which_nothing_refers_is_removed(shop: Ports) -> None:
    assert call("DELETE", "config/products/SKU-2").status_code == 204
    problem_of(call("GET", "config/products/SKU-2"), 404)


def test_an_object_in_use_stays(shop: Ports) -> None:
    problem = problem_of(call("DELETE", "config/sources/seattle"), 409)
    assert "west" in problem["detail"]
    assert call("GET", "config/sources/seattle").status_code == 200


def test_an_object_that_changed_is_not_removed(shop: Ports) -> None:
    old = call("GET", "config/products/SKU-2").headers["ETag"]
    call("PUT", "config/products/SKU-2", {"id": "SKU-2", "name": "Sofa"})
    problem_of(call("DELETE", "config/products/SKU-2", headers=if_match(old)), 412)


def test_an_object_that_is_not_there_cannot_be_removed(shop: Ports) -> None:
    problem_of(call("DELETE", "config/products/SKU-9"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "config/spells"),
        ("PUT", "config/spells"),
        ("GET", "config/spells/1"),
        ("PUT", "config/spells/1"),
        ("DELETE", "config/spells/1"),
        ("GET", "config/sources/nowhere"),
        ("GET", "config/sources/a b"),
        ("PUT", "config/sources/a b"),
    ],
)
def test_an_unknown_kind_or_id_is_not_found(method: str, path: str, shop: Ports) -> None:
    problem_of(call(method, path, {} if method == "PUT" else None), 404)


def test_whoever_asks_for_an_unknown_kind_is_told_the_known_ones(shop: Ports) -> None:
    detail = problem_of(call("GET", "config/shops"), 404)["detail"]
    assert detail.startswith("no kind of configuration 'shops'; known: ")
    assert set(detail.partition("known: ")[2].split(", ")) == set(ConfigKind)


BAD_OBJECTS: list[tuple[str, dict[str, Any], str]] = [
    ("products/SKU-1", {"id": "SKU-3"}, "id"),
    ("products/SKU-1", {"id": "SKU-1", "price": 3}, "price"),
    ("sources/new", {"id": "new", "type": "castle"}, "type"),
    ("sources/new", {"id": "new", "type": "store", "location": {"latitude": 91, "longitude": 0}}, "location.latitude"),
    ("rules/new", {"id": "new", "kind": "no_such_rule", "params": {}}, "new"),
    ("rules/new", {"id": "new", "kind": "maximum_distance", "params": {"lines": [{"km": 5, "miles": 3}]}}, "miles"),
    ("strategies/new", {"id": "new", "source_list_id": "nowhere"}, "source_list_id"),
    ("strategies/new", {"id": "new", "source_list_id": "west", "rule_ids": ["none"]}, "rule_ids"),
    ("source-lists/new", {"id": "new", "source_ids": ["nowhere"]}, "source_ids"),
]


@pytest.mark.parametrize(("path", "value", "blamed"), BAD_OBJECTS)
def test_an_object_that_does_not_fit_is_refused_and_not_stored(
    path: str, value: dict[str, Any], blamed: str, shop: Ports
) -> None:
    before = call("GET", f"config/{path}").get_body()
    problem = problem_of(call("PUT", f"config/{path}", value), 422)
    assert any(blamed in error["path"] for error in problem["errors"]), problem["errors"]
    assert call("GET", f"config/{path}").get_body() == before


def test_many_objects_are_stored_at_once(ports: Ports) -> None:
    answer = call("PUT", "config/products", [{"id": f"SKU-{number}"} for number in range(120)])
    assert content_of(answer) == {"count": 120, "warnings": []}


def test_one_bad_object_among_many_stops_all(ports: Ports) -> None:
    answer = call("PUT", "config/products", [{"id": "SKU-1"}, {"id": "SKU-2", "price": 3}, {"name": "Lamp"}])
    assert paths_of(problem_of(answer, 422)) == ["[1].price", "[2].id"]
    assert content_of(call("GET", "config/products"))["items"] == []


@pytest.mark.parametrize("path", ["config/products", "config/products/SKU-1", "stock", "stock/SKU-1/seattle"])
def test_every_body_has_the_same_limits(path: str, shop: Ports) -> None:
    problem_of(call("PUT", path, raw=b"{"), 400)
    problem_of(call("PUT", path, raw=b"{}", headers={}), 415)
    problem_of(call("PUT", path, raw=b" " * 3_000_000), 413)


def test_stock_is_shown_with_what_is_promised(planned: Ports) -> None:
    stock = content_of(call("GET", "stock/SKU-1"))
    cells = {cell["source_id"]: cell for cell in stock["cells"]}
    promised = [cell for cell in cells.values() if cell["reserved"]]
    assert [cell["reserved"] for cell in promised] == [2]
    assert all(cell["available"] == cell["on_hand"] - cell["reserved"] for cell in cells.values())
    assert promised[0]["reservations"][0]["order_id"] == "O1"


def test_stock_is_set_for_many_at_once(shop: Ports) -> None:
    levels = [
        {"product_id": product_id, "source_id": source_id, "on_hand": 7}
        for product_id in ("SKU-1", "SKU-2")
        for source_id in ("seattle", "portland")
    ]
    assert content_of(call("PUT", "stock", levels)) == {"count": 4}
    assert [cell["on_hand"] for cell in content_of(call("GET", "stock/SKU-2"))["cells"]] == [7, 7]


def test_less_than_what_is_promised_cannot_be_on_hand(planned: Ports) -> None:
    (promised,) = [cell for cell in content_of(call("GET", "stock/SKU-1"))["cells"] if cell["reserved"]]
    path = f"stock/SKU-1/{promised['source_id']}"
    assert "2" in problem_of(call("PUT", path, {"on_hand": 1}), 409)["detail"]


@pytest.mark.parametrize(
    ("path", "content", "paths"),
    [
        ("stock/SKU-9/seattle", {"on_hand": 1}, ["product_id"]),
        ("stock/SKU-1/nowhere", {"on_hand": 1}, ["source_id"]),
        ("stock/SKU-1/seattle", {"on_hand": -1}, ["on_hand"]),
        ("stock/SKU-1/seattle", {"on_hand": 1.5}, ["on_hand"]),
        ("stock/SKU-1/seattle", {"on_hand": 1, "colour": "red"}, ["colour"]),
        ("stock", [{"product_id": "SKU-1", "source_id": "seattle", "on_hand": "1"}], ["[0].on_hand"]),
        (
            "stock",
            [
                {"product_id": "SKU-1", "source_id": "seattle", "on_hand": 1},
                {"product_id": "SKU-9", "source_id": "nowhere", "on_hand": 1},
            ],
            ["[1].product_id", "[1].source_id"],
        ),
    ],
)
def test_bad_stock_is_refused_and_not_stored(path: str, content: object, paths: list[str], shop: Ports) -> None:
    before = content_of(call("GET", "stock/SKU-1"))
    assert paths_of(problem_of(call("PUT", path, content), 422)) == paths
    assert content_of(call("GET", "stock/SKU-1")) == before


def test_the_stock_of_an_unknown_product_is_not_found(shop: Ports) -> None:
    problem_of(call("GET", "stock/SKU-9"), 404)
