"""The core decides from what it is given: no clock, no environment, no file, no chance."""

from collections.abc import Mapping

import pytest

from tests.architecture.source_code import Module, modules, names_used

CORE = frozenset(
    {"domain", "rules", "costs", "optimizer", "use_cases", "repositories", "messages", "ports", "errors"}
    | {"telemetry", "watch"}
    | {"configuration", "configuration_checks", "configuration_scopes"}
)

CLOCK = frozenset({"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "sleep", "localtime"})
CLOCK_MODULES = frozenset({"datetime", "date", "time"})
OUTSIDE = frozenset(
    {"io", "os", "pathlib", "tempfile", "shutil", "subprocess", "socket", "random", "secrets", "uuid", "threading"}
)

SECONDS = frozenset({"time", "time.monotonic"})
EXCEPTIONS: Mapping[str, frozenset[str]] = {
    # A plan reports how long its stages took; no decision depends on it.
    "dom_core.optimizer.pipeline": SECONDS,
    "dom_core.optimizer.relaxation": SECONDS,
    # Its last limit is one of seconds; plans that it ended say so.
    "dom_core.optimizer.course": SECONDS,
    "dom_core.optimizer.search": SECONDS,
    # What the exact model took of the seconds, the search has not.
    "dom_core.optimizer.blocks": SECONDS,
    # CBC is a program of its own: it is started, and killed with what it started when it is late.
    "dom_core.optimizer.solving": SECONDS | {"os", "pathlib", "shutil", "subprocess", "threading"},
    # It asks far more often whether to go on than anybody wants to be asked.
    "dom_core.optimizer.solving_highs": SECONDS,
    # It is found, made executable, and given a folder that is removed after it.
    "dom_core.optimizer.executable": frozenset({"os", "pathlib", "shutil", "tempfile", "threading"}),
    # NumPy writes its arrays into a file; this one is in memory.
    "dom_core.optimizer.task_wire": frozenset({"io"}),
    # The pulse keeps the turn on a thread of its own, beside whoever holds it.
    "dom_core.use_cases.planning_turn": frozenset({"threading"}),
    # Tasks are performed side by side; when one fails, the others are told.
    "dom_core.optimizer.performing": frozenset({"threading"}),
    # When a guess has the best plan, the larger one at work beside it is told.
    "dom_core.optimizer.deepening": frozenset({"threading"}),
    # Runs that overlap share one collector of garbage.
    "dom_core.optimizer.garbage": frozenset({"threading"}),
    # Several solvers that wait ask at the same time whether to stop.
    "dom_core.use_cases.stop_sign": frozenset({"threading"}),
    # Requests that come at the same time share one look at the store, the queue and the solver.
    "dom_core.use_cases.health_memory": frozenset({"threading"}),
}
"""What single modules may use all the same, and why."""

every_core_module = pytest.mark.parametrize(
    "module", [module for module in modules() if module.room in CORE], ids=lambda module: module.name
)


@every_core_module
def test_the_core_asks_no_clock(module: Module) -> None:
    used = {name for name in names_used(module.tree) if _asks_a_clock(name)}
    assert used <= EXCEPTIONS.get(module.name, frozenset())


@every_core_module
def test_the_core_reaches_for_no_environment_file_or_chance(module: Module) -> None:
    imported = {name.partition(".")[0] for name in module.imports()}
    assert imported & (OUTSIDE | {"time"}) <= EXCEPTIONS.get(module.name, frozenset())
    assert not {"open", "print", "input"} & set(names_used(module.tree))


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_nobody_but_the_settings_and_the_entry_points_reads_the_environment(module: Module) -> None:
    reads = {name for name in names_used(module.tree) if name in ("os.environ", "os.getenv")}
    entry_points = ("dom_core.settings", "functions.bootstrap", "local.__main__")
    assert not reads or module.name in entry_points


def _asks_a_clock(name: str) -> bool:
    *before, last = name.split(".")
    return last in CLOCK and bool(before) and before[-1] in CLOCK_MODULES
