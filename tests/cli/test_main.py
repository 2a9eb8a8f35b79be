"""The command line as a user meets it: output, files and exit codes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from dom_core.cli import main
from dom_core.cli.terminal import MOST_PROBLEMS
from dom_core.errors import SolverFailed
from dom_core.messages.reading import read_json
from dom_core.report.view import PlanView

SOURCES = [
    {"id": "seattle", "type": "store", "name": "Seattle store", "location": {"latitude": 47.6, "longitude": -122.3}},
    {"id": "denver", "type": "warehouse", "location": {"latitude": 39.7, "longitude": -105.0}},
]
CONFIGURATION: dict[str, Any] = {
    "sources": SOURCES,
    "source_lists": [{"id": "all", "source_ids": ["seattle", "denver"]}],
    "products": [{"id": "lamp", "name": "Lamp"}],
    "strategies": [{"id": "standard", "source_list_id": "all", "name": "Standard delivery"}],
}
ORDERS = (
    "order_id,product_id,units,ordered_at,postal_code,city,region\n"
    "O1,lamp,2,2026-03-02T08:00:00Z,98101,Seattle,Washington\n"
    "O2,lamp,4,2026-03-02T09:00:00Z,97201,Portland,Oregon\n"
    "O3,lamp,1,2026-03-02T10:00:00Z,00000,Nowhere,Nevada\n"
)
STOCK = "product_id,source_id,on_hand\nlamp,seattle,2\nlamp,denver,1\n"


class Desk:
    """A folder with a configuration, orders and stock, and the command that plans them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.config.mkdir()
        self.plan = folder / "plan.json"
        self.report = folder / "plan.html"
        for name, content in CONFIGURATION.items():
            self.configure(name, content)
        self.write("orders.csv", ORDERS)
        self.write("stock.csv", STOCK)

    def configure(self, name: str, content: object) -> None:
        (self.config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, encoding="utf-8")

    def run_plan(self, *more: str, orders: str | None = None, strategy: str = "standard") -> int:
        files = ["--orders", orders or str(self.folder / "orders.csv"), "--stock", str(self.folder / "stock.csv")]
        time = ["--now", "2026-03-02T09:00:00-06:00"]
        return main(
            [
                "plan",
                "--config",
                str(self.config),
                *files,
                "--strategy",
                strategy,
                "--out",
                str(self.plan),
                *time,
                *more,
            ]
        )

    def view(self) -> PlanView:
        return read_json(self.plan.read_bytes(), PlanView, "plan")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_plan_writes_a_plan_and_a_page_and_prints_a_summary(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run_plan("--report", str(desk.report)) == 0
    out, err = capsys.readouterr()
    assert "1 of 2 filled (50.0 %)" in out
    assert "Not planned in this run\n  1 line  no location: address not found" in out
    assert "gap 0.00 %" in out
    assert str(desk.plan) in out
    assert err == ""
    view = desk.view()
    assert view.plan.planned_at.isoformat() == "2026-03-02T15:00:00+00:00"
    assert [line.filled_units for line in view.plan.lines] == [2, 0]
    assert [destination.place for destination in view.destinations][:1] == ["Seattle, Washington"]
    assert "Seattle store" in desk.report.read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_plan_but_for_its_seconds(desk: Desk) -> None:
    def plan() -> Any:
        assert desk.run_plan("--quiet") == 0
        return _without_seconds(json.loads(desk.plan.read_text(encoding="utf-8")))

    assert plan() == plan()


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_seconds(item) for key, item in value.items() if key != "seconds"}
    return [_without_seconds(item) for item in value] if isinstance(value, list) else value


def test_quiet_prints_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run_plan("--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_orders_may_come_from_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order = {
        "id": "O7",
        "ordered_at": "2026-03-02T08:00:00Z",
        "ship_to": {"postal_code": "98101"},
        "lines": [{"id": "1", "product_id": "lamp", "units": 1}],
    }
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(order).encode())))
    assert desk.run_plan("--quiet", orders="-") == 0
    assert [line.order_id for line in desk.view().plan.lines] == ["O7"]


