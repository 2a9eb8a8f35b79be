"""Exactly one reason for every (line, source) pair of the strategy's list.

Chosen and excluded pairs are known. For the others the order is looked at alone, with the stock and the room that
the plan leaves: either somebody else has what the pair would need (*taken*), or serving the line from there would
cost more (*dearer*: the most important level that differs), or the order may not be split that way (*excluded*).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dom_core.domain.plan import Level, LevelValue
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import CHOSEN
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.candidates import ALLOWED
from dom_core.optimizer.costs import Flow, Journey
from dom_core.optimizer.relaxation import IterationResult, TwoIterations
from dom_core.optimizer.takings import Takings
from dom_core.rules.base import CapacityLimit, SplitLimits
from dom_core.watch import UNWATCHED, Watch

STOCK_TAKEN = Reason(Verdict.TAKEN, "stock")
LINE_IN_FULL = Reason(Verdict.EXCLUDED, "line_in_full")

_UNITS = {
    Level.UNFILLED_UNITS: "units unfilled",
    Level.SHIPMENTS: "shipments",
    Level.COST_CENTS: "cents",
    Level.PRIORITY_STEPS: "priority steps",
    Level.DISTANCE_KM: "km",
}


def room_taken_by(capacity: CapacityLimit) -> Reason:
    """The reason, without its evidence, that a limit has no room left."""
    return Reason(Verdict.TAKEN, "maximum_orders", capacity.rule_id)


class Judge:
    """Judges pairs against the state in which the plan leaves stock, room and orders.

    `iterations` may be those of a few orders of the plan; `takings` are the whole plan's. Everything that many pairs
    ask for is counted once, before the first is judged.
    """

    def __init__(self, iterations: TwoIterations, takings: Takings, watch: Watch = UNWATCHED) -> None:
        self.iterations = iterations
        self.takings = takings
        self.batch = iterations.first.problem.batch
        self.flows = (*iterations.first.flows, *iterations.second.flows)
        self.held = Counter[tuple[int, int]]()
        self.of_order: dict[int, list[Flow]] = defaultdict(list)
        for line, source, units in watch.each(self.flows):
            self.held[line, source] += units
            self.of_order[int(self.batch.order_of[line])].append((line, source, units))
        self.members: dict[int, list[int]] = defaultdict(list)
        for line, order in enumerate(watch.each(self.batch.order_of.tolist())):
            self.members[order].append(line)
        self.write_in = [self.batch.is_write_in(line) for line in range(self.batch.shape[0])]
        rounds = iterations.second.rounds
        self.round_of = {line: result for result in rounds for line, _, _ in result.flows}
        self.crowded = {id(result): self._crowded(result) for result in (*iterations.results, *rounds)}

    @classmethod
    def of_run(cls, iterations: TwoIterations, watch: Watch = UNWATCHED) -> "Judge":
        """The judge of a whole run. Raises Cancelled."""
        flows = sorted((*iterations.first.flows, *iterations.second.flows))
        takings = Takings.of_flows(iterations.first.problem.batch, watch.each(flows))
        watch.go_on()
        return cls(iterations, takings, watch)

    def _crowded(self, result: IterationResult) -> dict[int, list[tuple[CapacityLimit, int]]]:
        """The capacities without room left, by source, with what uses them."""
        found: dict[int, list[tuple[CapacityLimit, int]]] = defaultdict(list)
        for capacity in result.candidates.capacities:
            visits = self.takings.visits(self.batch, capacity)
            if visits >= capacity.remaining:
                for source in capacity.sources:
                    found[source].append((capacity, visits))
        return found

    def reason(self, line: int, source: int) -> Reason:
        """The one reason of the pair at these positions."""
        if (line, source) in self.held:
            return CHOSEN
        result = self.result_of(line)
        if result.candidates.rejected_by[line, source] != ALLOWED:
            return next(result.candidates.reasons(line, source))
        return (
            self._stock_taken(result, line, source)
            or self.room_taken(result, line, source)
            or self._dearer(result, line, source)
        )

    def alternatives(self, line: int, source: int) -> list[tuple[Flow, ...]]:
        """How the line's order could flow if the line came from the source: at least one way for what is `dearer`."""
        return [tuple(flows) for flows in self._allowed_alternatives(self.result_of(line), line, source)]

    def levels(self, line: int, flows: Sequence[Flow]) -> tuple[LevelValue, ...]:
        """What the line's order costs when its lines flow like this and nothing else is paid."""
        result, order = self.result_of(line), int(self.batch.order_of[line])
        amounts = self._amounts(result, order, flows)
        return tuple(LevelValue(level, amounts[level], rate) for level, rate in result.problem.rates.items())

    def result_of(self, line: int) -> IterationResult:
        """The last iteration, and round of it, that the line took part in: its rules count."""
        entered = self.iterations.second.problem.wanted[line] > 0
        if not entered or not self.iterations.tried:
            return self.iterations.first
        return self.round_of.get(line, self.iterations.second)

    def _left(self, result: IterationResult, line: int, source: int) -> int:
        """Units left in the cell after the whole plan."""
        product = int(self.batch.product_of[line])
        stock = int(result.candidates.stock[product, source])
        if stock >= UNLIMITED_UNITS:
            return stock
        return stock - self.takings.units.get((self.batch.lines[line].product_id, self.batch.sources[source].id), 0)

    def needed_units(self, result: IterationResult, line: int) -> int:
        """The least that a source must have for the line: all of it where it is filled whole from one place."""
        limits = self._limits(result, line)
        must_be_whole = limits.max_sources_per_line == 1 and not limits.partial_lines
        return int(self.batch.units[line]) if must_be_whole else 1

    def _stock_taken(self, result: IterationResult, line: int, source: int) -> Reason | None:
        needed = self.needed_units(result, line)
        stock = int(result.candidates.stock[int(self.batch.product_of[line]), source])
        if stock < needed:
            return replace(LINE_IN_FULL, limit=f"{needed} units", actual=f"{stock} units")
        left = self._left(result, line, source)
        return self._taken(result, line, source) if left < needed else None

    def room_taken(self, result: IterationResult, line: int, source: int) -> Reason | None:
        """What keeps a line out of a source that has no room for it any more."""
        order = int(self.batch.order_of[line])
        if self.write_in[line]:
            return None
        for capacity, visits in self.crowded[id(result)].get(source, ()):
            already = any(at == source for _, at, _ in self.of_order[order]) and not capacity.per_line
            if not already and (order, source) not in capacity.counted:
                unit = "lines" if capacity.per_line else "orders"
                limit, actual = f"{capacity.remaining} more {unit}", f"{visits} {unit}"
                return replace(room_taken_by(capacity), limit=limit, actual=actual)
        return None

    def _limits(self, result: IterationResult, line: int) -> SplitLimits:
        if self.write_in[line]:
            return SplitLimits()
        return result.candidates.split_limits[int(self.batch.order_of[line])]

    def _dearer(self, result: IterationResult, line: int, source: int) -> Reason:
        order = int(self.batch.order_of[line])
        now = self.of_order[order]
        alternatives = self._allowed_alternatives(result, line, source)
        if not alternatives:
            if self._allowed_alternatives(result, line, source, undrawn=True):
                return self._taken(result, line, source)
            limits = self._limits(result, line)
            return Reason(
                Verdict.EXCLUDED, "partial_orders", limit=_split_text(limits), actual="would need another split"
            )
        priced = [self._change(result, order, now, flows) for flows in alternatives]
        _, level, amount = min(priced, key=lambda change: change[0])
        if level is None:
            return Reason(Verdict.DEARER, "tie", actual="equal; earlier orders and lower ids go first")
        return Reason(Verdict.DEARER, level.value, actual=f"{amount:+d} {_UNITS[level]}")

    def _taken(self, result: IterationResult, line: int, source: int) -> Reason:
        stock = int(result.candidates.stock[int(self.batch.product_of[line]), source])
        left = self._left(result, line, source)
        return replace(STOCK_TAKEN, limit=f"{stock} units", actual=f"{left} units left")

    def _allowed_alternatives(
        self, result: IterationResult, line: int, source: int, *, undrawn: bool = False
    ) -> list[list[Flow]]:
        """How the order could draw on the source; `undrawn`: if nobody else did."""
        order = int(self.batch.order_of[line])
        now = self.of_order.get(order, [])
        possible = self._alternatives(result, line, source, now, undrawn)
        return [flows for flows in possible if self._may_split(result, order, flows)]

    def _alternatives(
        self, result: IterationResult, line: int, source: int, now: Sequence[Flow], undrawn: bool
    ) -> Iterator[list[Flow]]:
        """The line alone goes to the source; all lines that it travels with go; the whole order goes."""
        mine = {at for other, at, _ in now if other == line}
        companions = frozenset(other for other, at, _ in now if at in mine)
        everybody = frozenset(other for other, _, _ in now)
        for movers in dict.fromkeys(members | {line} for members in (frozenset[int](), companions, everybody)):
            moved = [self._moved(result, other, source, undrawn) for other in sorted(movers)]
            if all(flow is not None for flow in moved):
                yield [flow for flow in now if flow[0] not in movers] + [flow for flow in moved if flow]

    def _moved(self, result: IterationResult, line: int, source: int, undrawn: bool) -> Flow | None:
        if result.candidates.rejected_by[line, source] != ALLOWED:
            return None
        held = self.held.get((line, source), 0)
        there = int(result.candidates.stock[int(self.batch.product_of[line]), source])
        units = min(int(self.batch.units[line]), there if undrawn else self._left(result, line, source) + held)
        return (line, source, units) if units > 0 else None

    def _may_split(self, result: IterationResult, order: int, flows: Sequence[Flow]) -> bool:
        limits = result.candidates.split_limits[order]
        flows = [flow for flow in flows if not self.write_in[flow[0]]]
        filled = Counter[int]()
        for line, _, units in flows:
            filled[line] += units
        sources = {at for _, at, _ in flows}
        per_line = Counter(line for line, _ in {(line, at) for line, at, _ in flows})
        whole = all(filled[line] == int(self.batch.units[line]) for line in filled)
        missing = [line for line in self.members[order] if line not in filled and not self.write_in[line]]
        return (
            _within(len(sources), limits.max_sources)
            and _within(max(per_line.values(), default=0), limits.max_sources_per_line)
            and (limits.partial_lines or whole)
            and (limits.partial_orders or (whole and not missing))
        )

    def _change(
        self, result: IterationResult, order: int, now: Sequence[Flow], flows: Sequence[Flow]
    ) -> tuple[int, Level | None, int]:
        """Points more, and the most important level that changes with its change."""
        problem = self.iterations.first.problem
        before, after = self._amounts(result, order, now), self._amounts(result, order, flows)
        changes = [(level, after[level] - before[level], rate) for level, rate in problem.rates.items()]
        points = sum(amount * rate for _, amount, rate in changes)
        # By cost, levels without a price still decide between plans that cost the same.
        for level, amount, rate in sorted(changes, key=lambda change: change[2] == 0):
            if amount and (rate or problem.costs):
                return points, level, amount
        return points, None, 0

    def _amounts(self, result: IterationResult, order: int, flows: Sequence[Flow]) -> dict[Level, int]:
        """What an order costs when its lines flow like this and nothing else is paid, level by level."""
        problem, steps = self.iterations.first.problem, result.candidates.steps
        missing = sum(int(self.batch.units[line]) for line in self.members[order]) - sum(flow[2] for flow in flows)
        worst: dict[int, int] = {}
        legs: dict[Journey, int] = {}
        for line, source, _ in flows:
            worst[source] = max(worst.get(source, 0), int(steps[line, source]))
            legs[problem.leg(line, source)] = int(problem.km[line, source])
        nothing: frozenset[tuple[int, int]] = frozenset()
        return {
            Level.UNFILLED_UNITS: missing * int(problem.weights[order]),
            Level.SHIPMENTS: len(worst),
            Level.COST_CENTS: problem.costs.total_cents(flows, frozenset(), nothing, nothing) if problem.costs else 0,
            Level.PRIORITY_STEPS: sum(worst.values()),
            Level.DISTANCE_KM: sum(legs.values()),
        }


def _within(count: int, limit: int | None) -> bool:
    return limit is None or count <= limit


def _split_text(limits: SplitLimits) -> str:
    most = "any number of" if limits.max_sources is None else f"at most {limits.max_sources}"
    parts = [f"{most} sources"]
    if not limits.partial_orders:
        parts.append("the whole order or nothing")
    elif not limits.partial_lines:
        parts.append("each line in full")
    if limits.max_sources_per_line is not None:
        parts.append(f"at most {limits.max_sources_per_line} sources a line")
    return ", ".join(parts)
