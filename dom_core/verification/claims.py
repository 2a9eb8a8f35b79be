"""What a plan claims about itself, against what was recomputed."""

from collections.abc import Iterator
from dataclasses import dataclass

from dom_core.domain.plan import Ending, IterationReport, Level
from dom_core.domain.proof import IterationProof, PartProof
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.audit.subject import Subject
from dom_core.verification.order import Rates
from dom_core.verification.recomputing import Part, Recomputed

TOLERANCE = 1e-7
"""Of the points of filling nothing: what the order of floating-point sums may change."""

GRAIN = 0.002
"""Points: bounds are told to a thousandth, rounded down."""

RATIO_TOLERANCE = 1e-6
"""Of a ratio: what floating point may leave of a gap that is proven to be zero."""

TIE_POINTS = 0.5
"""Points of each part: what decides between equal plans is taken off its bound, and so widens its gap."""


@dataclass(frozen=True, slots=True)
class Support:
    """What the bound of one iteration rests on, in points: prices, and the solver's own search.

    `by_search` are the parts of which the solver proved more than prices do. So many weighted units stay `unfilled` in
    any plan.
    """

    number: int
    by_prices: float
    by_solver: float
    by_search: tuple[int, ...]
    unfilled: int


def of_scale(subject: Subject, found: Recomputed, rates: Rates) -> Iterator[str]:
    """The figures that all points hang on."""
    plan, given = subject.plan, subject.request.strategy.rates
    largest_km = max(1000, -(-found.farthest_m // 1_000_000) * 1000)
    if plan.largest_distance_km != largest_km:
        yield f"the largest distance is {largest_km} km, the plan says {plan.largest_distance_km} km"
    if subject.request.costs_in_force() and given.unfilled_unit is None:
        expected = 4 * max(1, found.dearest_cents)
        if rates[Level.UNFILLED_UNITS] != expected:
            told = rates[Level.UNFILLED_UNITS]
            yield f"an unfilled unit counts {expected:,} points, the plan says {told:,}"


def of_structure(subject: Subject, proofs: tuple[IterationProof, ...]) -> Iterator[str]:
    """Whether every iteration has a proof that says where each line belongs."""
    numbers = [report.number for report in subject.plan.iterations]
    if [proof.number for proof in proofs] != numbers:
        yield f"the plan proves the bounds of iterations {[proof.number for proof in proofs]}, it has {numbers}"
    for proof in proofs:
        name = f"iteration {proof.number}"
        if len(proof.part_of) != len(subject.plan.lines):
            yield f"{name}: {len(proof.part_of)} lines have parts, the plan has {len(subject.plan.lines)}"
            continue
        parts = {proof.part(line) for line in range(len(proof.part_of))} - {IterationProof.NO_PART}
        if any(part >= len(proof.parts) for part in parts):
            yield f"{name}: a line is in part {max(parts)}, there are {len(proof.parts)}"


def of_bound(report: IterationReport, proof: IterationProof, found: Recomputed) -> Iterator[str]:
    """The bound that is stated, part by part and in all."""
    name = f"iteration {report.number}"
    hopeless = (report.number, IterationProof.NO_PART)
    alone, nothing = found.bounds.get(hopeless, 0.0), found.nothing.get(hopeless, 0)
    if abs(alone - nothing) > _tolerance(found, hopeless):
        yield f"{name}: lines in no part are taken for hopeless, worth {nothing:,} points; they prove {alone:,.3f}"
    for number, part in enumerate(proof.parts):
        yield from _of_part(f"{name}, part {number}", (report.number, number), part, found)
    unfilled = found.unfilled[report.number]
    if proof.unfilled_at_least != unfilled:
        yield f"{name} says that {proof.unfilled_at_least:,} units at least stay unfilled, weighted; it is {unfilled:,}"
    total = nothing + sum(part.bound for part in proof.parts)
    expected = min(float(report.total), total)
    if not abs(report.bound - expected) <= GRAIN + TOLERANCE * abs(expected):
        yield (
            f"{name} states a bound of {report.bound:,.3f}, its parts prove {expected:,.3f}: "
            f"{_difference(report.bound, expected)}"
        )


def _of_part(name: str, key: Part, part: PartProof, found: Recomputed) -> Iterator[str]:
    proven = found.bounds[key]
    if part.priced is not None and not abs(part.priced - proven) <= _tolerance(found, key):
        yield (
            f"{name} states {part.priced:,.3f} points proven by prices, its prices prove {proven:,.3f}: "
            f"{_difference(part.priced, proven)}"
        )
    if not 0 <= part.bound < float("inf"):
        yield f"{name} has a bound of {part.bound}"


def _difference(told: float, right: float) -> str:
    return f"{abs(told - right):,.3f} too {'much' if told > right else 'little'}"


def _tolerance(found: Recomputed, key: Part) -> float:
    return GRAIN + TOLERANCE * found.nothing.get(key, 0)


def of_ending(report: IterationReport, proof: IterationProof, request: PlanRequest) -> Iterator[str]:
    """Whether an iteration ended as it says: a limit that was hit is said, and nothing is called better than it is."""
    name, gap, most = f"iteration {report.number}", report.gap, request.strategy.limits.relative_gap
    limit = report.ending_limit
    over = (gap - most - RATIO_TOLERANCE) * report.total > TIE_POINTS * len(proof.parts)
    if report.ending is Ending.OPTIMAL and limit:
        yield f"{name} is called optimal, and the limit {limit} is said to have ended it"
    if report.ending is Ending.WITHIN_GAP and over and limit in ("", "gap"):
        yield f"{name} is called within the gap of {most:.4%}, its gap is {gap:.4%}"
    if report.ending is Ending.WITHIN_GAP and gap == 0 and not limit:
        yield f"{name} is called within a gap that is zero"
    if report.ending in (Ending.UNPROVEN, Ending.NO_PLAN, Ending.INFEASIBLE) and not limit:
        yield f"{name} is called {report.ending}, and no limit is said to have ended it"


def support_of(report: IterationReport, proof: IterationProof, found: Recomputed) -> Support:
    """What the bound rests on. Honest parts only: what is wrong was found before."""
    by_prices = float(found.nothing.get((proof.number, IterationProof.NO_PART), 0))
    by_solver, by_search = 0.0, []
    for number, part in enumerate(proof.parts):
        key = (proof.number, number)
        proven = min(part.bound, max(0.0, found.bounds[key]))
        by_prices += proven
        if part.bound - proven > _tolerance(found, key):
            by_solver += part.bound - proven
            by_search.append(number)
    return Support(report.number, by_prices, by_solver, tuple(by_search), proof.unfilled_at_least)
