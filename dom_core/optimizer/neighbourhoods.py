"""Better plans: free some orders, solve them exactly with everybody else fixed, keep what improves.

Where the gap sits is known: value − bound is the sum of what each order pays at prices above its best pattern (its
*excess*), and of priced stock that nobody uses. Orders with the largest excess are freed first, with their rivals:
those who hold units of the cells that they could use, first those that could go elsewhere for least. Orders that
patterns express are freed by the hundred, and the best choice of patterns is looked for; the others by the dozen, among
pairs.

Several neighbourhoods that share no order are solved at the same time from the same state, and taken in their order as
far as they still fit together: so the plan is the same however many processors there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import FloatArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import offers
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.course import NEIGHBOURHOODS, Course
from dom_core.optimizer.gap import rent_of_orders
from dom_core.optimizer.objective import gap_of, points_by_order
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restricted
from dom_core.optimizer.rivals import LEAST_EXCESS, Rivals
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Crew, Lead, Task, Work
from dom_core.optimizer.whole_patterns import KnownPatterns, expressed
from dom_core.watch import watch_of

NOTHING_KNOWN: KnownPatterns = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Width:
    """How much is freed at once: so many lines.

    By `patterns`, so many a line, of orders that patterns express; or, where that is zero, by pairs: then lines are
    offered so many `sources` besides those where they are now. Rivals are looked for at so many sources of each line.
    """

    lines: int
    sources: int
    nodes: int
    patterns: int = 0


BY_PATTERNS = (
    Width(300, 16, 500, 8),
    Width(800, 24, 1000, 12),
    Width(1500, 24, 1000, 12),
)
BY_PAIRS = (Width(40, 12, 500), Width(120, 12, 1000), Width(200, 16, 3000), Width(300, 24, 3000))
WIDTHS = BY_PATTERNS + BY_PAIRS
"""First what the exact model answers in a fraction of a second; wider when narrower ones help little."""

LONGEST_S = 60.0
"""Seconds for a neighbourhood, far from what it needs: one that takes long ends by its nodes, alike on every machine.

