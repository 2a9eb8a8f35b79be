"""Azure's community doctor looks at what is deployed: nothing fails, and each warning has been looked into."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra import package

NOT_A_FAULT = {
    "check_blueprint_registration": "function_app.py registers blueprints in a loop, which it does not follow; "
    "tests/functions/worker shows that Microsoft's worker finds every function",
    "check_native_dependency_risk": "numpy: infra.package takes the wheels for Azure's machines",
    "check_binding_connection_resolution": "AzureWebJobsStorage is set by infra/main.bicep, by identity",
    "check_app_insights": "so is APPLICATIONINSIGHTS_CONNECTION_STRING",
    "check_funcignore": "the package has nothing to ignore",
    "check_local_settings": "about the developer's machine",
    "check_venv": "about the developer's machine",
    "check_func_cli": "about the developer's machine",
    "check_func_core_tools_version": "about the developer's machine",
}
"""Warnings that may come, and why they may stay."""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="looked at as deployed: with Python 3.13")
def test_the_doctor_finds_no_fault_with_what_is_deployed(tmp_path: Path) -> None:
    package.copy_app(tmp_path / "app")
    deployed = ["--hosting-plan", "flex-consumption", "--deployment-mode", "local-prebuilt", "--target-python", "3.13"]
    found = subprocess.run(
        [sys.executable, "-m", "azure_functions_doctor.cli", "doctor", "--path", "app", "--format", "json", *deployed],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    items = [item for section in json.loads(found.stdout)["results"] for item in section["items"]]
    assert sum(item["status"] == "pass" for item in items) >= 15
    assert {item["rule_id"] for item in items if item["status"] not in ("pass", "skip")} <= NOT_A_FAULT.keys()
