"""Queues, containers, partition keys and indexes in Bicep are those that the code uses."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dom_core.adapters.cosmos import containers
from dom_core.adapters.cosmos.connection import NEEDED_CONSISTENCY
from dom_core.adapters.storage_blob import CONTAINER
from dom_core.domain.order import ExceptionKind, LineState
from dom_core.ports import Container
from dom_core.settings import TABLE
from dom_core.use_cases.clean_up import BLOB_LIFE
from tests.architecture.source_code import ROOT
from tests.infra.bicep import INFRA, Scope, module, read

PARTITION_FIELDS = {
    Container.ORDERS: "orderId",
    Container.STOCK: "sku",
    Container.PLANS: "planId",
    Container.CONFIG: "kind",
    Container.RUNS: "id",
    Container.DEAD_LETTERS: "day",
}

QUEUE_SETTINGS = {setting.default for setting in TABLE if setting.field.endswith("_queue")}


def _containers() -> dict[str, dict[str, Any]]:
    containers = module("database").value("containers")
    return {container["name"]: container for container in containers}


def _account_arguments() -> dict[str, Any]:
    database = module("database")
    scope = Scope(database, {"autoscaleMaxRu": 0, "databaseName": "dom"})
    return {name: scope.evaluate(node) for name, node in database.declared("module")["account"].arguments.items()}


def test_every_queue_of_the_code_is_made_and_its_poison_queue_too() -> None:
    storage = module("storage")
    queues = storage.value("queueNames")
    assert set(queues) == QUEUE_SETTINGS
    assert storage.value("poisonQueueNames") == [f"{queue}-poison" for queue in queues]
    made = Scope(storage, {}).evaluate(storage.declared("module")["account"].arguments["queueServices"])["queues"]
    assert [queue["name"] for queue in made] == [*queues, *(f"{queue}-poison" for queue in queues)]


def test_the_container_of_large_messages_is_made_and_nobody_reads_it_in_public() -> None:
    storage = module("storage")
    assert storage.value("claimsContainerName") == CONTAINER
    scope = Scope(storage, {"deploymentContainerName": "app-package"})
    containers = scope.evaluate(storage.declared("module")["account"].arguments["blobServices"])["containers"]
    assert {each["name"]: each["publicAccess"] for each in containers} == {"app-package": "None", CONTAINER: "None"}


@pytest.mark.parametrize("retention_days", [1, 30, 3650])
def test_what_the_clean_up_leaves_is_removed_by_the_account_but_never_before_it(retention_days: int) -> None:
    storage = module("storage")
    scope = Scope(storage, {"deadLetterRetentionDays": retention_days})
    [rule] = scope.evaluate(storage.declared("module")["account"].arguments["managementPolicyRules"])
    assert rule["enabled"] is True
    assert rule["definition"]["filters"] == {"blobTypes": ["blockBlob"], "prefixMatch": [f"{CONTAINER}/"]}
    days = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterCreationGreaterThan"]
    assert timedelta(days=days) > BLOB_LIFE + timedelta(days=retention_days)


def test_every_container_of_the_code_is_made_with_its_partition_key() -> None:
    made = {name: container["partition"] for name, container in _containers().items()}
    assert made == {container: f"/{PARTITION_FIELDS[container]}" for container in Container}


def test_the_adapter_uses_the_same_partition_keys() -> None:
    assert dict(containers.PARTITION_FIELDS) == PARTITION_FIELDS
    assert containers.PARTITION_KEY_VERSION == 2


def test_containers_reach_azure_as_the_code_expects_them() -> None:
    [database] = _account_arguments()["sqlDatabases"]
    assert database["name"] == "dom"
    for container in database["containers"]:
        assert container["version"] == 2, "keys beyond 100 bytes would be confused"
        assert container["defaultTtl"] == -1
        assert container["indexingPolicy"]["excludedPaths"] == [{"path": "/*"}]
        assert {"path": f"{container['paths'][0]}/?"} in container["indexingPolicy"]["includedPaths"]


def test_everything_that_queries_ask_for_is_indexed_and_nothing_else() -> None:
    asked = {container: set[str]() for container in Container}
    for path in sorted((ROOT / "dom_core" / "repositories").glob("*.py")):
        for container, field in _fields_asked_for(path):
            asked[container].add(field)
    states = {f"line_{state}" for state in LineState} | {f"exception_{kind}" for kind in ExceptionKind}
    asked[Container.ORDERS] |= states
    for container, fields in asked.items():
        assert set(_containers()[container]["indexed"]) == {f"/body/{field}/?" for field in fields}, container


def test_reads_are_as_consistent_as_the_app_needs_them() -> None:
    assert _account_arguments()["defaultConsistencyLevel"] == NEEDED_CONSISTENCY


def test_serverless_is_the_default_and_autoscale_is_shared_by_the_containers() -> None:
    database, main = module("database"), read(INFRA / "main.bicep")
    account = database.declared("module")["account"].arguments
    serverless = Scope(database, {"autoscaleMaxRu": main.value("cosmosAutoscaleMaxRu"), "databaseName": "dom"})
    assert serverless.evaluate(account["capabilitiesToAdd"]) == ["EnableServerless"]
    assert serverless.evaluate(account["sqlDatabases"])[0]["autoscaleSettingsMaxThroughput"] is None
    autoscale = Scope(database, {"autoscaleMaxRu": 4000, "databaseName": "dom"})
    assert autoscale.evaluate(account["capabilitiesToAdd"]) == []
    assert autoscale.evaluate(account["sqlDatabases"])[0]["autoscaleSettingsMaxThroughput"] == 4000


def _fields_asked_for(path: Path) -> Iterator[tuple[Container, str]]:
    """Fields in the `where` of queries in a repository, as written or put into the variable `where`."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        containers = {
            node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute) and _is_container(node)
        }
        for field in _fields(function):
            [container] = containers
            yield Container[container], field


def _is_container(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Container"


def _fields(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.keyword) and node.arg == "where" and isinstance(node.value, ast.Dict):
            yield from _keys(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "where" for target in targets):
                yield from _keys(node.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "where":
            if isinstance(node.slice, ast.Constant):
                yield str(node.slice.value)
            else:
                assert isinstance(node.slice, ast.JoinedStr), "a field that is neither written out nor a state"


def _keys(where: ast.Dict) -> Iterator[str]:
    for key in where.keys:
        assert isinstance(key, ast.Constant)
        yield str(key.value)
