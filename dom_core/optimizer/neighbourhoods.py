"""Better plans: free some orders, solve them exactly with everybody else fixed, keep what improves.

Where the gap sits is known: value − bound is the sum of what each order pays at prices above its best pattern (its
*excess*), and of priced stock that nobody uses. Orders with the largest excess are freed first, with their rivals:
those who hold units of the cells that they could use, first those that could go elsewhere for least. Orders that
patterns express are freed by the hundred, and the best choice of patterns is looked for; the others by the dozen, among
pairs.

Several neighbourhoods that share no order are solved at the same time from the same state, and taken in their order as
far as they still fit together: so the plan is the same however many processors there are.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer import offers
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.course import NEIGHBOURHOODS, Course
from dom_core.optimizer.gap import detour_of_orders, excess_of_orders, rent_of_orders
from dom_core.optimizer.objective import gap_of, points_by_order
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restricted, Restriction
from dom_core.optimizer.standing import Left, Pair, Standing
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

AROUND_A_PAIR = Width(300, 24, 3000)
"""What is freed when a pair is forced."""

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

LEAST_EXCESS = 0.5
"""Points above its best pattern from which an order pays more than that: totals are whole."""

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


def around(problem: Problem, plan: Standing, priced: PricedBest, limits: SolverLimits, pair: Pair) -> Restricted:
    """The problem of the order of a forced (line, source) pair and of its rivals, with what everybody else leaves.

    Whoever has what the order could need at that source is a rival before all others.
    """
    search = _Search(problem, plan, priced, Course(limits, math.inf), NOTHING_KNOWN)
    search.width = AROUND_A_PAIR
    return search.restricted(search.around(pair))


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
        self.restriction = Restriction.of(problem)
        self.left = Left(problem, plan.flows)
        self.offers = offers.cheapest(problem, priced.prices, max(width.sources for width in WIDTHS), watch)
        self.lines_of = _lines_by_order(problem)
        self.all_lines = sum(map(len, self.lines_of.values()))
        self.flows_of: dict[int, list[Flow]] = defaultdict(list)
        self.holders: dict[Pair, set[int]] = defaultdict(set)
        self.total = plan.total
        self.tried: dict[int, int] = {}
        self.bound, self.totals = priced.bound, list[int]()
        self._move((), plan.flows)
        self.best = priced.patterns.worth + points_by_order(problem, ())
        self.points = points_by_order(problem, plan.flows)
        self.excess = excess_of_orders(self.pricer, priced.prices, priced.patterns, plan.flows)
        self.detour = detour_of_orders(self.pricer, priced.prices)

    def standing(self) -> Standing:
        """The plan now."""
        return Standing(self.problem, [flow for flows in self.flows_of.values() for flow in flows])

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
            if found and 2 * self._lines_in(orders) < self.width.lines:
                hemmed_in += 1  # Too little is left beside the others: its turn comes.
                continue
            self.tried[seed] = self.tried.get(seed, 0) + 1
            taken.update(orders)
            found.append(orders)
        return found

    def _lines_in(self, orders: Iterable[int]) -> int:
        return sum(len(self.lines_of[order]) for order in orders)

    def _seeds(self) -> Iterator[int]:
        """Orders that pay above their best, the most first; then those that could use what is priced and idle."""
        if self._has_room_for_all():
            first = next((order for order in sorted(self.lines_of) if self._of_kind(order)), None)
            if first is not None and self._may_be_seed(first):
                yield first
            return
        yield from self._untried(self.excess)
        yield from self._untried(self._idle_by_order())

    def _has_room_for_all(self) -> bool:
        return self.all_lines <= self.width.lines and (not self.width.patterns or bool(self.expressed.all()))

    def _may_be_seed(self, order: int) -> bool:
        """Whether an order of the width's kind has tries left."""
        return self._of_kind(order) and order in self.lines_of and self.tried.get(order, 0) < TRIES_PER_ORDER

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
        batch, offered = self.problem.batch, self.offers.sources[:, : self.width.sources]
        rows, columns = np.nonzero(offered != offers.NO_SOURCE)
        products, sources = batch.product_of[rows], offered[rows, columns]
        units = np.minimum(self.left.stock[products, sources], self.problem.wanted[rows])
        idle = np.zeros(len(self.problem.weights))
        np.add.at(idle, batch.order_of[rows], units * self.prices.at(products, sources, 1))
        return idle

    def around(self, pair: Pair) -> tuple[int, ...]:
        """The order of a (line, source) pair, those that it would displace there, and rivals of all of them."""
        line, source = pair
        order = int(self.problem.batch.order_of[line])
        displaced = self._ranked(rival for mine in self.lines_of[order] for rival in self._in_the_way(mine, source))
        return self._around(order, set(), displaced)

    def _around(self, seed: int, taken: set[int], before: Sequence[int] = ()) -> tuple[int, ...]:
        """The seed and its rivals, theirs, and so on, as far as there is room; everybody if there is room for all.

        Those that come `before` have half of the room.
        """
        if self._has_room_for_all():
            return tuple(sorted(self.lines_of))
        chosen, known, lines = [seed], taken | {seed}, len(self.lines_of[seed])

        def choose(rivals: Iterable[int], most: int) -> None:
            nonlocal lines
            for rival in rivals:
                if self.width.patterns and not self.expressed[rival]:
                    continue
                size = len(self.lines_of[rival])
                if rival not in known and lines + size <= most:
                    chosen.append(rival)
                    known.add(rival)
                    lines += size

        choose(before, self.width.lines // 2)
        for order in chosen:  # which grows
            if lines >= self.width.lines:
                break
            choose(self._rivals(order), self.width.lines)
        return tuple(sorted(chosen))

    def _rivals(self, order: int) -> list[int]:
        """Who has what the order could use but not get, units or room."""
        return self._ranked(
            rival
            for line in self.lines_of[order]
            for source in self.offers.of(line)[: self.width.sources]
            for rival in self._in_the_way(line, source)
        )

    def _in_the_way(self, line: int, source: int) -> Iterator[int]:
        """Who has the units or the room that the line lacks there."""
        product = int(self.problem.batch.product_of[line])
        if self.left.stock[product, source] < self.problem.wanted[line]:
            yield from self.holders[product, source]
        for number in self.left.capacities_at.get(source, ()):
            if self.left.room[number] <= 0:
                yield from self.left.visitors(number)

    def _ranked(self, rivals: Iterable[int]) -> list[int]:
        """Those that pay most above their best first; then those that go elsewhere for least."""
        found = np.array(sorted(set(rivals)), dtype=np.int64)
        excess = self.excess[found]
        ranks = np.where(excess > LEAST_EXCESS, -excess, self.detour[found])
        ranked: list[int] = found[np.argsort(ranks, kind="stable")].tolist()
        return ranked

    # What the exact model says.

    def task(self, orders: Sequence[int], small: Restricted) -> Task:
        """What is asked about a neighbourhood: its best flows with everybody else fixed."""
        width = self.width
        limit_s = min(LONGEST_S, max(self.course.left_s, LEAST_LIMIT_S))
        limits = replace(self.course.limits, solve_limit_s=limit_s, max_nodes=width.nodes, relative_gap=0.0)
        if not width.patterns:
            return Task(Work.NEIGHBOURHOOD, small.problem, limits)
        prices, flows = small.prices(self.problem, self.prices), small.inward(self._flows(orders))
        known = {
            row: small.inward_sources(self.known[order]) for row, order in enumerate(orders) if order in self.known
        }
        return Task(Work.NEIGHBOURHOOD, small.problem, limits, Lead(prices, flows, known, width.patterns))

    def restricted(self, orders: Iterable[int]) -> Restricted:
        """The problem of these orders, with the stock and the room that the others leave."""
        lines = np.array(sorted(line for order in orders for line in self.lines_of[order]), dtype=np.int64)
        mine = self._flows(orders)
        offered = np.ones((len(lines), self.problem.batch.shape[1]), dtype=bool)
        if not self.width.patterns:
            offered = self._offered(lines, mine)
        small = self.restriction.to(lines, offered)
        products = np.unique(self.problem.batch.product_of[lines])
        stock = self.left.stock[np.ix_(products, small.sources)]
        for line, source, units in small.inward(mine):
            if stock[small.problem.batch.product_of[line], source] < UNLIMITED_UNITS:
                stock[small.problem.batch.product_of[line], source] += units
        room = self.left.room_without(mine)
        capacities = (
            replace(capacity, remaining=max(0, left))
            for capacity, left in zip(small.problem.capacities, room, strict=True)
        )
        return replace(small, problem=replace(small.problem, stock=stock, capacities=tuple(capacities)))

    def _offered(self, lines: IntArray, flows: Sequence[Flow]) -> BoolArray:
        """The most promising sources of these lines, and those where they are now (n, S)."""
        offered = np.zeros((len(lines), self.problem.batch.shape[1]), dtype=bool)
        row_of = {line: row for row, line in enumerate(lines.tolist())}
        for line, row in row_of.items():
            offered[row, self.offers.of(line)[: self.width.sources]] = True
        for line, source, _ in flows:
            offered[row_of[line], source] = True
        for line, _ in self.problem.forced:
            offered[np.isin(self.problem.batch.order_of[lines], self.problem.batch.order_of[line])] = True
        return offered

    # What becomes of it.

    def consider(self, orders: Sequence[int], flows: Sequence[Flow]) -> None:
        """Take the flows if they are better than what these orders have, and still fit."""
        rows, before, points = list(orders), self._flows(orders), self._points_of(orders, flows)
        gain = int(self.points[rows].sum() - points.sum())
        if gain <= 0:
            return
        self.left.give_back(before)
        if not self.left.fits(flows):
            self.left.take(before)
            return
        self.left.take(flows)
        self._move(before, flows)
        self.total -= gain
        self.points[rows] = points
        self.excess[rows] = points + self._rent(flows)[rows] - self.best[rows]
        for order in orders:
            self.tried.pop(order, None)

    def _points_of(self, orders: Sequence[int], flows: Sequence[Flow]) -> IntArray:
        """What each of these orders (ascending) costs with these flows."""
        lines = np.array(sorted(line for order in orders for line in self.lines_of[order]), dtype=np.int64)
        offered = np.zeros((len(lines), self.problem.batch.shape[1]), dtype=bool)
        offered[:, sorted({source for _, source, _ in flows})] = True
        small = self.restriction.to(lines, offered)
        return points_by_order(small.problem, small.inward(flows))

    def _flows(self, orders: Iterable[int]) -> list[Flow]:
        return [flow for order in orders for flow in self.flows_of[order]]

    def _move(self, before: Sequence[Flow], after: Sequence[Flow]) -> None:
        """Note who holds what now."""
        batch = self.problem.batch
        for line, source, _ in before:
            self.holders[int(batch.product_of[line]), source].discard(int(batch.order_of[line]))
            self.flows_of[int(batch.order_of[line])] = []
        for flow in after:
            self.holders[int(batch.product_of[flow[0]]), flow[1]].add(int(batch.order_of[flow[0]]))
            self.flows_of[int(batch.order_of[flow[0]])].append(flow)

    def _rent(self, flows: Sequence[Flow]) -> FloatArray:
        """What each order (O) would pay for stock and room at prices."""
        return rent_of_orders(self.pricer, self.prices, flows)


def _lines_by_order(problem: Problem) -> dict[int, list[int]]:
    lines: dict[int, list[int]] = defaultdict(list)
    for line in np.flatnonzero(problem.wanted > 0).tolist():
        lines[int(problem.batch.order_of[line])].append(line)
    return lines
