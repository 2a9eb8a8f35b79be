"""One page for one plan: everything inside it, nothing fetched, readable without its script.

The page carries its own content security policy: only the style and the script that it came with may run. Whoever
serves it by HTTP may send `CONTENT_SECURITY_POLICY` as a header too.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from dom_core.domain.plan import PlanState
from dom_core.report import sections
from dom_core.report.figures import Figures, figures_of
from dom_core.report.flow_map import MOST_FLOWS, flow_map, flows_of, legend
from dom_core.report.line_list import NOT_PLANNED, OUTCOMES, line_list
from dom_core.report.markup import Content, Html, tag
from dom_core.report.view import PlanView
from dom_core.report.wording import count_words, words


def _own_file(name: str) -> Html:
    """A file of this package; it is ours, so it is not escaped."""
    return Html(files("dom_core.report").joinpath(name).read_text(encoding="utf-8"))


def _hash_of(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


_STYLE = _own_file("page.css")
_SCRIPT = _own_file("page.js")

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_hash_of(_STYLE)}; script-src {_hash_of(_SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)
"""Only our own style and script; no connections, no images, no frames, no forms."""


def render(view: PlanView) -> str:
    """The page of a plan, as HTML."""
    figures = figures_of(view.plan)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=CONTENT_SECURITY_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Plan {view.plan.id}"),
        tag("style", _STYLE),
    )
    body = tag("body", _header(view, figures), _main(view, figures), _footer(view), tag("script", _SCRIPT))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(view: PlanView, figures: Figures) -> Html:
    plan = view.plan
    strategy = view.strategy_name or plan.strategy_id
    when = f"{plan.planned_at:%Y-%m-%d %H:%M %Z}".strip()
    return tag(
        "header",
        tag("p", f"{strategy} · {when} · ", tag("b", _STATES[plan.state]), class_="kicker"),
        tag("h1", f"{figures.filled_lines:,} of {count_words(figures.lines, 'line')} filled"),
        tag("p", f"Plan {plan.id}", class_="identity"),
        [tag("p", warning, class_="warning", role="note") for warning in plan.warnings],
        sections.tiles(view, figures),
    )


_STATES = {
    PlanState.PROPOSED: "proposed: not applied yet",
    PlanState.APPLIED: "applied",
    PlanState.EXPIRED: "expired",
    PlanState.SUPERSEDED: "superseded by a later plan",
    PlanState.SIMULATED: "simulation: never applied",
}


def _main(view: PlanView, figures: Figures) -> Html:
    return tag(
        "main",
        _card("From where to where", legend(view), flow_map(view, figures.loads), _undrawn(view), class_="map"),
        tag(
            "div",
            _card("Load per source", sections.loads(view, figures.loads)),
            tag(
                "div",
                _card("What was not filled", sections.unfilled(figures)),
                _card("What was not planned", sections.held(figures)),
                _card("How good the plan is", sections.iterations(view)),
                class_="stack",
            ),
            class_="columns",
        ),
        _card("Lines", _filter(view), line_list(view), class_="lines"),
    )


def _card(title: str, *content: Content, class_: str = "") -> Html:
    return tag("section", tag("h2", title), *content, class_=f"card {class_}".strip())


def _undrawn(view: PlanView) -> Html | None:
    total = len(flows_of(view))
    if total <= MOST_FLOWS:
        return None
    return tag("p", f"The {MOST_FLOWS:,} largest of {total:,} flows are drawn.", class_="hint")


def _filter(view: PlanView) -> Html:
    """Shown by the script, which is what makes it work."""
    outcomes = [*dict.fromkeys(OUTCOMES.values()), NOT_PLANNED]
    options = [tag("option", "all outcomes", value=""), *(tag("option", name, value=name) for name in outcomes)]
    sources = [tag("option", source.label, value=id) for id, source in sorted(view.sources().items())]
    return tag(
        "div",
        tag("label", "Find ", tag("input", type="search", id="find", placeholder="order, product, source, city …")),
        tag("label", "Outcome ", tag("select", options, id="outcome")),
        tag("label", "Source ", tag("select", tag("option", "all sources", value=""), sources, id="source")),
        tag("output", id="shown", aria_live="polite"),
        class_="filter",
        id="filter",
        hidden=True,
    )


def _footer(view: PlanView) -> Html:
    plan = view.plan
    facts = (
        ("run", plan.run_id),
        ("strategy", plan.strategy_id),
        ("engine", plan.engine_version),
        ("configuration", plan.configuration_hash[:12]),
        ("input", plan.input_hash[:12]),
    )
    return tag("footer", [tag("span", f"{words(name)} {value}") for name, value in facts if value])
