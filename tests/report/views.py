"""A small plan with a view, built by hand: every outcome of a line is in it."""

from dataclasses import replace
from datetime import UTC, datetime

from dom_core.domain.network import Location, SourceType
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import (
    Ending,
    HeldLine,
    IterationReport,
    Level,
    LevelValue,
    Plan,
    PlanAssignment,
    PlanLine,
    PlanState,
)
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import ReasonTable
from dom_core.report.view import Destination, PlanView, ViewedSource

SEATTLE, DENVER, BOSTON = Location(47.6, -122.3), Location(39.7, -105.0), Location(42.4, -71.1)

CHOSEN = Reason(Verdict.CHOSEN, "chosen")
TOO_FAR = Reason(Verdict.EXCLUDED, "maximum_distance", "near", "800.0 km", "1643.2 km")
DEARER = Reason(Verdict.DEARER, "distance_km", actual="+120 km")
TAKEN = Reason(Verdict.TAKEN, "no_stock", actual="O7, O8")
NOT_OURS = Reason(Verdict.EXCLUDED, "mode_of_delivery", limit="standard", actual="express")


def an_assignment(source_id: str, units: int, distance_m: int | None = 1_000, iteration: int = 1) -> PlanAssignment:
    relaxed = ("near",) if iteration == 2 else ()
    return PlanAssignment(source_id, units, distance_m, iteration, relaxed)


ITERATION = IterationReport(
    number=1,
    lines=4,
    filled_lines=2,
    units=10,
    filled_units=6,
    levels=(LevelValue(Level.UNFILLED_UNITS, 4, 8000), LevelValue(Level.SHIPMENTS, 3, 2000)),
    total=38_000,
    bound=37_905.0,
    gap=0.0025,
    ending=Ending.UNPROVEN,
    ending_limit="nodes",
    solver="CBC",
    seconds=1.5,
)


def a_view() -> PlanView:
    """Two sources and four lines: filled by one source, split, short, empty; and one that was not planned."""
    lines = (
        PlanLine("O1", "1", 0, "P1", 2, (an_assignment("S1", 2, 10_000),)),
        PlanLine("O1", "2", 0, "P2", 4, (an_assignment("S1", 1, 10_000), an_assignment("S2", 3, 30_000, iteration=2))),
        PlanLine("O2", "1", 0, "P1", 3, (an_assignment("S2", 1, 50_000),), ExceptionKind.NOT_IN_PLAN),
        PlanLine("O3", "1", 0, "P1", 1, (), ExceptionKind.NO_SOURCE),
    )
    reasons = ReasonTable(
        ("S1", "S2"), (CHOSEN, TOO_FAR, DEARER, TAKEN), codes=tuple(map(bytes, ((0, 2), (0, 0), (3, 0), (1, 1))))
    )
    plan = Plan(
        id="P-1",
        run_id="R-1",
        strategy_id="standard",
        state=PlanState.PROPOSED,
        planned_at=datetime(2026, 3, 2, 15, 0, tzinfo=UTC),
        engine_version="0.1.0",
        configuration_hash="c" * 64,
        input_hash="i" * 64,
        lines=lines,
        held=(HeldLine("O4", "1", NOT_OURS),),
        iterations=(ITERATION,),
        reasons=reasons,
        seconds=2.0,
    )
    return PlanView(
        plan=plan,
        network=(
            ViewedSource("S1", SourceType.WAREHOUSE, "Denver warehouse", DENVER),
            ViewedSource("S2", SourceType.STORE, "Boston store", BOSTON),
        ),
        destinations=(
            Destination("O1", "1", SEATTLE, "Seattle, Washington"),
            Destination("O1", "2", SEATTLE, "Seattle, Washington"),
            Destination("O2", "1", BOSTON, "Boston, Massachusetts"),
            Destination("O3", "1", DENVER, "Denver, Colorado"),
            Destination("O4", "1", SEATTLE, "Seattle, Washington"),
        ),
        product_names={"P1": "Lamp"},
        strategy_name="Standard delivery",
    )


def with_plan(view: PlanView, **fields: object) -> PlanView:
    """The view with other fields of its plan."""
    return replace(view, plan=replace(view.plan, **fields))  # type: ignore[arg-type]  # any field of a plan
