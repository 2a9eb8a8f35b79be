"""Who did it: orders taken in, and configuration saved and removed, in both modes."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from dom_core.use_cases.context import Ports
from functions.principals import Role
from tests.functions.app import call, content_of, message, paths_of, problem_of
from tests.functions.shop import an_intake, deliver
from tests.functions.signing_in import ANN_SIGNS, OBJECT_ID, having, sign_in_with_entra

KEY = {"Content-Type": "application/json", "x-functions-key": "open-sesame"}


def history(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(event["what"], event["who"]) for event in content_of(call("GET", "orders/O1", headers=headers))["history"]]


def post(ports: Ports, headers: dict[str, str], **fields: Any) -> None:
    answer = call("POST", "orders", an_intake(**fields), headers=headers)
    assert answer.status_code == 202, answer.get_body()
    deliver(ports, ports.settings.orders_queue, "collect_order")


@pytest.mark.parametrize("named", [{}, {"who": "somebody else"}])
def test_with_entra_an_order_is_received_from_whom_the_token_names(
    named: dict[str, str], shop: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_with_entra(shop, monkeypatch)
    headers = having(Role.OPERATOR)
    post(shop, headers, **named)
    post(shop, headers, revision=2, **named)
    assert history(headers) == [("received", ANN_SIGNS), ("revised", ANN_SIGNS)]


@pytest.mark.parametrize(("named", "who"), [({}, "intake"), ({"who": "web shop"}, "web shop")])
def test_with_keys_an_order_is_received_from_whom_it_names(named: dict[str, str], who: str, shop: Ports) -> None:
    post(shop, KEY, **named)
    assert history(KEY) == [("received", who)]


def test_a_queued_order_may_say_who_sent_it(shop: Ports) -> None:
    message("collect_order", json.dumps(an_intake(who="marketplace")).encode())
    assert history(KEY) == [("received", "marketplace")]


def test_the_same_order_from_somebody_else_is_the_same_order(shop: Ports) -> None:
    post(shop, KEY, who="web shop")
    post(shop, KEY, who="call centre")
    assert history(KEY) == [("received", "web shop")]


def test_a_sender_is_a_name_and_not_a_text_of_any_kind(shop: Ports) -> None:
    for who in ("", "x" * 101, "two\nlines", 7):
        problem = problem_of(call("POST", "orders", an_intake(who=who)), 422)
        assert paths_of(problem) == ["who"]


def changes(path: str, headers: dict[str, str] = KEY) -> list[tuple[int, str]]:
    found = content_of(call("GET", f"config/{path}/changes", headers=headers))
    return [(change["version"], change["who"]) for change in found]


def test_with_entra_each_version_of_an_object_says_who_saved_it(shop: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_with_entra(shop, monkeypatch)
    headers = having(Role.CONFIG_ADMIN)
    call("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Lamp"}, headers=headers)
    call("PUT", "config/products", [{"id": "SKU-1", "name": "Lamp"}, {"id": "SKU-7"}], headers=headers)
    assert changes("products/SKU-1", headers) == [(3, ANN_SIGNS), (2, ANN_SIGNS), (1, "function key")]
    assert changes("products/SKU-7", headers) == [(1, ANN_SIGNS)]


def test_with_keys_each_version_says_that_it_was_a_key_and_never_which(shop: Ports) -> None:
    call("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Lamp"}, headers=KEY)
    assert changes("products/SKU-1") == [(2, "function key"), (1, "function key")]
    assert b"open-sesame" not in call("GET", "config/products/SKU-1/changes", headers=KEY).get_body()


def test_changes_say_when_and_the_last_twenty_are_kept(shop: Ports) -> None:
    for _ in range(25):
        shop.clock.time += timedelta(minutes=1)  # type: ignore[attr-defined]  # the clock of tests stands still
        call("PUT", "config/products/SKU-1", {"id": "SKU-1"})
    found = content_of(call("GET", "config/products/SKU-1/changes"))
    assert [change["version"] for change in found] == list(range(26, 6, -1))
    assert [change["at"] for change in found] == sorted((change["at"] for change in found), reverse=True)


def test_a_dry_run_is_no_change(shop: Ports) -> None:
    call("PUT", "config/products/SKU-1", {"id": "SKU-1", "name": "Lamp"}, params={"dry_run": "true"})
    assert changes("products/SKU-1") == [(1, "function key")]


@pytest.mark.parametrize("path", ["products/SKU-9", "products/a b", "nonsense/SKU-1"])
def test_what_is_not_there_has_no_changes(path: str, shop: Ports) -> None:
    problem_of(call("GET", f"config/{path}/changes"), 404)


@pytest.mark.parametrize(("entra", "by"), [(True, OBJECT_ID), (False, "function key")])
def test_the_log_says_who_removed_an_object_without_a_name(
    entra: bool, by: str, shop: Ports, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    if entra:
        sign_in_with_entra(shop, monkeypatch)
    headers = having(Role.CONFIG_ADMIN) if entra else KEY
    assert call("DELETE", "config/products/SKU-2", headers=headers).status_code == 204
    event = {"event": "configuration_removed", "kind": "products", "id": "SKU-2", "by": by}
    assert [json.loads(text) for text in caplog.messages if "configuration_removed" in text] == [event]
    assert "ann@" not in caplog.text
