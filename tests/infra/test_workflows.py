"""The workflows parse, pin what they use, ask for few rights and keep no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source_code import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"uses: (\S+?)@(\S+)(.*)$", re.MULTILINE)

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _parsed(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def test_there_are_checks_and_a_deployment() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "deploy.yml"]


@every_workflow
def test_every_job_says_where_it_runs_and_when_it_is_given_up(path: Path) -> None:
    for job in _parsed(path)["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest"
        assert job["timeout-minutes"] <= 60
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@every_workflow
def test_actions_are_pinned_to_a_commit_and_say_which_version_it_is(path: Path) -> None:
    found = USES.findall(path.read_text("utf-8"))
    assert found
    for action, commit, comment in found:
        assert re.fullmatch(r"[0-9a-f]{40}", commit), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_an_action_has_one_version_everywhere() -> None:
    pins = {found[:2] for path in WORKFLOWS for found in USES.findall(path.read_text("utf-8"))}
    assert len(pins) == len({action for action, _ in pins})


@every_workflow
def test_a_workflow_may_read_and_only_deployment_may_ask_for_a_token(path: Path) -> None:
    workflow = _parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        expected = {"contents": "read", "id-token": "write"} if path.name == "deploy.yml" else None
        assert job.get("permissions") == expected


@every_workflow
def test_no_secret_is_kept(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "secrets." not in text
    assert not re.search(r"(?i)client-secret|password|creds:|publish-profile", text)


@every_workflow
def test_a_checkout_leaves_no_credentials_behind(path: Path) -> None:
    for job in _parsed(path)["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"] == {"persist-credentials": False}


@every_workflow
def test_no_input_of_a_caller_becomes_part_of_a_script(path: Path) -> None:
    for job in _parsed(path)["jobs"].values():
        assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_ci_runs_what_a_developer_runs_on_both_pythons() -> None:
    steps = _parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["check"]["steps"]
    assert steps[-1]["run"] == "bash .ci/run"
    versions = next(step["with"]["python-version"] for step in steps if "setup-python" in step.get("uses", ""))
    assert versions.split() == ["3.11", "3.13"]


def test_deployment_provisions_deploys_and_then_looks() -> None:
    job = _parsed(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]["deploy"]
    runs = " ".join(step["run"] for step in job["steps"] if "run" in step)
    order = ["azd auth login", "azd provision", "azd deploy", "az functionapp function list", "infra.check_deployment"]
    assert [runs.index(words) for words in order] == sorted(runs.index(words) for words in order)


def test_azd_deploys_the_built_package_to_the_app_that_bicep_names() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    service = azure["services"]["dom"]
    assert (azure["infra"]["path"], azure["infra"]["module"]) == ("infra", "main")
    assert (service["host"], service["language"], service["remoteBuild"]) == ("function", "python", False)
    hook = service["hooks"]["prepackage"]
    assert all(hook[shell]["run"].endswith(f"infra.package {service['dist']}") for shell in ("posix", "windows"))
    assert "'azd-service-name': 'dom'" in (ROOT / "infra" / "modules" / "function-app.bicep").read_text("utf-8")
