"""What can be done with a plan file alone: explain, ask what if, replay, export."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from dom_core.cli import main
from tests.cli.test_main import Desk

ORDERS = (
    "order_id,product_id,units,ordered_at,postal_code,city,region\n"
    "O1,lamp,2,2026-03-02T08:00:00Z,98101,Seattle,Washington\n"
    "O2,lamp,1,2026-03-02T09:00:00Z,98101,Seattle,Washington\n"
)
NEAR = {"id": "near", "kind": "maximum_distance", "params": {"lines": [{"km": 500}]}}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Seattle has two lamps, Denver one, which is too far; the first order takes both of Seattle's."""
    desk = Desk(tmp_path)
    desk.write("orders.csv", ORDERS)
    desk.configure("rules", [NEAR])
    desk.configure(
        "strategies", [{"id": "standard", "source_list_id": "all", "name": "Standard delivery", "rule_ids": ["near"]}]
    )
    assert desk.run_plan("--quiet") == 0
    return desk


def tampered(desk: Desk, change: Any) -> str:
    """Another file, made of the plan file by a change."""
    content = json.loads(desk.plan.read_text(encoding="utf-8"))
    change(content)
    file = desk.folder / "tampered.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def test_explain_says_who_took_what_and_what_would_place_the_line(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(desk.plan), "O2/1"]) == 0
    out = capsys.readouterr().out
    assert "  Seattle store  stock: 2 units, 0 units left\n                   O1/1: 2 units\n" in out
    assert out.endswith("\nWhat would place it\n  Without the rule near: 1 from denver\n")


def test_explain_with_a_forced_source_says_what_would_change(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(desk.plan), "O2/1", "--force", "denver"]) == 0
    out = capsys.readouterr().out
    assert "If it had to ship from denver\n  Set aside for this line alone: maximum distance (rule near): limit" in out
    assert "  unfilled units, weighted             1 →            0" in out
    assert "  O2/1: nothing → 1 from denver\n  0 other lines would change\n" in out


def test_an_unknown_source_cannot_be_forced(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(desk.plan), "O2/1", "--force", "paris"]) == 1
    assert capsys.readouterr().err == "force: there is no source 'paris' in the strategy's list\n1 problem\n"


def test_a_replay_is_the_same_byte_for_byte(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(desk.plan)]) == 0
    assert capsys.readouterr().out == "the same, byte for byte\n"


def test_a_replay_names_the_first_difference(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def change(content: Any) -> None:
        content["plan"]["lines"][1]["exception"] = "no_source"

    assert main(["replay", tampered(desk, change)]) == 1
    assert capsys.readouterr().out == (
        'not the same; the first difference is at lines[1].exception\n  stored  "no_source"\n  now     "no_quantity"\n'
    )


@pytest.mark.parametrize("command", [["replay"], ["export", "--lp", "model.lp"]], ids=["replay", "export"])
def test_a_file_whose_request_was_changed_is_refused(
    command: list[str], desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(content: Any) -> None:
        content["request"]["available"][0]["units"] += 1

    monkeypatch.chdir(desk.folder)
    assert main([*command, tampered(desk, change)]) == 1
    assert "was not made from the request beside it: its input hash is" in capsys.readouterr().err
    assert not (desk.folder / "model.lp").exists()


def test_a_file_without_its_request_is_explained_by_its_codes_and_no_more(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tampered(desk, lambda content: content.pop("request"))
    assert main(["explain", file, "O2/1"]) == 0
    out = capsys.readouterr().out
    assert "Taken by other orders (1)\n  Seattle store  stock\n" in out
    assert "What would place it" not in out
    assert main(["replay", file]) == 1
    assert "lacks the request that the plan was made from" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["lp", "mps"])
def test_export_writes_a_model_and_its_key(kind: str, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    model = desk.folder / f"model.{kind}"
    assert main(["export", str(desk.plan), f"--{kind}", str(model)]) == 0
    assert f"Written: {model}, {model}.key.csv\n" in capsys.readouterr().out
    assert "seattle" not in model.read_text(encoding="utf-8")
    with (desk.folder / f"model.{kind}.key.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["order_id"], row["source_id"]) for row in rows} == {("O1", "seattle"), ("O2", "seattle")}


@pytest.mark.parametrize("arguments", [["export", "plan.json"], ["export", "plan.json", "--lp", "a", "--mps", "b"]])
def test_export_wants_exactly_one_format(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_the_plan_file_names_no_street(desk: Desk) -> None:
    desk.write("orders.csv", ORDERS.replace("city,", "street,city,").replace("98101,", "98101,Wisteria Lane 4352,"))
    assert desk.run_plan("--quiet") == 0
    content = desk.plan.read_text(encoding="utf-8")
    assert '"request":' in content
    assert "Wisteria" not in content


def test_verify_says_what_is_proven(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(desk.plan)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("verified\n  iteration 1: ")
    assert "gap 0.0000%, optimal\n" in out


def test_verify_solves_again_what_rests_on_the_solver(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(desk.plan), "--again"]) == 0
    assert "--again" not in capsys.readouterr().out


def test_verify_refuses_a_value_and_says_by_how_much(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def change(content: Any) -> None:
        content["plan"]["iterations"][0]["total"] += 7

    assert main(["verify", tampered(desk, change)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("refused\n  iteration 1 reports a total of ")
    assert "its levels add up to" in out


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("request"),
        lambda content: content["plan"]["proofs"][0].update(part_of=[{"lines": 2, "deflated": "eJw="}]),
        lambda content: content["plan"]["proofs"][0]["parts"][0]["prices"].update(
            cells=[{"prices": 3, "deflated": ""}]
        ),
    ],
    ids=["no request", "parts cut short", "prices cut short"],
)
def test_verify_cannot_read_a_file_that_is_no_plan(change: Any, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", tampered(desk, change)]) == 2
    assert capsys.readouterr().err
