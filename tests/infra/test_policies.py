"""What an installation must never allow, read from the properties that reach Azure."""

import re
from typing import Any

import pytest

from tests.infra.bicep import INFRA, UNIQUE, Scope, Unknown, files, read
from tests.infra.plain_resources import template

SKIPPED = re.compile(r"^  - (CKV_AZURE_\d+)(?: # (.+))?$", re.MULTILINE)


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """The resources of a default installation, by type."""
    return {resource["type"]: resource for resource in template()["resources"]}


def _properties(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = resources[kind]["properties"]
    return found


def test_storage_has_no_usable_keys_and_nothing_public(resources: dict[str, dict[str, Any]]) -> None:
    account = _properties(resources, "Microsoft.Storage/storageAccounts")
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    container = _properties(resources, "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert container["publicAccess"] == "None"


def test_cosmos_db_takes_identities_only(resources: dict[str, dict[str, Any]]) -> None:
    account = _properties(resources, "Microsoft.DocumentDB/databaseAccounts")
    assert account["disableLocalAuth"] is True
    assert account["disableKeyBasedMetadataWriteAccess"] is True
    assert account["minimalTlsVersion"] == "Tls12"


def test_telemetry_takes_identities_only(resources: dict[str, dict[str, Any]]) -> None:
    assert _properties(resources, "Microsoft.Insights/components")["DisableLocalAuth"] is True
    assert _properties(resources, "Microsoft.OperationalInsights/workspaces")["features"] == {"disableLocalAuth": True}


def test_the_app_speaks_https_only_and_has_one_user_assigned_identity(resources: dict[str, dict[str, Any]]) -> None:
    site = resources["Microsoft.Web/sites"]
    assert site["properties"]["httpsOnly"] is True
    assert site["properties"]["siteConfig"]["minTlsVersion"] == "1.2"
    assert list(site["identity"]["userAssignedIdentities"]) == ["userAssignedResourceIds"]


def test_the_app_is_flex_consumption_on_the_python_that_is_tested(resources: dict[str, dict[str, Any]]) -> None:
    config = _properties(resources, "Microsoft.Web/sites")["functionAppConfig"]
    assert resources["Microsoft.Web/serverfarms"]["sku"] == {"name": "FC1"}
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert config["scaleAndConcurrency"]["alwaysReady"] == []
    assert config["scaleAndConcurrency"]["triggers"] == {"http": {"perInstanceConcurrency": 4}}


def test_passwords_for_publishing_are_switched_off() -> None:
    app = read(INFRA / "modules" / "function-app.bicep")
    site = app.declared("module")["site"]
    policies = Scope(app, {}).evaluate(site.arguments["basicPublishingCredentialsPolicies"])
    assert policies == [{"name": "ftp", "allow": False}, {"name": "scm", "allow": False}]


def test_nobody_lists_keys_and_no_output_is_a_secret() -> None:
    for file in files():
        assert not re.search(
            r"listKeys|listConnectionStrings|AccountKey|primary\w*Key|ConnectionString\b.*Key", file.text
        )


def test_names_fit_what_azure_allows(resources: dict[str, dict[str, Any]]) -> None:
    longest = {
        "Microsoft.Storage/storageAccounts": 24,
        "Microsoft.DocumentDB/databaseAccounts": 44,
        "Microsoft.Web/sites": 60,
        "Microsoft.Insights/components": 260,
        "Microsoft.OperationalInsights/workspaces": 63,
    }
    for kind, most in longest.items():
        name = resources[kind]["name"]
        assert UNIQUE in name
        assert 3 <= len(name) <= most
    assert re.fullmatch(r"[a-z0-9]+", resources["Microsoft.Storage/storageAccounts"]["name"])


def test_every_policy_that_is_not_followed_has_its_reason() -> None:
    found = SKIPPED.findall((INFRA / ".checkov.yaml").read_text("utf-8"))
    assert found
    assert [policy for policy, reason in found if len(reason) < 10] == []


def test_entra_id_refuses_whoever_has_no_token_everywhere_but_at_health() -> None:
    app = read(INFRA / "modules" / "function-app.bicep")
    [settings] = app.value("authSettings", {"entraClientId": "11111111-2222-3333-4444-555555555555"})
    rules = settings["properties"]["globalValidation"]
    assert rules["requireAuthentication"] is True
    assert rules["unauthenticatedClientAction"] == "Return401"
    assert rules["excludedPaths"] == ["/api/health"]
    registration = settings["properties"]["identityProviders"]["azureActiveDirectory"]["registration"]
    assert set(registration) == {"clientId", "openIdIssuer"}
    assert app.value("authSettings", {"entraClientId": ""}) == []


@pytest.mark.parametrize(("client_id", "mode"), [("", "keys"), ("11111111-2222-3333-4444-555555555555", "entra")])
def test_the_way_callers_sign_in_is_the_same_for_the_platform_and_the_app(client_id: str, mode: str) -> None:
    """The host asks for no key with `entra`: the platform's sign-in must then be on, and off with `keys`."""
    app = read(INFRA / "modules" / "function-app.bicep")
    assert app.value("domSettings", {"entraClientId": client_id})["DOM_AUTH"] == mode
    signs_in = [
        settings["properties"]["platform"]["enabled"]
        for settings in app.value("authSettings", {"entraClientId": client_id})
    ]
    assert signs_in == ([True] if mode == "entra" else [])


def test_the_maps_key_is_a_reference_and_never_a_value() -> None:
    main = read(INFRA / "main.bicep")
    node = main.declared("module")["app"].arguments["azureMapsKey"]
    given = Scope(main, {"mapsKeyVaultName": "vault"}).evaluate(node)
    assert given == "@Microsoft.KeyVault(VaultName=vault;SecretName=azure-maps-key)"
    assert Scope(main, {}).evaluate(node) == ""
    assert not isinstance(given, Unknown)
