"""The page of a plan: complete, alone, and safe whatever the names are."""

import re
import shutil
import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dom_core.domain.network import Location, SourceType
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import ReasonTable
from dom_core.report import flow_map, line_list
from dom_core.report.flow_map import Flow, flows_of
from dom_core.report.markup import Html, tag
from dom_core.report.page import CONTENT_SECURITY_POLICY, render
from dom_core.report.view import Destination, PlanView, ViewedSource
from tests import real_parts
from tests.real_parts import Part
from tests.report.views import BOSTON, SEATTLE, a_view, with_plan

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\x1b[31m"


class Elements(HTMLParser):
    """The start tags of a page with their attributes, and whether every element is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def names(self) -> set[str]:
        return {name for name, _ in self.found}


def hostile_view() -> PlanView:
    view = a_view()
    reason = Reason(Verdict.EXCLUDED, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    hostile = ReasonTable(("S1", HOSTILE), (reason,), tuple(bytes((0, 0)) for _ in view.plan.lines))
    return replace(
        with_plan(view, id=HOSTILE, run_id=HOSTILE, strategy_id=HOSTILE, reasons=hostile, warnings=(HOSTILE,)),
        network=tuple(replace(source, name=HOSTILE) for source in view.network),
        destinations=tuple(replace(destination, place=HOSTILE) for destination in view.destinations),
        product_names={"P1": HOSTILE, "P2": HOSTILE},
        strategy_name=HOSTILE,
    )


def test_the_page_shows_figures_lines_reasons_loads_and_iterations() -> None:
    page = render(a_view())
    for text in (
        "2 of 4 lines filled",
        "proposed: not applied yet",
        "O1 / 2",
        "maximum distance (rule near): limit 800.0 km, actual 1643.2 km",
        "not in plan: capacity or split limits",
        "Denver warehouse",
        "Gap 0.25 %: stopped by a limit (nodes). CBC, 1.50 s.",
        "38,000",
        "37,905",
    ):
        assert text in page


def test_every_line_has_a_reason_for_every_source() -> None:
    lines = re.findall(r'<details class="line"[^>]*>(.*?)</details>', render(a_view()), flags=re.DOTALL)
    assert [line.count("<li>") for line in lines] == [2, 2, 2, 2]


def test_a_line_shows_until_when_its_order_is_promised() -> None:
    promised = datetime(2026, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    first, *others = a_view().destinations
    page = render(replace(a_view(), destinations=(replace(first, promised_by=promised), *others)))
    assert page.count("Promised by 2026-03-05 04:30 UTC.") == 1
    assert "Promised" not in render(a_view())


def test_lines_with_something_unfilled_come_first() -> None:
    outcomes = re.findall(r'class="line" data-outcome="([^"]+)"', render(a_view()))
    assert outcomes == ["unfilled", "partly filled", "filled", "filled", "not planned"]


@pytest.mark.parametrize("view", [a_view(), hostile_view()], ids=["plain", "hostile"])
def test_the_page_is_well_formed_and_fetches_nothing(view: PlanView) -> None:
    page = render(view)
    elements = Elements(page)
    assert elements.open == []
    assert elements.names().isdisjoint({"img", "link", "iframe", "object", "embed", "base", "form", "image", "use"})
    assert [attributes for name, attributes in elements.found if name == "script"] == [{}]
    for _, attributes in elements.found:
        assert not {"src", "srcset", "style", "href", "xlink:href", "action"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_names_are_shown_as_text() -> None:
    page = render(hostile_view())
    assert page.count("</script>") == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;�[31m" in page


def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page() -> None:
    page = render(a_view())
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        content = page[page.index(f"<{element}>") + len(element) + 2 : page.index(f"</{element}>")]
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_a_plan_without_lines_and_without_coordinates_still_has_a_page() -> None:
    view = replace(with_plan(a_view(), lines=(), held=(), iterations=()), network=(), destinations=())
    page = render(view)
    assert Elements(page).open == []
    assert "0 of 0 lines filled" in page
    assert "there is nothing to draw" in page


def test_a_network_elsewhere_is_drawn_without_the_outline_of_the_united_states() -> None:
    assert 'class="border outline"' in render(a_view())
    network = (
        ViewedSource("S1", SourceType.STORE, "Tokyo", Location(35.7, 139.7)),
        ViewedSource("S2", SourceType.VIRTUAL),
    )
    destinations = (Destination("O1", "1", Location(34.7, 135.5), "Osaka"),)
    page = render(replace(a_view(), network=network, destinations=destinations))
    assert 'class="border' not in page
    assert "Tokyo → Osaka: 2 units" in page


def test_flows_add_up_units_by_source_place_and_iteration() -> None:
    assert flows_of(a_view()) == [
        Flow("S1", SEATTLE, 1, 3, "Seattle, Washington"),
        Flow("S2", SEATTLE, 2, 3, "Seattle, Washington"),
        Flow("S2", BOSTON, 1, 1, "Boston, Massachusetts"),
    ]


def test_everything_drawn_lies_on_the_sheet() -> None:
    page = render(a_view())
    box = re.search(r'viewBox="0 0 (\d+) (\d+)" role="img"', page)
    assert box
    width, height = int(box[1]), int(box[2])
    for data in re.findall(r'<path d="([^"]+)" class="border', page):
        for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", data):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_a_page_too_large_for_a_browser_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_list, "MOST_LINES", 3)
    monkeypatch.setattr(line_list, "MOST_REASONS", 2)
    monkeypatch.setattr("dom_core.report.page.MOST_FLOWS", 2)
    monkeypatch.setattr(flow_map, "MOST_FLOWS", 2)
    page = render(a_view())
    assert "The first 3 of 5 lines." in page
    assert page.count("Ask `dom explain` for the reasons.") == 2
    assert "The 2 largest of 3 flows are drawn." in page
    assert page.count(" → ") == 2


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", tag("b", 1), class_='"') == '<p class="&quot;">&lt;b&gt;<b>1</b></p>'
    assert tag("p", Html("<i></i>"), hidden=True, id=None) == "<p hidden><i></i></p>"


def test_in_a_browser_the_policy_lets_the_script_run_and_hostile_names_do_nothing(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        real_parts.missing(Part.BROWSER, "A REAL BROWSER", FileNotFoundError("there is no command chromium"))
    file = tmp_path / "plan.html"
    file.write_text(render(hostile_view()), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run(
        ["chromium", *options, file.as_uri()], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert ">5 of 5 lines</output>" in shown
    assert '<div class="filter" id="filter">' in shown
    assert "<img" not in shown
