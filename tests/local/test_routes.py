"""Route templates as Azure writes them."""

import re

import pytest

from local.routes import parse_route, path_parts


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("orders", "/orders", {}),
        ("orders", "/ORDERS/", {}),
        ("orders", "/orders/1", None),
        ("orders/{id}", "/orders/A-1", {"id": "A-1"}),
        ("orders/{id}", "/orders/", None),
        ("orders/{id}", "/orders//", None),
        ("orders/{id}/lines/{line}", "/orders/a%20b/lines/%C3%A9", {"id": "a b", "line": "é"}),
        ("orders/{id}", "/orders/a%2Fb", {"id": "a%2Fb"}),
        ("orders/{id:int}", "/orders/-12", {"id": "-12"}),
        ("orders/{id:int}", "/orders/12a", None),
        ("orders/{id:int}", "/orders/2147483648", None),
        ("orders/{id:long}", "/orders/2147483648", {"id": "2147483648"}),
        ("orders/{id:int:min(5)}", "/orders/4", None),
        ("orders/{id:int:min(5)}", "/orders/5", {"id": "5"}),
        ("orders/{id:range(1,3)}", "/orders/4", None),
        ("orders/{id:length(3)}", "/orders/ab", None),
        ("orders/{id:length(2,3)}", "/orders/abc", {"id": "abc"}),
        ("orders/{id:maxlength(2)}", "/orders/abc", None),
        ("orders/{id:alpha}", "/orders/abC", {"id": "abC"}),
        ("orders/{id:alpha}", "/orders/ab1", None),
        ("orders/{id:bool}", "/orders/True", {"id": "True"}),
        (
            "plans/{id:guid}",
            "/plans/6f9619ff-8b86-d011-b42d-00c04fc964ff",
            {"id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
        ),
        ("plans/{id:guid}", "/plans/7", None),
        ("plans/{id?}", "/plans", {}),
        ("plans/{id?}", "/plans/7", {"id": "7"}),
        ("plans/{id?}", "/plans/7/8", None),
        ("plans/{id:int?}", "/plans/x", None),
        ("files/{*path}", "/files/a/b/c.html", {"path": "a/b/c.html"}),
        ("files/{*path}", "/files", {}),
        ("{*path}", "/", {}),
        ("", "/", {}),
    ],
)
def test_a_path_gives_the_parameters_or_does_not_match(template: str, path: str, values: dict[str, str] | None) -> None:
    assert parse_route(template).match(path_parts(path)) == values


def test_the_more_exact_route_sorts_first() -> None:
    templates = ["{*path}", "orders/{id}", "orders/{*rest}", "orders/{id:int}", "orders/latest"]
    ordered = sorted((parse_route(template) for template in templates), key=lambda route: route.precedence)
    assert [route.template for route in ordered] == [
        "orders/latest",
        "orders/{id:int}",
        "orders/{id}",
        "orders/{*rest}",
        "{*path}",
    ]


def test_routes_have_one_shape_when_only_their_parameter_names_differ() -> None:
    assert parse_route("Orders/{id:int}").shape == parse_route("orders/{number:int}").shape
    assert parse_route("orders/{id:int}").shape != parse_route("orders/{id:alpha}").shape
    assert parse_route("orders/{id}").shape != parse_route("plans/{id}").shape


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("/orders", "must not begin"),
        ("orders//x", "empty segment"),
        ("orders/{id", "has the segment"),
        ("orders/x-{id}", "has the segment"),
        ("orders/{id=5}", "has the segment"),
        ("orders/{id:regex(^a$)}", "has the constraint 'regex'"),
        ("orders/{id:min}", "takes 1 whole"),
        ("orders/{id:min(a)}", "takes 1 whole"),
        ("orders/{id?}/lines", "only at its end"),
        ("files/{*path}/x", "only at its end"),
        ("files/{*path:int}", "takes no constraint"),
        ("a/{id}/b/{ID}", "twice"),
        ("admin/things", "belong to the host"),
        ("runtime", "belong to the host"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_route(template)


def test_a_path_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        path_parts("/orders/%ff")
