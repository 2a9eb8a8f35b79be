"""The documents are true: links lead somewhere, settings and commands exist, nothing names a private place."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from dom_core.domain.order import Acceptance, LineAssignment, LineState, Order
from dom_core.domain.strategy import Strategy
from dom_core.domain.transitions import possible
from dom_core.settings import TABLE
from tests.architecture.source_code import ROOT, tracked_texts
from tests.builders import an_order

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
README = ROOT / "README.md"

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SETTING_ROW = re.compile(r"^\| `((?:DOM_|AzureWebJobs)\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")

PRIVATE = {
    "a folder of somebody's machine": re.compile(r"(?<![\w.:/])/(?:home|root|Users|mnt|media|workspace|work)/\w"),
    "a host that only one network knows": re.compile(
        r"https?://(?:[\w.-]*\.(?:internal|local|corp|lan|intranet)\b|(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d)"
    ),
    "a mirror of a package registry": re.compile(r"https?://[\w.-]*(?:mirror|proxy|nexus|artifactory|verdaccio)", re.I),
    "a key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|AccountKey=[A-Za-z0-9+/]{20}|\bgh[po]_\w{30}"),
}
"""What must not stand in any file: it works for one person only, or nobody else may know it."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@every_page
def test_every_link_to_a_file_or_heading_leads_somewhere(page: Path) -> None:
    assert [target for target in _links(page) if not _exists(page, target)] == []


@every_page
def test_every_make_command_named_is_a_target(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = " ".join(re.findall(r"^```.*?^```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    assert set(MAKE.findall(code)) <= targets


def test_the_glossary_explains_each_word_once_in_the_order_of_the_alphabet() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    words = [row.strip("*").lower() for row in rows[1:]]
    assert words == sorted(set(words))


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = {name: (default, meaning) for name, default, meaning in SETTING_ROW.findall(README.read_text("utf-8"))}
    assert rows == {
        setting.variable: (f"`{setting.default}`" if setting.default else "", setting.meaning) for setting in TABLE
    }


def test_the_semantics_describe_every_field_of_a_strategy() -> None:
    text = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    table = text.partition("### The strategy's fields")[2].partition("\n## ")[0]
    described = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.partition("|")[2].split("|")[0])
    }
    assert described == {field.name for field in fields(Strategy)} - {"id", "name", "description"}


def test_the_semantics_list_what_each_state_of_a_line_allows() -> None:
    text = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    table = text.partition("| State of the line | Possible | Proof |")[2].partition("\n\n")[0]
    described = {
        (state, acceptance or None): set(re.findall(r"\b(?!again)[a-z]+", events))
        for names, acceptance, events in re.findall(
            r"^\| (`.*?`)(?:, (pending|accepted))? \| (.*?) \|", table, re.MULTILINE
        )
        for state in re.findall(r"\w+", names)
    }
    assert described == {
        (line.state.value, line.assignment.acceptance.value if line.assignment else None): set(possible(order, line))
        for order in map(_order_in, LineState)
        for line in order.lines
    }


def test_the_walk_through_quotes_the_rule_as_it_is() -> None:
    quoted = "\n".join(PYTHON.findall((ROOT / "docs" / "adding-a-rule.md").read_text(encoding="utf-8")))
    code = (ROOT / "dom_core" / "rules" / "maximum_distance.py").read_text(encoding="utf-8")
    known = {line.strip() for line in code.splitlines()}
    unknown = [line for line in quoted.splitlines() if line.strip(" …") and line.strip(" …") not in known]
    assert quoted
    assert unknown == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        files = [(page.parent / target.partition("#")[0]).resolve() for target in _links(page)]
        waiting += [file for file in files if file.suffix == ".md"]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("what", PRIVATE)
def test_no_file_names(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in tracked_texts()
        for match in PRIVATE[what].finditer(text)
    ]
    assert found == []


def _order_in(state: LineState) -> Order:
    """An order with a line in this state; in both acceptances where it is assigned."""
    plain = an_order().with_line("pen", state=state).build()
    if state is not LineState.ASSIGNED:
        return plain
    kept = LineAssignment("A", "P1", "standard", 1, None, Acceptance.PENDING, plain.ordered_at)
    assignments = (kept, replace(kept, acceptance=Acceptance.ACCEPTED))
    return replace(plain, lines=tuple(replace(plain.lines[0], assignment=each) for each in assignments))


def _links(page: Path) -> list[str]:
    """Links to our own files and headings; foreign addresses are not ours to check."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [target for target in LINK.findall(text) if not re.match(r"[a-z]+:", target)]


def _exists(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists():
        return False
    return not anchor or anchor in _anchors(file)


def _anchors(file: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}
