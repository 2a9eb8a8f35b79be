"""Every mistake of a configuration comes back in one answer; and what a change would do is seen before it is made."""

from typing import Any

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, paths_of, problem_of

DRY = {"dry_run": "true"}


def an_offline_rule(*source_ids: str, **fields: Any) -> dict[str, Any]:
    places = [{"source_id": source_id} for source_id in source_ids]
    return {"id": "closed", "kind": "offline_location", "params": {"places": places}} | fields


def daily(*rule_ids: str, **fields: Any) -> dict[str, Any]:
    return {"id": "daily", "source_list_id": "west", "rule_ids": list(rule_ids)} | fields


TEN_MISTAKES = {
    "id": "r2",
    "kind": "maximum_distance",
    "colour": "red",
    "hard": "perhaps",
    "enabled": 7,
    "start_date": "soon",
    "name": 5,
    "params": {"lines": [{"km": -5}, {"km": 5, "miles": 3}, {"km": "5"}, {"km": 5, "source_id": "nowhere"}]},
}


def test_ten_mistakes_in_one_object_are_ten_problems_in_one_answer(shop: Ports) -> None:
    problem = problem_of(call("PUT", "config/rules/r1", TEN_MISTAKES), 422)
    assert sorted(paths_of(problem)) == sorted(
        [
            "colour",
            "hard",
            "enabled",
            "start_date",
            "name",
            "id",
            "rules[r1].params.lines[0].km",
            "rules[r1].params.lines[1].miles",
            "rules[r1].params.lines[2].km",
            "rules[r1].params.lines[3].source_id",
        ]
    )


def test_a_field_too_many_does_not_hide_bad_parameters(shop: Ports) -> None:
    rule = {"id": "r1", "kind": "maximum_distance", "colour": "red", "params": {"lines": []}}
    assert paths_of(problem_of(call("PUT", "config/rules/r1", rule), 422)) == ["colour", "rules[r1].params.lines"]


def test_ten_mistakes_in_many_objects_are_ten_problems_in_one_answer(shop: Ports) -> None:
    strategies = [
        daily("none", "near", sales_origins=["web"], colour="red"),
        {"id": "second", "source_list_id": "east", "sales_origins": ["web"], "cost_factor_ids": ["none"]},
        {"id": "third", "source_list_id": "west", "objective": "beauty", "alternate_strategy_id": "fifth"},
        {"id": "third", "source_list_id": "west", "end_date": "2026-01-01", "start_date": "2026-01-02"},
        {"id": "fourth"},
    ]
    problem = problem_of(call("PUT", "config/strategies", strategies), 422)
    assert sorted(paths_of(problem)) == sorted(
        [
            "[0].colour",
            "[2].objective",
            "[3].id",
            "[4].source_list_id",
            "strategies[daily].rule_ids[0]",
            "strategies[second].source_list_id",
            "strategies[second].cost_factor_ids[0]",
            "strategies[second].sales_origins[0]",
            "strategies[third].alternate_strategy_id",
            "strategies[third].end_date",
        ]
    )
    assert [item["id"] for item in content_of(call("GET", "config/strategies"))["items"]] == ["daily"]


def test_what_a_half_read_object_might_contradict_is_not_blamed(shop: Ports) -> None:
    """Nobody knows whether `second` is meant to be enabled: that it shares a sales origin is not held against it."""
    call("PUT", "config/strategies/daily", daily(sales_origins=["web"]))
    second = {"id": "second", "source_list_id": "west", "sales_origins": ["web"], "enabled": "perhaps"}
    assert paths_of(problem_of(call("PUT", "config/strategies/second", second), 422)) == ["enabled"]


@pytest.mark.parametrize("content", [{}, 3, "text", None])
def test_many_objects_are_a_list(content: object, shop: Ports) -> None:
    answer = call("PUT", "config/rules", raw=b"null" if content is None else None, content=content)
    assert problem_of(answer, 422)["errors"] == [{"path": "", "message": "must be a list"}]