def test_explain_says_why_a_line_ships_from_where_it_does(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run_plan("--quiet")
    assert main(["explain", str(desk.plan), "O1/1"]) == 0
    out = capsys.readouterr().out
    assert "Line O1/1: 2 × lamp, Lamp\n" in out
    assert "From Seattle store: 2 units" in out
    assert "denver" in out


def test_explaining_an_unknown_line_is_a_problem_of_the_input(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run_plan("--quiet")
    assert main(["explain", str(desk.plan), "O9/1"]) == 1
    assert capsys.readouterr().err == "dom: no line in this plan 'O9/1'\n"


def test_explaining_a_file_that_is_not_a_plan_is_a_problem_of_the_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}", encoding="utf-8")
    assert main(["explain", str(file), "O1/1"]) == 1
    assert capsys.readouterr().err == "plan: is required\n1 problem\n"


def test_problems_of_all_files_are_listed_at_once_and_nothing_is_written(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.configure("sources", [SOURCES[0] | {"time_zone": "Mars/Olympus"}, SOURCES[1]])
    desk.write("orders.csv", ORDERS + "O4,lampe,1,2026-03-02T08:00:00Z,98101,Seattle,Washington\n")
    desk.write("stock.csv", STOCK + "lamp,denver,7\n")
    assert desk.run_plan(strategy="express") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "sources.json:1: sources[seattle].time_zone: 'Mars/Olympus' is not an IANA time zone" in err
    assert "--strategy: there is no strategy 'express'; known: standard" in err
    assert "orders.csv:5: lines[0].product_id: there is no product 'lampe'" in err
    assert "stock.csv:4: stock of 'lamp' at 'denver' already stands on line 3" in err
    assert err.endswith("4 problems\n")
    assert not desk.plan.exists()


def test_a_long_list_of_problems_is_cut_and_counted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    row = "O{0},lampe,1,2026-03-02T08:00:00Z,98101,Seattle,Washington\n"
    desk.write("orders.csv", ORDERS + "".join(row.format(number) for number in range(100, 1300)))
    assert desk.run_plan() == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_PROBLEMS + 2
    assert lines[-2:] == ["… and 1,150 more", "1,200 problems"]


def test_a_file_that_is_not_there_is_a_problem_of_the_input(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run_plan(orders="absent.csv") == 1
    assert capsys.readouterr().err == "absent.csv: cannot be read: No such file or directory\n1 problem\n"


def test_a_file_that_cannot_be_written_is_a_failure(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run_plan("--report", str(desk.folder / "absent" / "plan.html")) == 3
    assert "dom: [Errno 2] No such file or directory" in capsys.readouterr().err


def test_a_disabled_strategy_is_planned_with_a_warning(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.configure("strategies", [{"id": "standard", "source_list_id": "all", "enabled": False}])
    assert desk.run_plan() == 0
    assert "strategies[standard]: is not enabled; planned all the same" in capsys.readouterr().err


def test_the_time_limit_of_the_command_line_replaces_the_strategys(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def fail(request: Any, *_: object) -> None:
        limits.append(request.strategy.limits.solve_limit_s)
        raise SolverFailed("CBC is not there")

    monkeypatch.setattr("dom_core.cli.plan.plan_once", fail)
    assert desk.run_plan("--solve-limit-s", "7") == 3
    assert limits == [7.0]


def test_a_failure_is_one_plain_sentence_unless_debugging(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by \x1b[31mzero")

    monkeypatch.setattr("dom_core.cli.plan.plan_once", fail)
    monkeypatch.delenv("DOM_DEBUG", raising=False)
    assert desk.run_plan() == 3
    assert capsys.readouterr().err == "dom: unexpected ZeroDivisionError: by �[31mzero (DOM_DEBUG=1 shows where)\n"
    monkeypatch.setenv("DOM_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        desk.run_plan()


def test_being_stopped_has_its_own_exit_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dom_core.cli.plan.plan_once", stop)
    assert desk.run_plan() == 130


def test_validate_lists_warnings_and_errors(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(desk.config)]) == 0
    assert capsys.readouterr().out == (
        "valid: sources 2, source lists 1, products 1, rules 0, cost factors 0, strategies 1\n"
    )
    desk.configure("sources", [source | {"active": False} for source in SOURCES])
    desk.configure("products", [{"id": "lamp", "parent_id": "light"}])
    assert main(["validate", str(desk.config)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("strategies.json:1: strategies[standard].source_list_id: the source list 'all'")
    assert lines[1:] == [
        "1 warning",
        "products.json:1: products[lamp].parent_id: there is no product 'light'",
        "1 error",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["plan"],
        ["fly"],
        ["explain", "plan.json", "O1"],
        ["plan", "--now", "2026-03-02T09:00:00"],
        ["plan", "--now", "noon"],
        ["plan", "--solve-limit-s", "0"],
        ["plan", "--solve-limit-s", "nan"],
    ],
)
def test_a_command_line_that_is_not_understood_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: dom" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "explain", "validate"])
def test_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"\n  dom {command} " in capsys.readouterr().out
