"""The codes of a plan say what the judge says of every pair, and take no object for one."""

import tracemalloc
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from dom_core.domain.plan import Plan
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import WEIGHED, ReasonTable
from dom_core.domain.request import PlanRequest
from dom_core.messages.reading import read_value, write_value
from dom_core.optimizer import interpretation, relaxation, verdicts
from dom_core.optimizer.expanding import expand
from dom_core.optimizer.explanation import Judge
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.relaxation import TwoIterations
from dom_core.optimizer.solving import CbcSolver
from tests.builders import a_request, a_source, an_order
from tests.oracle.generation import generate

CASES = 300
CHUNK = 20


@dataclass(frozen=True)
class Solved:
    """A solved run, its codes by arrays, the judge of each pair of it, and its plan."""

    request: PlanRequest
    iterations: TwoIterations
    table: ReasonTable
    judge: Judge
    plan: Plan


@cache
def solved(seed: int) -> Solved:
    request = generate(seed)
    batch, held = open_lines(request)
    iterations = relaxation.two_iterations(batch, LocalCrew(CbcSolver()))
    plan = interpretation.to_plan(batch, held, iterations)
    return Solved(request, iterations, verdicts.reason_table(iterations), Judge.of_run(iterations), plan)


def without_evidence(reason: Reason) -> Reason:
    return replace(reason, limit="", actual="")


def may_be_weighed(reason: Reason) -> bool:
    """What only weighing the order's other ways can tell; `stock` and `partial_orders` too, where no way is allowed."""
    return reason.verdict is Verdict.DEARER or reason.code in ("stock", "partial_orders")


@pytest.mark.parametrize("first_seed", range(0, CASES, CHUNK))
def test_codes_say_what_the_judge_says_of_every_pair_also_when_it_knows_one_order(first_seed: int) -> None:
    """Expanding asks a judge that knows one order: of the run's other orders only what the plan gives them."""
    for seed in range(first_seed, first_seed + CHUNK):
        run = solved(seed)
        for line in range(run.judge.batch.shape[0]):
            judged = [run.judge.reason(line, source) for source in range(run.judge.batch.shape[1])]
            for source, reason in enumerate(judged):
                coded = run.table.at(line, source)
                right = may_be_weighed(reason) if coded == WEIGHED else coded == without_evidence(reason)
                assert right, f"seed {seed}, line {line}, source {source}: {coded} by arrays, {reason} by the judge"
            alone = [reason for _, reason in expand(run.request, run.plan, [line]).of_line(line)]
            assert alone == judged, f"seed {seed}, line {line}"
        assert len(run.table.codes) == len(run.plan.lines) == len(run.iterations.first.problem.batch.lines)


def test_the_cases_have_every_kind_of_code() -> None:
    kinds = Counter(
        reason.code
        for seed in range(CASES)
        for table in [solved(seed).table]
        for line in range(len(table.codes))
        for _, reason in table.of_line(line)
    )
    assert kinds.keys() >= {"chosen", "weighed", "stock", "line_in_full", "maximum_orders", "no_stock", "rejection_bar"}
    assert min(kinds[code] for code in ("chosen", "weighed", "stock", "maximum_orders")) > 50


def test_a_plan_of_many_pairs_has_an_object_for_none_of_them() -> None:
    """200 lines at 500 sources are 100,000 pairs: at a byte each, far from what one object each would take."""
    sources = [a_source(f"S{number:03}", at=(number % 60, number % 90)) for number in range(500)]
    stock = {("P", source.id): 10 for source in sources}
    orders = [an_order(f"O{number:03}").shipping_to(40, -100).with_line("P") for number in range(200)]
    request = a_request().with_sources(*sources).with_stock(stock).with_orders(*orders).build()
    batch, _ = open_lines(request)
    iterations = relaxation.two_iterations(batch, LocalCrew(CbcSolver()))
    tracemalloc.start()
    table = verdicts.reason_table(iterations)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(map(len, table.codes)) == 100_000
    assert kept_bytes < 300_000


def a_table(templates: int) -> ReasonTable:
    reasons = tuple(Reason(Verdict.EXCLUDED, f"code{number}") for number in range(templates))
    width = "u1" if templates <= 256 else "<u2" if templates <= 65536 else "<u4"
    rows = tuple(np.array([0, templates - 1], width).tobytes() for _ in range(3))
    return ReasonTable(("A", "B"), reasons, rows)


@pytest.mark.parametrize(("templates", "width"), [(2, 1), (256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_codes_are_as_wide_as_their_templates_need(templates: int, width: int) -> None:
    table = a_table(templates)
    assert len(table.codes[0]) == 2 * width
    assert table.at(2, 1).code == f"code{templates - 1}"
    assert read_value(write_value(table, ReasonTable), ReasonTable, "table") == table


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plan_is_the_same_after_a_document(seed: int) -> None:
    plan = plan_once(generate(seed), CbcSolver())
    assert read_value(write_value(plan, Plan), Plan, "plan") == plan
