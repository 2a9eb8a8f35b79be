import pytest

from dom_core.domain.reason import Reason, Verdict
from dom_core.rules.maximum_rejects import MaximumRejects
from tests.builders import NOW, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, the_rule


def held(threshold: int, rejects: int) -> Reason | None:
    order = an_order().with_line("P").rejected_by("A", NOW, rejects=rejects).build()
    return the_rule("maximum_rejects", threshold=threshold).hold_line(a_request().build(), order, order.lines[0])


def the_reason(limit: str, actual: str) -> Reason:
    return Reason(Verdict.EXCLUDED, "maximum_rejects", "maximum_rejects", limit, actual)


@pytest.mark.parametrize(
    ("rejects", "expected"),
    [(2, None), (3, the_reason("3 rejects", "3 rejects")), (4, the_reason("3 rejects", "4 rejects"))],
)
def test_a_line_is_held_from_the_threshold_on(rejects: int, expected: Reason | None) -> None:
    assert held(3, rejects) == expected


def test_one_reject_is_written_in_the_singular() -> None:
    assert held(1, 1) == the_reason("1 reject", "1 reject")


@pytest.mark.parametrize("threshold", [0, -1, 1.5, "3", None])
def test_a_threshold_is_a_whole_number_from_1(threshold: object) -> None:
    assert paths("maximum_rejects", threshold=threshold) == ["params.threshold"]


def test_the_threshold_can_be_asked_for_and_is_never_relaxed() -> None:
    rule = MaximumRejects.from_params("R", {"threshold": 3})
    assert rule.threshold == 3
    assert rule.never_relaxed


@pytest.mark.parametrize(("rejects", "breaks"), [(2, False), (3, True), (4, True)])
def test_a_plan_assigns_no_line_at_the_threshold(rejects: int, breaks: bool) -> None:
    order = an_order().with_line("P").rejected_by("B", NOW, rejects=rejects)
    request = a_request().with_sources(a_source("A")).with_orders(order).build()
    found = broken(the_rule("maximum_rejects", threshold=3), request, {("O1", "1"): (from_source("A"),)})
    assert found == ([("O1", "1", "A")] if breaks else [])
