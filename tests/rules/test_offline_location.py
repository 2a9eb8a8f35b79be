import pytest

from dom_core.domain.reason import Reason, Verdict
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, reasons, the_rule


def three_sources() -> RequestBuilder:
    builder = a_request().with_sources(a_source("A"), a_source("B"), a_source("C"))
    return builder.with_list("L", "B", "C", "NOWHERE").with_orders(an_order().with_line("P"))


def offline(place: str) -> Reason:
    return Reason(Verdict.EXCLUDED, "offline_location", "offline_location", "online", f"offline ({place})")


def test_a_named_source_is_out_and_the_others_stay() -> None:
    rule = the_rule("offline_location", places=[{"source_id": "A"}])
    assert reasons(rule, three_sources().batch()) == {(0, 0): offline("source A")}


def test_every_member_of_a_list_is_out() -> None:
    rule = the_rule("offline_location", places=[{"source_list_id": "L"}])
    expected = offline("source list L")
    assert reasons(rule, three_sources().batch()) == {(0, 1): expected, (0, 2): expected}


def test_places_add_up_and_the_first_that_names_a_source_is_the_evidence() -> None:
    rule = the_rule("offline_location", places=[{"source_id": "B"}, {"source_list_id": "L"}, {"source_id": "C"}])
    expected = {(0, 1): offline("source B"), (0, 2): offline("source list L")}
    assert reasons(rule, three_sources().batch()) == expected


def test_sources_of_other_strategies_change_nothing() -> None:
    rule = the_rule("offline_location", places=[{"source_id": "NOWHERE"}, {"source_list_id": "NO-LIST"}])
    assert reasons(rule, three_sources().batch()) == {}


@pytest.mark.parametrize(
    ("places", "path"),
    [
        ([{}], "params.places[0]"),
        ([], "params.places"),
        ([{"source_id": "A", "source_list_id": "L"}], "params.places[0].source_list_id"),
        ([{"source_id": "A", "category": "Food"}], "params.places[0].category"),
    ],
)
def test_a_place_names_one_source_or_one_list(places: list[dict[str, str]], path: str) -> None:
    assert paths("offline_location", places=places) == [path]


def test_references_are_the_places() -> None:
    rule = the_rule("offline_location", places=[{"source_id": "A"}, {"source_list_id": "L"}])
    expected = [("params.places[0].source_id", "source", "A"), ("params.places[1].source_list_id", "source_list", "L")]
    assert list(rule.references()) == expected


def test_a_plan_uses_no_offline_source() -> None:
    rule = the_rule("offline_location", places=[{"source_list_id": "L"}, {"source_list_id": "NO-LIST"}])
    request = three_sources().build()
    assert broken(rule, request, {("O1", "1"): (from_source("A"),)}) == []
    assert broken(rule, request, {("O1", "1"): (from_source("A"), from_source("C"))}) == [("O1", "1", "C")]
