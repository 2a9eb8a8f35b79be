"""Everything that is asked of one case."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dom_core.domain.plan import Ending, Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import DomError
from dom_core.optimizer.solving import CbcSolver
from dom_core.verification import verify
from tests.engine.judging import Judged, judged
from tests.engine.lies import lies
from tests.engine.searching import SearchingCrew, apart, whole, written

TWO_WORKERS, ANOTHER_ORDER = 2, 7


@dataclass(slots=True)
class Examined:
    """What is wrong (`findings`), what could be better and says so (`missed`), and how much was looked at."""

    findings: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def examine(request: PlanRequest) -> Examined:
    """Plan a case by search in three ways, and set them against the exact model, each other and verification."""
    found = Examined()
    try:
        _examine(request, found)
    except DomError as error:
        found.findings.append(f"{type(error).__name__}: {error}")
    return found


def _examine(request: PlanRequest, found: Examined) -> None:
    together, alone = SearchingCrew(CbcSolver()), SearchingCrew(CbcSolver())
    plan, plan_apart = whole(request, together), apart(request, alone)
    judged_whole = [_noted("whole", judged(searched), found) for searched in together.searched]
    judged_apart = [_noted("apart", judged(searched), found) for searched in alone.searched]
    parts = len(plan_apart.proofs[0].parts)
    found.counted["parts"] += parts
    found.findings += _not_the_sum(judged_whole[: len(plan.proofs[0].parts)], judged_apart[:parts])
    for made in (plan, plan_apart):
        found.findings += verify(request, made).findings
    side_by_side = apart(request, SearchingCrew(CbcSolver(), TWO_WORKERS, ANOTHER_ORDER))
    if written(side_by_side) != written(plan_apart):
        limits = {report.ending_limit for made in (plan_apart, side_by_side) for report in made.iterations}
        why = ": seconds ended a search, as where a machine stands still" if "seconds" in limits else ""
        found.findings.append(f"two workers, in another order, make another plan than one{why}")
    _tell_lies(request, plan, found)


def _noted(way: str, one: Judged, found: Examined) -> Judged:
    found.findings += (f"{way}: {finding}" for finding in one.findings)
    found.counted["blocks"] += 1
    found.counted["not proven by CBC"] += one.optimum is None
    found.counted["proven by the engine"] += one.ending is Ending.OPTIMAL
    if one.missed:
        found.missed.append(f"{way}: {one}")
    return one


def _not_the_sum(blocks: list[Judged], parts: list[Judged]) -> Iterator[str]:
    """The blocks and the parts of iteration 1 must be worth the same, in all, by the exact model and by search."""
    best, best_apart = [one.optimum for one in blocks], [one.optimum for one in parts]
    if None in (*best, *best_apart):
        return
    if sum(filter(None, best)) != sum(filter(None, best_apart)):
        yield f"the optima of the parts, {best_apart}, are not that of the whole, {best}"
    value, value_apart = (sum(one.value for one in some) for some in (blocks, parts))
    if value != value_apart and not any(one.missed for one in (*blocks, *parts)):
        yield f"the parts are worth {value_apart}, the whole {value}"


def _tell_lies(request: PlanRequest, plan: Plan, found: Examined) -> None:
    for name, liar in lies(plan):
        found.counted["lies"] += 1
        if not verify(request, liar).findings:
            found.findings.append(f"not refused: {name}")
