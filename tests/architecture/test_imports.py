"""Imports point one way: functions, local, cli → use cases → repositories → ports, and down to the domain.

Under the use cases: optimizer → costs → rules → domain.
"""

from collections.abc import Mapping

import pytest

from tests.architecture.source_code import Module, modules, room_of

VALUES = frozenset({"domain", "errors"})
"""What everybody may use: values and errors know nothing of their users."""

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "dom_core": frozenset(),
    "errors": frozenset(),
    "side_by_side": frozenset(),
    "domain": VALUES,
    "ports": VALUES,
    "settings": VALUES,
    "charges": VALUES | {"ports"},
    "telemetry": VALUES,
    "messages": VALUES,
    "report": VALUES | {"messages"},
    "rules": VALUES | {"messages", "watch"},
    "costs": VALUES | {"rules"},
    "watch": VALUES,
    "optimizer": VALUES | {"costs", "rules", "side_by_side", "watch"},
    "verification": VALUES | {"costs", "optimizer", "rules"},
    "configuration": VALUES,
    "configuration_scopes": VALUES | {"configuration"},
    "configuration_sources": VALUES | {"configuration", "rules"},
    "strategy_checks": VALUES | {"configuration", "configuration_sources", "rules"},
    "configuration_checks": VALUES | {"configuration", "configuration_scopes", "costs", "rules", "strategy_checks"},
    "files": VALUES | {"configuration", "configuration_checks", "messages"},
    "repositories": VALUES | {"configuration", "messages", "ports"},
    "use_cases": VALUES
    | {"charges", "configuration", "configuration_checks", "configuration_sources", "messages", "optimizer", "ports"}
    | {"report", "repositories", "rules", "settings", "side_by_side", "telemetry", "verification", "watch"},
    "adapters": VALUES | {"charges", "ports", "settings", "telemetry"},
    "cli": VALUES
    | {
        "adapters",
        "configuration",
        "files",
        "messages",
        "optimizer",
        "ports",
        "report",
        "settings",
        "use_cases",
        "verification",
        "watch",
    },
    "functions": VALUES
    | {"adapters", "charges", "messages", "optimizer", "report", "repositories", "settings", "telemetry", "use_cases"},
    "function_app": frozenset({"functions", "settings"}),
    "local": VALUES | {"adapters", "messages", "ports", "settings"},
}
"""Room by room, the other rooms whose modules it may import. A new room needs a row."""

WIRING = "functions.bootstrap"
"""The one module of `functions` that knows which adapters and which solver there are."""

AUDIT = "dom_core.optimizer.audit"
"""The one part of the engine that looks at plans and not at models."""

EXCEPTIONS: Mapping[str, frozenset[str]] = {
    # The OpenAPI document is written from the finished app: its functions, routes and keys.
    "functions.openapi": frozenset({"function_app"}),
}
"""What single modules may import besides, and why."""

every_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


@every_module
def test_a_module_imports_only_from_the_rooms_below_it(module: Module) -> None:
    rooms = {room_of(name) for name in module.imports()} - {None, "__version__", module.room}
    assert rooms <= MAY_IMPORT[module.room] | EXCEPTIONS.get(module.name, frozenset())


@every_module
def test_verifying_shares_nothing_with_the_engine_and_neither_does_the_audit(module: Module) -> None:
    if module.room == "verification" or module.name.startswith(AUDIT):
        engine = {name for name in module.imports() if name.startswith("dom_core.optimizer.")}
        assert not {name for name in engine if not name.startswith(AUDIT)}


@every_module
def test_only_the_edges_know_azure(module: Module) -> None:
    if module.room not in ("functions", "function_app", "local", "adapters"):
        assert not _imports(module, "azure")


@every_module
def test_only_formulation_and_solving_know_the_modelling_library(module: Module) -> None:
    room = "dom_core.optimizer"
    if module.name not in (f"{room}.formulation", f"{room}.solving", f"{room}.solving_highs"):
        assert not _imports(module, "pulp")


@every_module
def test_only_the_adapter_of_telemetry_knows_open_telemetry(module: Module) -> None:
    if not module.name.startswith("dom_core.adapters.telemetry."):
        assert not _imports(module, "opentelemetry")


@every_module
def test_nobody_needs_the_second_solver(module: Module) -> None:
    assert not _imports(module, "highspy")


@every_module
def test_only_the_wiring_of_the_functions_knows_adapters_and_solver(module: Module) -> None:
    if module.room == "functions" and module.name != WIRING:
        assert not {room_of(name) for name in module.imports()} & {"adapters", "optimizer"}


def _imports(module: Module, package: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for name in module.imports())
