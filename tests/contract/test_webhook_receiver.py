"""Posting to a receiver over HTTP: what counts as an answer, and what becomes of receivers that give none."""

import socket
from collections.abc import Iterator

import pytest

from dom_core.adapters.webhook import HttpWebhook, from_settings
from dom_core.errors import InvalidInput, Unavailable
from dom_core.settings import from_environment
from tests.webhook_receiver import Receiver, receiving

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def test_body_headers_and_path_arrive_as_given(receiver: Receiver) -> None:
    webhook = HttpWebhook(receiver.url + "orders/in?key=k")

    assert webhook.post("größe".encode(), {"webhook-id": "msg_1"}) == 200

    [post] = receiver.posts
    assert (post.path, post.body) == ("/orders/in?key=k", "größe".encode())
    assert (post.headers["content-type"], post.headers["webhook-id"]) == ("application/json", "msg_1")


@pytest.mark.parametrize("status", [204, 404, 410, 429, 500, 503])
def test_the_status_is_what_the_receiver_answered(status: int, receiver: Receiver) -> None:
    receiver.answers = [status]
    assert HttpWebhook(receiver.url).post(b"{}", {}) == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, receiver: Receiver) -> None:
    receiver.answers = [status]
    assert HttpWebhook(receiver.url).post(b"{}", {}) == status
    assert len(receiver.posts) == 1


def test_a_receiver_that_is_down_gives_no_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Unavailable, match=r"^no answer from the receiver \(ConnectionRefusedError\)$"):
        HttpWebhook(f"http://127.0.0.1:{port}/?key=k").post(b"{}", {})


def test_a_receiver_that_does_not_exist_gives_no_answer() -> None:
    with pytest.raises(Unavailable):
        HttpWebhook("https://receiver.invalid/").post(b"{}", {})


def test_a_slow_receiver_is_not_waited_for(receiver: Receiver) -> None:
    receiver.open.clear()
    with pytest.raises(Unavailable, match="TimeoutError"):
        HttpWebhook(receiver.url, timeout_s=0.2).post(b"{}", {})


def test_a_receiver_that_answers_a_byte_at_a_time_keeps_nobody(receiver: Receiver) -> None:
    receiver.open.clear()
    receiver.drip = True
    with pytest.raises(Unavailable):
        HttpWebhook(receiver.url, timeout_s=10, limit_s=1.0).post(b"{}", {})


def test_a_receiver_that_does_not_speak_http_gives_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Unavailable):
        HttpWebhook(f"https://127.0.0.1:{server.getsockname()[1]}/", timeout_s=0.2).post(b"{}", {})


class TestSettings:
    def test_without_an_address_nobody_is_told(self) -> None:
        assert from_settings(from_environment({})) is None

    def test_the_address_of_the_settings_is_told(self, receiver: Receiver) -> None:
        webhook = from_settings(from_environment({"DOM_WEBHOOK_URL": receiver.url, "DOM_WEBHOOK_SECRET": SECRET}))
        assert webhook is not None
        assert webhook.post(b"{}", {}) == 200

    @pytest.mark.parametrize(
        "url",
        [
            "http://shop.example/in",
            "http://192.0.2.7/in",
            "http://169.254.169.254/latest",
            "http://localhost.evil.example/in",
            "ftp://shop.example/in",
            "file:///etc/passwd",
            "shop.example/in",
            "https:///in",
            "https://user:pass@shop.example/in",
            "https://shop.example/in#part",
            "https://shop.example/in\r\nHost: evil.example",
            "https://shop.example:0/in",
            "https://shop.example:99999/in",
            "https://shöp.example/in",
        ],
    )
    def test_an_address_that_is_not_safe_is_refused_and_not_repeated(self, url: str) -> None:
        with pytest.raises(InvalidInput, match="DOM_WEBHOOK_URL") as refused:
            from_environment({"DOM_WEBHOOK_URL": url, "DOM_WEBHOOK_SECRET": SECRET})
        assert url not in str(refused.value)

    @pytest.mark.parametrize("secret", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "?" * 40, f"{SECRET} old"])
    def test_a_secret_that_signs_nothing_is_refused_and_not_repeated(self, secret: str) -> None:
        with pytest.raises(InvalidInput, match="DOM_WEBHOOK_SECRET") as refused:
            from_environment({"DOM_WEBHOOK_URL": "https://shop.example/in", "DOM_WEBHOOK_SECRET": secret})
        assert secret not in str(refused.value).replace("whsec_ and", "")

    def test_nobody_is_told_unsigned(self) -> None:
        with pytest.raises(InvalidInput, match="DOM_WEBHOOK_SECRET"):
            from_environment({"DOM_WEBHOOK_URL": "https://shop.example/in"})
