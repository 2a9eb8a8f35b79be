"""host.json is read strictly."""

import json
from pathlib import Path
from typing import Any

import pytest

from dom_core.errors import InvalidInput
from local.host_json import read_host_json

REPOSITORY = Path(__file__).resolve().parents[2]


def read(folder: Path, content: Any) -> Any:
    path = folder / "host.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_host_json(path)


def refusals(folder: Path, content: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(folder, content)
    return str(refused.value)


def test_our_own_file_gives_its_numbers() -> None:
    host_json = read_host_json(REPOSITORY / "host.json")
    queues = host_json.extensions.queues
    written = json.loads((REPOSITORY / "host.json").read_text())["extensions"]
    assert host_json.extensions.http.route_prefix == written["http"]["routePrefix"]
    assert queues.batch_size == written["queues"]["batchSize"]
    assert queues.refill_at == written["queues"]["newBatchThreshold"]
    assert queues.message_encoding == "none"
    assert (queues.visibility_timeout_s, queues.max_polling_interval_s) == (60, 2)
    assert "functionTimeout" in host_json.without_effect


def test_a_file_with_only_its_version_has_azures_defaults(tmp_path: Path) -> None:
    host_json = read(tmp_path, {"version": "2.0"})
    queues = host_json.extensions.queues
    assert host_json.extensions.http.route_prefix == "api"
    assert (queues.batch_size, queues.refill_at, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout_s, queues.max_polling_interval_s) == (0, 60)
    assert queues.message_encoding == "base64"
    assert host_json.without_effect == ()


def test_a_time_span_may_have_days_and_fractions(tmp_path: Path) -> None:
    numbers = {"visibilityTimeout": "1.02:03:04", "maxPollingInterval": "00:00:00.2500000"}
    queues = read(tmp_path, {"version": "2.0", "extensions": {"queues": numbers}}).extensions.queues
    assert queues.visibility_timeout_s == 86_400 + 2 * 3600 + 3 * 60 + 4
    assert queues.max_polling_interval_s == 0.25


@pytest.mark.parametrize(
    ("queues", "reason"),
    [
        ({"batchSize": 33}, "extensions.queues.batchSize"),
        ({"batchSize": "16"}, "extensions.queues.batchSize"),
        ({"newBatchThreshold": -1}, "extensions.queues.newBatchThreshold"),
        ({"maxDequeueCount": 0}, "extensions.queues.maxDequeueCount"),
        ({"visibilityTimeout": 10}, "hh:mm:ss"),
        ({"visibilityTimeout": "10"}, "hh:mm:ss"),
        ({"visibilityTimeout": "24:00:00"}, "1.00:00:00"),
        ({"visibilityTimeout": "8.00:00:00"}, "extensions.queues.visibilityTimeout"),
        ({"maxPollingInterval": "00:00:00"}, "extensions.queues.maxPollingInterval"),
        ({"messageEncoding": "utf8"}, "extensions.queues.messageEncoding"),
        ({"batchsize": 3}, "extensions.queues.batchsize"),
    ],
)
def test_a_bad_number_is_named(tmp_path: Path, queues: dict[str, Any], reason: str) -> None:
    assert reason in refusals(tmp_path, {"version": "2.0", "extensions": {"queues": queues}})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "version"),
        ({"version": "1.0"}, "version"),
        ({"version": "2.0", "extension": {}}, "extension"),
        ({"version": "2.0", "extensions": {"eventHubs": {}}}, "extensions.eventHubs"),
        ({"version": "2.0", "extensions": {"http": {"routePrefix": "/api"}}}, "extensions.http.routePrefix"),
        ("{", "not valid JSON"),
        ("[]", "host.json"),
    ],
)
def test_a_file_that_azure_would_read_differently_is_refused(tmp_path: Path, content: Any, reason: str) -> None:
    assert reason in refusals(tmp_path, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"host\.json.*cannot be read"):
        read_host_json(tmp_path / "host.json")


def test_every_bad_number_is_reported_at_once(tmp_path: Path) -> None:
    found = refusals(tmp_path, {"version": "2.0", "extensions": {"queues": {"batchSize": 0, "maxDequeueCount": 0}}})
    assert "batchSize" in found
    assert "maxDequeueCount" in found
