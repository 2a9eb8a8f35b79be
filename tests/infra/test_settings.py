"""Settings in Bicep are those of the code, with the same defaults; nothing that Flex Consumption refuses is set."""

import json
import re
from typing import Any

import pytest

from dom_core.settings import TABLE
from tests.architecture.source_code import ROOT
from tests.infra.bicep import INFRA, Unknown, files, module, read

FORBIDDEN = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_NODE_DEFAULT_VERSION",
    "WEBSITE_TIME_ZONE",
)
"""Settings that Flex Consumption refuses, or replaces by properties of the app."""

NOT_IN_AZURE = {
    "DOM_STORE_PATH": "the embedded store is one machine's",
    "DOM_COSMOS_KEY": "the account takes no keys",
    "AzureWebJobsStorage": "a connection string holds a key; the host reads AzureWebJobsStorage__… instead",
}
"""Settings of the code that an installation in Azure must not have, and why."""

HOST = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "AZURE_CLIENT_ID",
}
"""What the Functions host and the SDKs read: connections by identity."""

GIVEN_BY_INSTALLATION = {"DOM_STORE", "DOM_COSMOS_ENDPOINT", "DOM_TELEMETRY"}
"""Settings whose value in Azure is not the default."""

DEFAULTS = {setting.variable: setting.default for setting in TABLE}


def _app_settings() -> dict[str, Any]:
    main, app = read(INFRA / "main.bicep"), module("function-app")
    given = {name: main.value(name) for name in app.declared("param") if name in main.declared("param")}
    given["cosmosDatabaseName"] = main.value("cosmosDatabaseName")
    [settings] = app.value("appSettings", given)
    found: dict[str, Any] = settings["properties"]
    return found


def test_bicep_sets_every_setting_of_the_code_and_no_other() -> None:
    ours = set(_app_settings()) - (HOST - set(DEFAULTS))
    assert ours == set(DEFAULTS) - set(NOT_IN_AZURE)


def test_bicep_sets_every_setting_that_this_version_has() -> None:
    assert set(DEFAULTS) - set(NOT_IN_AZURE) <= set(_app_settings())


def test_the_host_gets_its_connections_by_identity() -> None:
    settings = _app_settings()
    assert set(settings) >= HOST
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert {name for name in settings if not name.startswith("DOM_")} == HOST


def test_values_in_bicep_are_the_defaults_of_the_code() -> None:
    known = {name: value for name, value in _app_settings().items() if not isinstance(value, Unknown)}
    different = {name: value for name, value in known.items() if name in DEFAULTS and value != DEFAULTS[name]}
    assert set(different) <= GIVEN_BY_INSTALLATION
    assert known["DOM_STORE"] == "azure"


def test_limits_of_parameters_are_those_of_the_settings() -> None:
    """A number that Bicep takes must not stop the app."""
    text = (INFRA / "main.bicep").read_text("utf-8")
    for variable, parameter in (
        ("DOM_REQUESTS_AT_ONCE", "requestsAtOnce"),
        ("DOM_LEASE_S", "leaseSeconds"),
        ("DOM_PLAN_EXPIRY_H", "planExpiryHours"),
        ("DOM_PLAN_RETENTION_DAYS", "planRetentionDays"),
        ("DOM_DEADLETTER_RETENTION_DAYS", "deadLetterRetentionDays"),
        ("DOM_MAX_BODY_BYTES", "maxBodyBytes"),
        ("DOM_ROAD_WITHIN_KM", "roadWithinKm"),
        ("DOM_ROAD_CIRCUITY_PERCENT", "roadCircuityPercent"),
        ("DOM_ROAD_CELLS", "roadCells"),
        ("DOM_ROAD_CACHE_DAYS", "roadCacheDays"),
        ("DOM_REQUESTS_PER_MINUTE", "requestsPerMinute"),
    ):
        parse = next(setting.parse for setting in TABLE if setting.variable == variable)
        found = re.search(
            rf"@minValue\((\d+)\)\n@maxValue\((\d+)\)\n@description\('[^\n]*'\)\nparam {parameter} int", text
        )
        assert found, parameter
        least, most = int(found[1]), int(found[2])
        assert (parse(str(least)), parse(str(most))) == (least, most)
        for beyond in (least - 1, most + 1):
            with pytest.raises(ValueError, match="whole number"):
                parse(str(beyond))


@pytest.mark.parametrize("name", FORBIDDEN)
def test_nothing_is_set_that_flex_consumption_refuses(name: str) -> None:
    assert name not in _app_settings()
    assert not [file.name for file in files() if name in file.text]


def test_the_example_of_local_settings_is_valid_and_has_no_secret() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))
    values = example["Values"]
    assert values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    ours = {name: value for name, value in values.items() if name in DEFAULTS and name != "AzureWebJobsStorage"}
    assert ours == {name: DEFAULTS[name] for name in ours}
    assert set(values) - set(ours) == {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


def test_every_variable_of_the_parameter_file_is_explained() -> None:
    variables = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text("utf-8")))
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.MULTILINE))
    assert variables - {"AZURE_ENV_NAME", "AZURE_LOCATION"} == explained
