"""Limits that hold for every function, present and future: a table over the whole app."""

import pytest

from dom_core.use_cases.context import Ports
from functions.openapi import OPERATIONS
from functions.shapes import MAX_PAGE, PageQuery
from tests.functions.app import JSON, binding, call, content_of, paths_of, problem_of
from tests.functions.test_authorization import PATHS, http_functions, path_of

LISTS = sorted(name for name, operation in OPERATIONS.items() if operation.listed)


@pytest.mark.parametrize("name", http_functions())
def test_no_function_takes_a_body_beyond_the_limit(name: str, ports: Ports) -> None:
    raw = b" " * (ports.settings.max_body_bytes + 1)
    answer = call(binding(name)["methods"][0], path_of(name), raw=raw, headers=JSON)
    assert problem_of(answer, 413)["type"] == "urn:problem-type:dom:body-too-large"


@pytest.mark.parametrize("name", LISTS)
def test_no_list_gives_more_than_its_largest_page(name: str, ports: Ports) -> None:
    assert issubclass(OPERATIONS[name].query, PageQuery)
    path = path_of(name)
    assert call("GET", path, params={"limit": str(MAX_PAGE)}).status_code == 200
    assert paths_of(problem_of(call("GET", path, params={"limit": str(MAX_PAGE + 1)}), 422)) == ["limit"]


@pytest.mark.parametrize("name", sorted(set(http_functions()) - set(LISTS)))
def test_what_is_no_list_of_pages_takes_no_page(name: str) -> None:
    assert not issubclass(OPERATIONS[name].query, PageQuery)


@pytest.mark.parametrize("name", http_functions())
def test_whatever_answers_with_a_continuation_is_in_the_table_of_lists(name: str, shop: Ports) -> None:
    if binding(name)["methods"] != ["GET"]:
        return
    answer = call("GET", path_of(name))
    paged = answer.status_code == 200 and "json" in answer.mimetype and "continuation" in content_of(answer)
    assert paged == (name in LISTS)


def test_paths_are_made_for_every_parameter() -> None:
    assert set(PATHS) == {"kind", "day"}
