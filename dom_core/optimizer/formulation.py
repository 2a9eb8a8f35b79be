"""The compact mathematical model of a block of orders: variables, constraints, objective.

Minimise, in points,  Σ unfilled + Σ shipments + Σ priority steps + Σ kilometres,  or by cost  Σ unfilled + Σ cents,
subject to

    demand            Σ_s x[l,s] + short[l] = wanted[l]
    stock             Σ_l x[l,s] ≤ stock of the cell, where it can bind
    opening           x[l,s] ≤ min(wanted, stock) · z[l,s],   z[l,s] ≤ y[o,s]
    max sources       Σ_s y[o,s] ≤ limit of the order,   Σ_s z[l,s] ≤ limit of the line
    partial orders    no: every line of the order in full, or none
    partial lines     no: each line in full, or not at all
    maximum orders    Σ_o y[o,s] ≤ room, where it can bind
    forced            x[l,s] ≥ 1, where a question "what if" asks for it

x is whole units of a line from a source, z and y say whether a line or an order uses it. A single unit needs no x,
an order with one line no y. What an earlier iteration already pays for is free. Sources: docs/semantics.md sections
3 to 5.

Only this file, `solving.py` and `solving_highs.py` know PuLP. Variables are named by number: no user text reaches a
model file.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pulp

from dom_core.domain.batch import PlaceTable
from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.errors import SolverFailed
from dom_core.optimizer.costs import Flow, Journey, PairCosts
from dom_core.optimizer.decomposition import capacity_binds, cell_binds
from dom_core.optimizer.problem import Problem
from dom_core.rules.base import SplitLimits

Terms = list[tuple[pulp.LpVariable, float]]
Pair = tuple[int, int]

TIE_BUDGET_POINTS = 0.4
"""What all tie-breaking charges of one part may add up to: less than the smallest real difference, one point."""

ROUNDING_TOLERANCE = 1e-4
"""How far a solver's value of a whole variable may be from a whole number."""


@dataclass(slots=True)
class Model:
    """A PuLP model and the meaning of its variables.

    `levels` are amounts (units, shipments, …), `rates` their points; `nothing` is the amount of unfilled units when
    nothing flows, of which the first level's terms take away. `tie_breakers` decide between plans of equal points
    where the objective leaves levels without a price; `ties` are charges too small for any point to feel. `opens` say
    which line uses a source, `ships` which order does.
    """

    program: pulp.LpProblem
    levels: Mapping[Level, Terms]
    rates: Mapping[Level, int]
    nothing: int
    tie_breakers: Terms
    ties: Terms
    ties_at_most: float
    units: Mapping[Pair, tuple[pulp.LpVariable, int]] = field(default_factory=dict)
    opens: Mapping[Pair, pulp.LpVariable] = field(default_factory=dict)
    ships: Mapping[Pair, pulp.LpVariable] = field(default_factory=dict)

    @property
    def constant(self) -> float:
        """Points of the empty answer."""
        return float(self.nothing) * self.rates[Level.UNFILLED_UNITS]

    @property
    def priced(self) -> Terms:
        """The objective in points, without the constant."""
        return [(v, amount * self.rates[level]) for level, terms in self.levels.items() for v, amount in terms]

    def flows(self) -> tuple[Flow, ...]:
        """The solver's answer as whole units. Raises SolverFailed when a value is not whole."""
        flows = []
        for (line, source), (variable, factor) in sorted(self.units.items()):
            value = variable.value() or 0.0
            whole = round(value)
            if abs(value - whole) > ROUNDING_TOLERANCE * max(1.0, abs(value)):
                raise SolverFailed(f"the solver gave {value} where whole units are asked")
            if whole > 0:
                flows.append((line, source, whole * factor))
        return tuple(flows)


def expression(terms: Terms) -> pulp.LpAffineExpression:
    """The sum of terms. PuLP keeps only the last coefficient of a variable named twice, so they are added up here."""
    coefficients: dict[pulp.LpVariable, float] = defaultdict(float)
    for variable, coefficient in terms:
        coefficients[variable] += coefficient
    return pulp.LpAffineExpression(coefficients)


def build(problem: Problem, parts: Sequence[IntArray]) -> Model:
    """The model of one block of independent parts."""
    return _Builder(problem, parts).model()


