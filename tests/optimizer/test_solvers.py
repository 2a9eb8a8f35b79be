"""Which solver a name, or a plan, means."""

from dataclasses import replace

import pytest

from dom_core.errors import SolverFailed
from dom_core.optimizer import solving_highs
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solvers import CBC, HIGHS, solver_named, solver_of
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.solving_highs import HighsSolver
from tests.optimizer.test_search import rivals


def test_each_name_is_a_solver() -> None:
    assert isinstance(solver_named(CBC), CbcSolver)
    assert isinstance(solver_named(HIGHS), HighsSolver)


def test_highs_that_is_not_installed_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving_highs, "find_spec", lambda _: None)
    with pytest.raises(SolverFailed, match=r"dom-optimizer\[highs\]"):
        solver_named(HIGHS)


@pytest.mark.parametrize("name", [CBC, HIGHS])
def test_a_plan_is_made_again_by_the_solver_that_made_it(name: str) -> None:
    request = rivals(6).build()
    plan = plan_once(request, solver_named(name))
    again = plan_once(request, solver_of(plan))
    assert (again.lines, again.reasons) == (plan.lines, plan.reasons)
    assert [replace(one, seconds=0.0) for one in again.iterations] == [
        replace(one, seconds=0.0) for one in plan.iterations
    ]
