"""Laws of replays and of questions "what if", whatever the request. Requests come from the oracle's generator."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dom_core.domain.request import PlanRequest
from dom_core.messages.plan_request import RequestDocument, document_of
from dom_core.messages.reading import read_json, write_value
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.use_cases.explain_line import explain
from dom_core.use_cases.replay_plan import replay
from tests.oracle.generation import generate
from tests.property.test_laws import law

requests = st.integers(0, 10**6).map(generate)


@law
@given(requests)
def test_a_plan_made_again_from_its_written_request_is_the_same(request: PlanRequest) -> None:
    written = json.dumps(write_value(document_of(request), RequestDocument)).encode()
    again = read_json(written, RequestDocument, "request").to_request()
    assert replay(plan_once(request, CbcSolver()), again, CbcSolver()).first_difference is None


@law
@given(requests)
def test_forcing_what_iteration_1_chose_costs_nothing_and_sets_nothing_aside(request: PlanRequest) -> None:
    plan = plan_once(request, CbcSolver())
    for line in plan.lines:
        for assignment in line.assignments[:1]:
            if assignment.iteration != 1:
                continue
            key = (line.order_id, line.line_id)
            answer = explain(plan, request, CbcSolver(), key, assignment.source_id).counterfactual
            assert answer is not None
            assert (answer.refused, answer.lifted, answer.total_after) == (None, (), answer.total_before)


@law
@given(requests)
def test_a_forced_line_draws_on_the_source_and_the_parts_of_the_change_add_up(request: PlanRequest) -> None:
    plan = plan_once(request, CbcSolver())
    for line in plan.lines[:2]:
        for source in sorted(request.sources, key=lambda source: source.id)[-1:]:
            answer = explain(plan, request, CbcSolver(), (line.order_id, line.line_id), source.id).counterfactual
            assert answer is not None
            assert answer.total_after - answer.total_before == sum(level.points for level in answer.levels)
            served = [share.source_id for share in answer.line.after] if answer.line else [source.id]
            assert answer.refused or source.id in served


@law
@given(requests)
def test_a_relief_is_for_what_is_unfilled_names_linked_rules_and_gives_the_line_more(request: PlanRequest) -> None:
    plan = plan_once(request, CbcSolver())
    for line in plan.lines:
        relief = explain(plan, request, CbcSolver(), (line.order_id, line.line_id)).relief
        assert (relief is None) == (line.filled_units == line.units)
        if relief and relief.rule_ids is not None:
            assert set(relief.rule_ids) <= set(relief.considered_rule_ids)
            assert len(set(relief.rule_ids)) == len(relief.rule_ids) <= relief.largest_set
            assert line.filled_units < sum(share.units for share in relief.shares) <= line.units
