"""The app gets the roles that it needs, by ids that are what they are called, and no more."""

import re
from collections.abc import Mapping

from tests.infra.bicep import Scope, files, module, properties

ROLES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "00000000-0000-0000-0000-000000000002": "Cosmos DB Built-in Data Contributor",
}
"""Microsoft's ids of built-in roles. The last is a role of Cosmos DB's own."""

GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")


def test_every_id_in_the_files_is_one_of_these_roles() -> None:
    used = {found for file in files() for found in GUID.findall(file.text)}
    assert used == set(ROLES)


def test_the_storage_roles_are_named_as_they_are() -> None:
    found = re.findall(rf"'({GUID.pattern})' // (.+)", module("storage").text)
    assert found == [(guid, ROLES[guid]) for guid in module("storage").value("appRoles")]


def test_the_app_may_use_storage_data_and_not_manage_the_account() -> None:
    storage = module("storage")
    assigned = Scope(storage, {"appPrincipalId": "app"}).evaluate(
        storage.declared("module")["account"].arguments["roleAssignments"]
    )
    assert [(one["principalId"], one["principalType"]) for one in assigned] == [("app", "ServicePrincipal")] * 3
    assert {ROLES[one["roleDefinitionIdOrName"]] for one in assigned} == {
        "Storage Blob Data Owner",
        "Storage Queue Data Contributor",
        "Storage Table Data Contributor",
    }


def test_the_app_may_use_cosmos_data_and_make_nothing() -> None:
    database = module("database")
    access = database.declared("resource")["dataAccess"]
    assert access.reference.startswith("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@")
    assert ROLES[database.value("cosmosDataContributor")] == "Cosmos DB Built-in Data Contributor"
    given = properties(properties(access.body)["properties"])
    assert given["principalId"].text == b"appPrincipalId"
    assert given["roleDefinitionId"].text == b"'${existingAccount.id}/sqlRoleDefinitions/${cosmosDataContributor}'"


def test_the_app_may_send_telemetry_and_read_none() -> None:
    monitoring = module("monitoring")
    assert ROLES[monitoring.value("monitoringMetricsPublisher")] == "Monitoring Metrics Publisher"
    assert "roleAssignments" not in monitoring.declared("module")["workspace"].arguments


def test_the_app_may_read_one_secret_and_not_the_vault() -> None:
    reader = module("secret-reader")
    assert ROLES[reader.value("keyVaultSecretsUser")] == "Key Vault Secrets User"
    assert properties(reader.declared("resource")["reader"].body)["scope"].text == b"secret"
