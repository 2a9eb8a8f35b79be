"""What the Bicep files ask Azure for, as an ARM template without modules: something that policies can be checked on.

    python -m tests.infra.plain_resources > build/plain.json

A policy checker does not look into Azure Verified Modules, so their parameters are written as the properties that the
modules pass them to. What only Azure knows stands as text. It is not a template to deploy.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.infra.bicep import INFRA, Declaration, File, Scope, Unknown, read

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

STORAGE_PROPERTIES = (
    "minimumTlsVersion",
    "supportsHttpsTrafficOnly",
    "allowBlobPublicAccess",
    "allowSharedKeyAccess",
    "allowCrossTenantReplication",
    "publicNetworkAccess",
    "networkAcls",
)
"""Parameters of the module that are properties of the account by the same name."""

Arguments = Mapping[str, Any]
Resource = dict[str, Any]


def template() -> dict[str, Any]:
    """The template of a default installation."""
    main = read(INFRA / "main.bicep")
    arguments = {"environmentName": "example", "location": "westeurope", "alertEmail": "operator@example.com"}
    resources = list(_resources(main, arguments))
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "resources": json.loads(json.dumps(resources, default=_text)),
    }


def _resources(file: File, arguments: Arguments) -> Iterator[Resource]:
    for used in file.declarations("module"):
        for given in _calls(file, used, arguments):
            if used.reference.startswith("br/"):
                yield from _PLAIN.get(_module_name(used), _nothing)(given)
            else:
                yield from _resources(read(file.path.parent / used.reference), given)


def _calls(file: File, used: Declaration, arguments: Arguments) -> Iterator[Arguments]:
    """The arguments of each copy of a module."""
    scope = Scope(file, arguments)
    scopes = [scope]
    if used.loop:
        variable, over = used.loop
        scopes = [scope.with_local(variable, value) for value in scope.evaluate(over)]
    for each in scopes:
        yield {name: each.evaluate(node) for name, node in used.arguments.items()}


def _module_name(used: Declaration) -> str:
    return used.reference.removeprefix("br/public:avm/res/").partition(":")[0]


def _storage(given: Arguments) -> Iterator[Resource]:
    account = _resource("Microsoft.Storage/storageAccounts@2023-05-01", given, _picked(given, STORAGE_PROPERTIES))
    yield account | {"kind": given["kind"], "sku": {"name": given["skuName"]}}
    for container in given["blobServices"]["containers"]:
        kind = "Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01"
        yield _resource(kind, container, {"publicAccess": container["publicAccess"]})


def _cosmos(given: Arguments) -> Iterator[Resource]:
    properties = {
        "disableLocalAuth": given["disableLocalAuthentication"],
        "disableKeyBasedMetadataWriteAccess": given["disableKeyBasedMetadataWriteAccess"],
        "minimalTlsVersion": given["minimumTlsVersion"],
        "publicNetworkAccess": given["networkRestrictions"]["publicNetworkAccess"],
    }
    yield _resource("Microsoft.DocumentDB/databaseAccounts@2024-11-15", given, properties)


def _site(given: Arguments) -> Iterator[Resource]:
    properties = _picked(given, ("httpsOnly", "publicNetworkAccess", "siteConfig", "functionAppConfig"))
    identity = {"type": "UserAssigned", "userAssignedIdentities": given["managedIdentities"]}
    yield _resource("Microsoft.Web/sites@2024-04-01", given, properties) | {"kind": given["kind"], "identity": identity}


def _plan(given: Arguments) -> Iterator[Resource]:
    plan = _resource("Microsoft.Web/serverfarms@2024-04-01", given, _picked(given, ("reserved", "zoneRedundant")))
    yield plan | {"sku": {"name": given["skuName"]}}


def _workspace(given: Arguments) -> Iterator[Resource]:
    properties = {"retentionInDays": given["dataRetention"], "features": given["features"]}
    yield _resource("Microsoft.OperationalInsights/workspaces@2023-09-01", given, properties)


def _insights(given: Arguments) -> Iterator[Resource]:
    properties = {"DisableLocalAuth": given["disableLocalAuth"], "RetentionInDays": given["retentionInDays"]}
    yield _resource("Microsoft.Insights/components@2020-02-02", given, properties)


def _nothing(_: Arguments) -> Iterator[Resource]:
    """Modules that no policy of the checker looks at: identity, alerts, budget."""
    yield from ()


_PLAIN: Mapping[str, Callable[[Arguments], Iterator[Resource]]] = {
    "storage/storage-account": _storage,
    "document-db/database-account": _cosmos,
    "web/site": _site,
    "web/serverfarm": _plan,
    "operational-insights/workspace": _workspace,
    "insights/component": _insights,
}


def _resource(kind: str, given: Arguments, properties: Mapping[str, Any]) -> Resource:
    name, _, version = kind.partition("@")
    return {
        "type": name,
        "apiVersion": version,
        "name": given["name"],
        "location": given.get("location", "westeurope"),
        "properties": dict(properties),
    }


def _picked(given: Arguments, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _text(value: object) -> str:
    assert isinstance(value, Unknown), value
    return value.text


if __name__ == "__main__":
    json.dump(template(), sys.stdout, indent=2)
