"""Golden cases: the plan of each is known to the last reason, and its total was worked out by hand."""

import re
from functools import cache
from pathlib import Path

import pytest

from dom_core.domain.plan import Ending, Plan
from tests.golden.golden_case import CASES, read_case, text_of
from tests.spelt_out import plan_in_full

FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())

every_case = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@cache
def planned(folder: Path) -> Plan:
    return plan_in_full(read_case(folder).request())


@every_case
def test_the_plan_is_the_golden_one(folder: Path, pytestconfig: pytest.Config) -> None:
    golden = folder / "plan.json"
    if pytestconfig.getoption("--update-golden"):
        golden.write_text(text_of(planned(folder)), encoding="utf-8")
    assert text_of(planned(folder)) == golden.read_text(encoding="utf-8")


@every_case
def test_total_and_bound_are_those_worked_out_by_hand(folder: Path) -> None:
    """`--update-golden` does not touch these totals: a person changes them."""
    case, reports = read_case(folder), planned(folder).iterations
    assert tuple(report.total for report in reports) == case.total_by_hand
    assert tuple(report.bound for report in reports) == case.bounds
    assert all((report.ending is Ending.OPTIMAL) == (report.bound == report.total) for report in reports)


@every_case
def test_the_comment_works_out_every_total(folder: Path) -> None:
    case = read_case(folder)
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", " ".join(case.comment))}
    assert {total for total in (*case.total_by_hand, *case.bounds) if total} <= numbers