With seconds that it comes near to, a solver takes another of the best plans when the machine is busy.
"""

SLOW_ROUNDS, WORTH_GOING_ON = 10, 0.02
"""Wider, too, when so many rounds closed less than this share of the gap: most seeds would change nothing."""

TRIES_PER_ORDER = 1
"""How often an order may be the seed of a neighbourhood that changes nothing, until one of its rivals moves."""

LEAST_LIMIT_S = 0.5
"""Seconds for a neighbourhood when the time of all is nearly up."""

AT_ONCE = 6
"""Neighbourhoods solved from the same state. A number of its own, so that processors change no plan."""

HEMMED_IN = 6
"""Seeds for which little room is left beside the others of a round, until the round does without more."""

ROUNDS, ROUNDS_PER_ORDER = 100, 0.25
"""Rounds of neighbourhoods at most: a limit that is the same on every machine, before the seconds are."""


def improve(
    problem: Problem,
    plan: Standing,
    priced: PricedBest,
    crew: Crew,
    limits: SolverLimits,
    deadline: float,
    known: KnownPatterns = NOTHING_KNOWN,
) -> tuple[Standing, str]:
    """Free and solve neighbourhoods until the gap is closed, nothing moves, or time is up; which of these it was.

    It was for lack of time, too, where that of a single neighbourhood was up. `known` are patterns that masters looked
    at.
    """
    enough = max(limits.relative_gap, PROVEN_WITHIN)
    if plan.total - priced.bound <= enough * plan.total:
        return plan, ""
    course = Course(limits, deadline)
    search = _Search(problem, plan, priced, course, known)
    rounds, was_cut = int(ROUNDS + ROUNDS_PER_ORDER * len(problem.weights)), False
    for _ in range(rounds):
        watch_of(limits).at(NEIGHBOURHOODS, course.share, search.gap(priced.bound))
        if search.total - priced.bound <= enough * search.total:
            return search.standing(), ""
        if course.time_is_up():
            return search.standing(), "seconds"
        freed = search.next_neighbourhoods()
        if not freed:
            break
        smalls = [search.restricted(orders) for orders in freed]
        tasks = [search.task(orders, small) for orders, small in zip(freed, smalls, strict=True)]
        answers = list(crew.perform(tasks))
        was_cut |= any(answer.limit == "seconds" for answer in answers)
        for orders, small, answer in zip(freed, smalls, answers, strict=True):
            if answer.ending not in (Ending.NO_PLAN, Ending.INFEASIBLE):
                search.consider(orders, small.outward(answer.flows))
    return search.standing(), "seconds" if was_cut else "rounds"


class _Search:
    """The plan as it stands, with what is needed to find where it could be better."""

    def __init__(
        self, problem: Problem, plan: Standing, priced: PricedBest, course: Course, known: KnownPatterns
    ) -> None:
        watch = watch_of(course.limits)
        self.problem, self.prices = problem, priced.prices
        self.pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0), watch)
        self.course, self.width, self.known = course, WIDTHS[0], known
        self.expressed = expressed(self.pricer)
        offered = offers.cheapest(problem, priced.prices, max(width.sources for width in WIDTHS), watch)
        self.rivals = Rivals(self.pricer, plan.flows, priced, offered)
        self.all_lines = self.rivals.count_lines(self.rivals.lines_of)
        self.total = plan.total
        self.tried: dict[int, int] = {}
        self.bound, self.totals = priced.bound, list[int]()
        self.best = priced.patterns.worth + points_by_order(problem, ())
        self.points = points_by_order(problem, plan.flows)

    def standing(self) -> Standing:
        """The plan now."""
        return Standing(self.problem, [flow for flows in self.rivals.flows_of.values() for flow in flows])

    def gap(self, bound: float) -> float:
        """How far the plan is from the bound, relative to the plan."""
        return gap_of(self.total, bound)

    # Which orders to free.

    def next_neighbourhoods(self) -> list[tuple[int, ...]]:
        """The next few neighbourhoods, wider ones when every order had its tries. Empty when there is nothing left."""
        wider = list(WIDTHS[WIDTHS.index(self.width) + 1 :])
        self.totals.append(self.total)
        found = [] if wider and self._slow() else self._neighbourhoods()
        for width in wider:
            if found or self._freed_all():
                break
            self.width, self.tried, self.totals = width, {}, [self.total]
            found = self._neighbourhoods()
        return found

    def _slow(self) -> bool:
        """Whether the last rounds of this width closed next to nothing of the gap."""
        if len(self.totals) <= SLOW_ROUNDS:
            return False
        before = self.totals[-1 - SLOW_ROUNDS]
        return before - self.total < WORTH_GOING_ON * (before - self.bound)

    def _freed_all(self) -> bool:
        """Whether a neighbourhood of this width already is the whole problem, with all that could be tried."""
        return (
            not self.width.patterns
            and self.width.lines >= self.all_lines
            and self.width.sources >= self.problem.batch.shape[1]
        )

    def _neighbourhoods(self) -> list[tuple[int, ...]]:
        """The next few of this width, of which no two share an order."""
        found: list[tuple[int, ...]] = []
        taken: set[int] = set()
        hemmed_in = 0
        for seed in self._seeds():
            if len(found) == AT_ONCE or hemmed_in == HEMMED_IN:
                break
            if seed in taken:
                continue
            orders = self._around(seed, taken)
            if found and 2 * self.rivals.count_lines(orders) < self.width.lines:
                hemmed_in += 1  # Too little is left beside the others: its turn comes.
                continue
            self.tried[seed] = self.tried.get(seed, 0) + 1
            taken.update(orders)
            found.append(orders)
        return found

    def _seeds(self) -> Iterator[int]:
        """Orders that pay above their best, the most first; then those that could use what is priced and idle."""
        if self._has_room_for_all():
            first = next((order for order in sorted(self.rivals.lines_of) if self._of_kind(order)), None)
            if first is not None and self._may_be_seed(first):
                yield first
            return
        yield from self._untried(self.rivals.excess)
        yield from self._untried(self._idle_by_order())

    def _has_room_for_all(self) -> bool:
        return self.all_lines <= self.width.lines and (not self.width.patterns or bool(self.expressed.all()))

    def _may_be_seed(self, order: int) -> bool:
        """Whether an order of the width's kind has tries left."""
        return self._of_kind(order) and order in self.rivals.lines_of and self.tried.get(order, 0) < TRIES_PER_ORDER

    def _of_kind(self, order: int) -> bool:
        """Whether it is an order that patterns express, for a width by patterns; one of the others, by pairs."""
        return bool(self.expressed[order]) == bool(self.width.patterns)

    def _untried(self, points: FloatArray) -> Iterator[int]:
        for order in np.argsort(-points, kind="stable").tolist():
            if points[order] < LEAST_EXCESS:
                return
            if self._may_be_seed(order):
                yield order

    def _idle_by_order(self) -> FloatArray:
        """What each order (O) could use of priced units that nobody has, at their prices."""
        batch, offered = self.problem.batch, self.rivals.offers.sources[:, : self.width.sources]
        rows, columns = np.nonzero(offered != offers.NO_SOURCE)
        products, sources = batch.product_of[rows], offered[rows, columns]
        units = np.minimum(self.rivals.left.stock[products, sources], self.problem.wanted[rows])
        idle = np.zeros(len(self.problem.weights))
        np.add.at(idle, batch.order_of[rows], units * self.prices.at(products, sources, 1))
        return idle

    def _around(self, seed: int, taken: set[int]) -> tuple[int, ...]:
        """The seed with its rivals and theirs, of the width's kind; everybody if there is room for all."""
        if self._has_room_for_all():
            return tuple(sorted(self.rivals.lines_of))
        admits_all = not self.width.patterns

        def admits(rival: int) -> bool:
            return rival not in taken and (admits_all or bool(self.expressed[rival]))

        return self.rivals.around(seed, self.width.lines, self.width.sources, admits)

    # What the exact model says.

    def task(self, orders: Sequence[int], small: Restricted) -> Task:
        """What is asked about a neighbourhood: its best flows with everybody else fixed."""
        width = self.width
        limit_s = min(LONGEST_S, max(self.course.left_s, LEAST_LIMIT_S))
        limits = replace(self.course.limits, solve_limit_s=limit_s, max_nodes=width.nodes, relative_gap=0.0)
        if not width.patterns:
            return Task(Work.NEIGHBOURHOOD, small.problem, limits)
        prices, flows = small.prices(self.problem, self.prices), small.inward(self.rivals.flows(orders))
        known = {
            row: small.inward_sources(self.known[order]) for row, order in enumerate(orders) if order in self.known
        }
        return Task(Work.NEIGHBOURHOOD, small.problem, limits, Lead(prices, flows, known, width.patterns))

    def restricted(self, orders: Iterable[int]) -> Restricted:
        """The problem of these orders, with the stock and the room that the others leave."""
        return self.rivals.restricted(orders, None if self.width.patterns else self.width.sources)

    # What becomes of it.

    def consider(self, orders: Sequence[int], flows: Sequence[Flow]) -> None:
        """Take the flows if they are better than what these orders have, and still fit."""
        rows, points = list(orders), self.rivals.points_of(orders, flows)
        gain = int(self.points[rows].sum() - points.sum())
        if gain <= 0 or not self.rivals.move(orders, flows):
            return
        self.total -= gain
        self.points[rows] = points
        rent = rent_of_orders(self.pricer, self.prices, flows)
        self.rivals.excess[rows] = points + rent[rows] - self.best[rows]
        for order in orders:
            self.tried.pop(order, None)