class _Builder:
    """Adds variables and constraints order by order; every loop runs over sorted positions."""

    def __init__(self, problem: Problem, parts: Sequence[IntArray]) -> None:
        self.problem = problem
        self.parts = parts
        self.lines = np.sort(np.concatenate(parts))
        self.program = pulp.LpProblem("dom", pulp.LpMinimize)
        self.levels: dict[Level, Terms] = {level: [] for level in problem.rates}
        self.ties: Terms = []
        self.nothing = 0
        self.units: dict[Pair, tuple[pulp.LpVariable, int]] = {}
        self.opens: dict[Pair, pulp.LpVariable] = {}
        self.ships: dict[Pair, pulp.LpVariable] = {}
        self.counts: dict[Pair, pulp.LpVariable] = {}
        self.fills: dict[int, pulp.LpVariable] = {}
        self.candidates: dict[int, list[int]] = {}
        self.shipments_before = Counter(order for order, _ in problem.used.limited_shipments)
        self.sources_before = Counter(line for line, _ in problem.used.limited_line_sources)
        self._numbers = 0

    def model(self) -> Model:
        for order_lines in self._by_order():
            self._add_order(order_lines)
        self._limit_stock()
        self._limit_capacities()
        self._force()
        self._break_ties()
        return Model(
            program=self.program,
            levels=self.levels,
            rates=self.problem.rates,
            nothing=self.nothing,
            tie_breakers=self._tie_breakers(),
            ties=self.ties,
            ties_at_most=TIE_BUDGET_POINTS * len(self.parts),
            units=self.units,
            opens=self.opens,
            ships=self.ships,
        )

    def _by_order(self) -> list[list[int]]:
        grouped: dict[int, list[int]] = defaultdict(list)
        for line in self.lines.tolist():
            grouped[int(self.problem.batch.order_of[line])].append(line)
        return [grouped[order] for order in sorted(grouped)]

    # Variables and constraints of one order.

    def _add_order(self, lines: list[int]) -> None:
        order = int(self.problem.batch.order_of[lines[0]])
        limits = self.problem.split_limits[order]
        weight = int(self.problem.weights[order])
        self.nothing += weight * int(self.problem.wanted[lines].sum())
        self.candidates.update({line: self._useful_sources(line, self._limits(line)) for line in lines})
        limited = [line for line in lines if not self.problem.batch.is_write_in(line)]
        free = [line for line in lines if self.problem.batch.is_write_in(line)]
        served = self._servable(limited, limits)
        for line in [*served, *free]:
            self._add_line(line, self._limits(line), weight)
        if served and not limits.partial_orders:
            self._all_or_nothing(served)
        self._add_shipments(order, sorted([*served, *free]))
        self._count_sources(order, served)
        self._limit_sources(order, served, limits)
        self._charge(order, sorted([*served, *free]))

    def _limits(self, line: int) -> SplitLimits:
        """The limits of the line's order; none for a write-in line, which only location priority concerns (C8)."""
        if self.problem.batch.is_write_in(line):
            return SplitLimits()
        return self.problem.split_limits[int(self.problem.batch.order_of[line])]

    def _servable(self, lines: list[int], limits: SplitLimits) -> list[int]:
        """Lines that could be filled as far as their limits ask."""
        if not limits.partial_orders and not all(self._can_fill(line) for line in lines):
            return []
        return [line for line in lines if limits.partial_lines or self._can_fill(line)]

    def _useful_sources(self, line: int, limits: SplitLimits) -> list[int]:
        """Candidate sources, less those that cannot hold the whole line where it must come from one place."""
        sources = np.flatnonzero(self.problem.allowed[line]).tolist()
        if not self._whole_from_one(line, limits):
            return [int(source) for source in sources]
        wanted = int(self.problem.wanted[line])
        return [int(source) for source in sources if self._stock(line, source) >= wanted]

    def _whole_from_one(self, line: int, limits: SplitLimits) -> bool:
        return limits.max_sources_per_line == 1 and not limits.partial_lines and not self.sources_before[line]

    def _can_fill(self, line: int) -> bool:
        return sum(self._stock(line, source) for source in self.candidates[line]) >= int(self.problem.wanted[line])

    def _stock(self, line: int, source: int) -> int:
        return int(self.problem.stock[self.problem.batch.product_of[line], source])

    def _add_line(self, line: int, limits: SplitLimits, weight: int) -> None:
        wanted = int(self.problem.wanted[line])
        whole = self._whole_from_one(line, limits)
        supply: Terms = []
        for source in self.candidates[line]:
            opened = self._binary()
            self.opens[line, source] = opened
            if wanted == 1 or whole:
                self.units[line, source] = (opened, wanted)
                supply.append((opened, float(wanted)))
                continue
            most = min(wanted, self._stock(line, source))
            moved = self._whole_number(most)
            self.units[line, source] = (moved, 1)
            supply.append((moved, 1.0))
            self._require([(moved, 1.0), (opened, -float(most))], "<=", 0.0)
        self.levels[Level.UNFILLED_UNITS] += [(variable, -weight * units) for variable, units in supply]
        if limits.partial_lines or wanted == 1 or whole:
            self._require(supply, "<=", float(wanted))
        else:
            self.fills[line] = self._binary()
            self._require([*supply, (self.fills[line], -float(wanted))], "==", 0.0)

    def _all_or_nothing(self, lines: Sequence[int]) -> None:
        """Every line of the order in full, or none."""
        full = self._binary()
        for line in lines:
            supply = [(variable, float(factor)) for variable, factor in self._supply(line)]
            self._require([*supply, (full, -float(self.problem.wanted[line]))], "==", 0.0)

    def _supply(self, line: int) -> list[tuple[pulp.LpVariable, int]]:
        return [self.units[line, source] for source in self.candidates[line]]

    def _add_shipments(self, order: int, lines: Sequence[int]) -> None:
        for source, users in self._users(lines).items():
            self.ships[order, source] = self._joined([self.opens[line, source] for line in users])

    def _count_sources(self, order: int, limited: Sequence[int]) -> None:
        """Whether the order uses a source as limits count it: through lines that are not written in."""
        everybody = {source: len(users) for source, users in self._users(self._lines_at(order)).items()}
        for source, users in self._users(limited).items():
            if len(users) == everybody[source]:
                counted = self.ships[order, source]
            else:
                counted = self._joined([self.opens[line, source] for line in users])
            self.counts[order, source] = counted

    def _lines_at(self, order: int) -> list[int]:
        return sorted({line for line, _ in self.opens if int(self.problem.batch.order_of[line]) == order})

    def _joined(self, choices: Sequence[pulp.LpVariable]) -> pulp.LpVariable:
        """One variable that is on when any of these is."""
        if len(choices) == 1:
            return choices[0]
        joined = self._binary()
        for choice in choices:
            self._require([(choice, 1.0), (joined, -1.0)], "<=", 0.0)
        return joined

    def _users(self, lines: Iterable[int]) -> dict[int, list[int]]:
        users: dict[int, list[int]] = defaultdict(list)
        for line in lines:
            for source in self.candidates[line]:
                users[source].append(line)
        return dict(sorted(users.items()))

    def _limit_sources(self, order: int, lines: Sequence[int], limits: SplitLimits) -> None:
        used = self.problem.used
        if limits.max_sources is not None:
            before = self.shipments_before[order]
            new = [(self.counts[order, s], 1.0) for s in self._users(lines) if (order, s) not in used.limited_shipments]
            self._at_most(new, max(0, limits.max_sources - before))
        if limits.max_sources_per_line is not None:
            for line in lines:
                before = self.sources_before[line]
                new = [(self.opens[line, s], 1.0) for s in self.candidates[line] if (line, s) not in used.line_sources]
                self._at_most(new, max(0, limits.max_sources_per_line - before))

    def _charge(self, order: int, lines: Sequence[int]) -> None:
        """The amounts of every level at each source that the order could use, less what is paid already."""
        used = self.problem.used
        for source, users in self._users(lines).items():
            if Level.SHIPMENTS in self.levels and (order, source) not in used.shipments:
                self.levels[Level.SHIPMENTS].append((self.ships[order, source], 1.0))
            paid = used.paid_steps.get((order, source), 0)
            steps = {line: max(0, int(self.problem.steps[line, source]) - paid) for line in users}
            self._charge_worst(order, source, steps)
            legs = self._legs(users, source)
            self._charge_journeys(Level.DISTANCE_KM, self.problem.km, legs, used.legs)
            if self.problem.costs:
                self._charge_costs(self.problem.costs, order, source, users)

    def _legs(self, users: Sequence[int], source: int) -> dict[Journey, list[int]]:
        return _grouped(users, lambda line: self.problem.leg(line, source))

    def _charge_costs(self, costs: PairCosts, order: int, source: int, users: Sequence[int]) -> None:
        used, cents = self.problem.used, self.levels[Level.COST_CENTS]
        if (order, source) not in used.shipments:
            cents.append((self.ships[order, source], float(costs.shipment_cents[users[0], source])))
        for line in users:
            if (line, source) not in used.line_sources:
                cents.append((self.opens[line, source], float(costs.part_cents[line, source])))
        legs = _grouped(users, lambda line: costs.leg(line, source))
        self._charge_journeys(Level.COST_CENTS, costs.leg_cents, legs, used.cost_legs)

    def _charge_worst(self, order: int, source: int, steps: Mapping[int, int]) -> None:
        """A shipment pays the priority of its worst line."""
        least, most = min(steps.values()), max(steps.values())
        if least:
            self.levels[Level.PRIORITY_STEPS].append((self.ships[order, source], float(least)))
        if most > least:
            above = self.program.add_variable(self._name(), 0, most - least)
            self.levels[Level.PRIORITY_STEPS].append((above, 1.0))
            for line, worth in steps.items():
                if worth > least:
                    self._require([(self.opens[line, source], float(worth - least)), (above, -1.0)], "<=", 0.0)

    def _charge_journeys(
        self,
        level: Level,
        charges: IntArray | PlaceTable,
        legs: Mapping[Journey, Sequence[int]],
        paid: frozenset[Journey],
    ) -> None:
        """Lines that travel together from a source pay the way once."""
        everybody = sum(map(len, legs.values()))
        for leg, travellers in legs.items():
            order, _, source = leg
            charge = float(charges[travellers[0], source])
            if not charge or leg in paid:
                continue
            if len(travellers) == everybody:
                travels = self.ships[order, source]
            else:
                travels = self._joined([self.opens[line, source] for line in travellers])
            self.levels[level].append((travels, charge))

    def _tie_breakers(self) -> Terms:
        """By cost, priority and then distance decide between plans that cost the same."""
        if self.problem.costs is None:
            return []
        steps = [(v, amount * self.problem.largest_km) for v, amount in self.levels[Level.PRIORITY_STEPS]]
        return steps + self.levels[Level.DISTANCE_KM]

    # Constraints that join orders.

    def _limit_stock(self) -> None:
        binds: BoolArray = cell_binds(self.problem)
        drawn: dict[Pair, Terms] = defaultdict(list)
        for (line, source), (variable, factor) in self.units.items():
            product = int(self.problem.batch.product_of[line])
            if binds[product, source]:
                drawn[product, source].append((variable, float(factor)))
        for (product, source), terms in sorted(drawn.items()):
            self._require(terms, "<=", float(self.problem.stock[product, source]))

    def _limit_capacities(self) -> None:
        for capacity in self.problem.capacities:
            if not capacity_binds(self.problem, capacity):
                continue
            sources = set(capacity.sources)
            counted = self.problem.used.limited_line_sources if capacity.per_line else capacity.counted
            choices = self._limited_opens() if capacity.per_line else self.counts
            terms = [(v, 1.0) for pair, v in choices.items() if pair[1] in sources and pair not in counted]
            self._at_most(terms, capacity.remaining)

    def _limited_opens(self) -> dict[Pair, pulp.LpVariable]:
        return {pair: v for pair, v in self.opens.items() if not self.problem.batch.is_write_in(pair[0])}

    def _force(self) -> None:
        for pair in self.problem.forced:
            if pair in self.units:
                self._require([(self.units[pair][0], -1.0)], "<=", -1.0)

    # Ties: earliest ordered first, then lowest source ids.

    def _break_ties(self) -> None:
        """Charges too small to outweigh one point: units of earlier orders are worth more, later sources cost more."""
        for part in self.parts:
            lines = [line for line in part.tolist() if self.candidates.get(line)]
            units = sum(int(self.problem.wanted[line]) for line in lines)
            orders = {order: rank for rank, order in enumerate(sorted({self._order(line) for line in lines}))}
            sources = self.problem.batch.shape[1]
            opened = sum(min(int(self.problem.wanted[line]), len(self.candidates[line])) for line in lines)
            for line in lines:
                earliness = (len(orders) - orders[self._order(line)]) / len(orders)
                for source in self.candidates[line]:
                    if (line, source) not in self.units:
                        continue
                    variable, factor = self.units[line, source]
                    self.ties.append((variable, -factor * earliness * TIE_BUDGET_POINTS / 2 / units))
                    lateness = (source + 1) / sources
                    self.ties.append((self.opens[line, source], lateness * TIE_BUDGET_POINTS / 2 / opened))

    def _order(self, line: int) -> int:
        return int(self.problem.batch.order_of[line])

    # PuLP.

    def _name(self) -> str:
        self._numbers += 1
        return f"v{self._numbers}"

    def _binary(self) -> pulp.LpVariable:
        return self.program.add_variable(self._name(), 0, 1, cat=pulp.LpInteger)

    def _whole_number(self, most: int) -> pulp.LpVariable:
        return self.program.add_variable(self._name(), 0, most, cat=pulp.LpInteger)

    def _at_most(self, terms: Terms, limit: int) -> None:
        if len(terms) > limit:
            self._require(terms, "<=", float(limit))

    def _require(self, terms: Terms, sense: str, right: float) -> None:
        if terms:
            left = expression(terms)
            self.program += left == right if sense == "==" else left <= right


def _grouped(lines: Iterable[int], journey: Callable[[int], Journey]) -> dict[Journey, list[int]]:
    groups: dict[Journey, list[int]] = defaultdict(list)
    for line in lines:
        groups[journey(line)].append(line)
    return groups
