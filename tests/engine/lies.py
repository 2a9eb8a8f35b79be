"""Plans that say what is not so: another price, value or bound. Verification must refuse each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from dom_core.domain.plan import IterationReport, Plan
from dom_core.domain.prices import NO_PRICES, PriceTable
from dom_core.domain.proof import PartProof

BEYOND_ALL = 2.0**40
"""Points that no line and no visit would pay."""

LEAST = 1000.0
"""Points: beyond what verification grants to floating point, a ten-millionth of everything that is wanted."""


def lies(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """The plan corrupted in every way that it has room for, iteration by iteration, each with a name."""
    for number, report in enumerate(plan.iterations):
        for name, change in _OF_REPORTS.items():
            yield f"iteration {report.number}: {name}", _with_report(plan, number, change)
        for place, part in enumerate(plan.proofs[number].parts):
            if part.priced is not None:
                for name, changed in _of_part(part, first=report.number == 1):
                    yield f"iteration {report.number}, part {place}: {name}", _with_part(plan, number, place, changed)


def _of_part(part: PartProof, *, first: bool) -> Iterator[tuple[str, PartProof]]:
    """Of iteration 2 no dearer prices: where the first left nothing, whoever raises a price says nothing."""
    priced = part.priced or 0.0
    yield "more is said to be proven by prices", replace(part, priced=priced + _one_per_cent(priced))
    if part.prices != NO_PRICES:
        yield "no price is told", replace(part, prices=NO_PRICES)
        yield "prices are below zero", replace(part, prices=_below_zero(part.prices))
    if part.prices.savings:
        yield "savings are beyond all", replace(part, prices=_saving_more(part.prices))
    if first and any(cell.divisor == 1 for cell in part.prices.cells):
        yield "prices are beyond all", replace(part, prices=_dearer(part.prices))


def _dearer(table: PriceTable) -> PriceTable:
    """Other prices of units that there are; of room there may be none left."""
    return replace(
        table,
        cells=tuple(replace(each, points=each.points + BEYOND_ALL * (each.divisor == 1)) for each in table.cells),
    )


def _below_zero(table: PriceTable) -> PriceTable:
    return PriceTable(
        tuple(replace(cell, points=-cell.points) for cell in table.cells),
        tuple(replace(room, points=-room.points) for room in table.rooms),
        tuple(replace(saving, points=-saving.points) for saving in table.savings),
    )


def _saving_more(table: PriceTable) -> PriceTable:
    """Savings that no line could be worth."""
    return replace(table, savings=tuple(replace(each, points=each.points + BEYOND_ALL) for each in table.savings))


def _one_per_cent(points: float) -> float:
    return max(LEAST, abs(points) / 100)


def _raised(report: IterationReport) -> IterationReport:
    bound = report.bound + _one_per_cent(report.bound)
    return replace(report, bound=bound, gap=(report.total - bound) / report.total if report.total else 0.0)


def _cheaper(report: IterationReport) -> IterationReport:
    """A value one point lower than it is, in the last level and in all."""
    last = report.levels[-1]
    levels = (*report.levels[:-1], replace(last, amount=last.amount - 1))
    return replace(report, levels=levels, total=sum(level.points for level in levels))


_OF_REPORTS: Mapping[str, Callable[[IterationReport], IterationReport]] = {
    "the bound is raised by a hundredth": _raised,
    "the value is lower": _cheaper,
}


def _with_report(plan: Plan, number: int, change: Callable[[IterationReport], IterationReport]) -> Plan:
    reports = list(plan.iterations)
    reports[number] = change(reports[number])
    return replace(plan, iterations=tuple(reports))


def _with_part(plan: Plan, number: int, place: int, changed: PartProof) -> Plan:
    proofs, parts = list(plan.proofs), list(plan.proofs[number].parts)
    parts[place] = changed
    proofs[number] = replace(proofs[number], parts=tuple(parts))
    return replace(plan, proofs=tuple(proofs))