def test_a_dry_run_says_what_would_change_and_stores_nothing(shop: Ports) -> None:
    preview = content_of(call("PUT", "config/strategies/daily", daily(name="Every day"), params=DRY))
    assert preview == {
        "created": [],
        "changed": [{"id": "daily", "fields": ["name", "rule_ids"]}],
        "unchanged": [],
        "warnings": [],
        "sources_left": [{"strategy_id": "daily", "before": 2, "after": 2, "ruled_out": {}}],
    }
    assert content_of(call("GET", "config/strategies/daily"))["rule_ids"] == ["near"]


def test_a_dry_run_of_many_tells_new_changed_and_equal_ones_apart(shop: Ports) -> None:
    products = [{"id": "SKU-1", "name": "Lamp"}, {"id": "SKU-2"}, {"id": "SKU-3"}]
    preview = content_of(call("PUT", "config/products", products, params=DRY))
    assert (preview["created"], preview["unchanged"]) == (["SKU-3"], ["SKU-2"])
    assert preview["changed"] == [{"id": "SKU-1", "fields": ["name"]}]
    assert len(content_of(call("GET", "config/products"))["items"]) == 2


def test_a_dry_run_shows_how_many_sources_a_rule_would_leave(shop: Ports) -> None:
    call("PUT", "config/rules/closed", an_offline_rule("seattle"))
    call("PUT", "config/strategies/daily", daily("closed"))
    preview = content_of(call("PUT", "config/rules/closed", an_offline_rule("seattle", "portland"), params=DRY))
    assert preview["sources_left"] == [
        {"strategy_id": "daily", "before": 1, "after": 0, "ruled_out": {"closed": ["portland", "seattle"]}}
    ]


def test_a_strategy_that_is_new_has_no_sources_before(shop: Ports) -> None:
    new = {"id": "weekly", "source_list_id": "west"}
    preview = content_of(call("PUT", "config/strategies/weekly", new, params=DRY))
    counts = {entry["strategy_id"]: (entry["before"], entry["after"]) for entry in preview["sources_left"]}
    assert counts == {"daily": (2, 2), "weekly": (None, 2)}


@pytest.mark.parametrize("params", [DRY, {}], ids=["dry", "saved"])
def test_a_rule_that_leaves_a_strategy_without_a_source_warns_dry_or_not(params: dict[str, str], shop: Ports) -> None:
    call("PUT", "config/rules/closed", an_offline_rule("seattle"))
    call("PUT", "config/strategies/daily", daily("closed"))
    answer = call("PUT", "config/rules/closed", an_offline_rule("seattle", "portland"), params=params)
    (warning,) = content_of(answer)["warnings"]
    assert warning["path"] == "strategies[daily].rule_ids"
    assert "'daily'" in warning["message"]
    assert "'closed'" in warning["message"]


@pytest.mark.parametrize("path", ["config/rules", "config/rules/closed"])
def test_a_dry_run_refuses_what_saving_would_refuse(path: str, shop: Ports) -> None:
    rule = an_offline_rule("nowhere")
    answer = call("PUT", path, [rule] if path == "config/rules" else rule, params=DRY)
    assert paths_of(problem_of(answer, 422)) == ["rules[closed].params.places[0].source_id"]


def test_a_dry_run_under_an_old_etag_is_refused(shop: Ports) -> None:
    headers = {"Content-Type": "application/json", "If-Match": '"old"'}
    problem_of(call("PUT", "config/strategies/daily", daily(), headers=headers, params=DRY), 412)


@pytest.mark.parametrize("path", ["config/rules", "config/rules/closed"])
@pytest.mark.parametrize(("params", "blamed"), [({"dry_run": "perhaps"}, "dry_run"), ({"dryrun": "true"}, "dryrun")])
def test_a_dry_run_is_asked_for_by_its_name(path: str, params: dict[str, str], blamed: str, shop: Ports) -> None:
    assert paths_of(problem_of(call("PUT", path, [], params=params), 422)) == [blamed]
