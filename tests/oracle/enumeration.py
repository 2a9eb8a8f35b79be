"""The best answer to a tiny case, by trying every assignment.

An assignment of a whole case is one *pattern* per order. Patterns that use the same stock and room differ only in
cost, so the cheapest of them stands for all; then every combination of patterns is tried, depth first, and left as
soon as the cheapest patterns of the remaining orders could not make it better.
"""

from collections import Counter
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import product

from dom_core.domain.order import Line, Order
from dom_core.domain.request import PlanRequest
from tests.oracle.meaning import (
    CLASS_WEIGHTS,
    Limits,
    LineKey,
    Meaning,
    Room,
    Use,
    is_write_in,
    of_iteration,
    of_round,
    relaxes_something,
    sets_to_relax,
)
from tests.oracle.pricing import Charge

Levels = tuple[int, ...]
"""Unfilled units (weighted), shipments (by cost: cents), priority steps, kilometres."""

Amount = tuple[int, ...]
"""What is compared, most important first."""

Needs = tuple[tuple[object, int], ...]
"""Units per stock cell and places per room, without the zeros."""

NO_LIMITS = Limits(partial_lines=True)


@dataclass(frozen=True)
class Best:
    """The best that can be done: what it is worth, and one assignment that is worth it."""

    total: int
    levels: Levels
    amount: Amount
    use: Use
    largest_distance_km: int


@dataclass(frozen=True)
class _Pattern:
    use: Use
    needs: Needs
    levels: Levels
    amount: Amount


def best_first_iteration(request: PlanRequest, *, strict: bool = False) -> Best:
    """The best of iteration 1: every rule as hard."""
    return _Search(request, of_iteration(request, 1), (), strict).best()


def best_second_iteration(request: PlanRequest, earlier: Use, *, strict: bool = False) -> Best:
    """The best of iteration 2 after iteration 1 assigned `earlier`: all soft rules gone, only what is left."""
    search = _second(request, earlier, strict)
    return search.best() if relaxes_something(request) else search.nothing()


def best_rounds(request: PlanRequest, earlier: Use, *, strict: bool = False) -> list[Best]:
    """The best of each round of iteration 2 that places anything, with `relaxation: minimal`."""
    history, made = [(of_iteration(request, 1), earlier)], []
    for dropped in sets_to_relax(request):
        meaning = of_round(request, dropped)
        best = _Search(request, meaning, tuple(history), strict).best()
        if best.use:
            made.append(best)
            history.append((meaning, best.use))
    return made


def worth_of_first_iteration(request: PlanRequest, use: Use, *, strict: bool = False) -> Best | str:
    """What this answer to iteration 1 is worth; or, when it is not allowed, why."""
    return _Search(request, of_iteration(request, 1), (), strict).worth(use)


def worth_of_second_iteration(request: PlanRequest, earlier: Use, use: Use, *, strict: bool = False) -> Best | str:
    """What this answer to iteration 2 is worth after iteration 1 assigned `earlier`; or why it is not allowed."""
    if use and not relaxes_something(request):
        return "iteration 2 assigns although no rule is soft"
    return _second(request, earlier, strict).worth(use)


def wrong_rounds(request: PlanRequest, earlier: Use, rounds: Sequence[Use], *, strict: bool = False) -> list[str]:
    """What is wrong with these rounds of iteration 2: each must do the best that the rules it keeps leave to do."""
    history, left = [(of_iteration(request, 1), earlier)], list(rounds)
    for dropped in sets_to_relax(request):
        meaning = of_round(request, dropped)
        best = _Search(request, meaning, tuple(history), strict).best()
        if best.use:
            name, use = f"the round without {sorted(dropped)}", left.pop(0) if left else {}
            worth = _Search(request, meaning, tuple(history), strict).worth(use)
            if isinstance(worth, str) or worth.amount != best.amount:
                return [f"{name} places {use}, worth {worth}; the best is {best}"]
            history.append((meaning, use))
    return [f"rounds without a reason: {left}"] if left else []


def _second(request: PlanRequest, earlier: Use, strict: bool) -> "_Search":
    return _Search(request, of_iteration(request, 2), ((of_iteration(request, 1), earlier),), strict)


class _Search:
    """One iteration, or one round, of one case. `history` are those before it: what they meant and assigned."""

    def __init__(
        self, request: PlanRequest, meaning: Meaning, history: Sequence[tuple[Meaning, Use]], strict: bool
    ) -> None:
        self.request, self.meaning, self.history, self.strict = request, meaning, history, strict
        self.earlier = Counter[tuple[LineKey, str]]()
        for _, use in history:
            self.earlier.update(use)
        self.left = Counter[object]()
        for (product_id, source_id), units in meaning.stock.items():
            self.left["stock", product_id, source_id] = units
        for number, room in enumerate(meaning.rooms):
            self.left["room", number] = max(0, room.limit - room.already)
        for order, lines in meaning.orders:
            here = {pair: units for pair, units in self.earlier.items() if pair[0][0] == order.id}
            self.left.subtract(self._stock_needs(lines, order, here))
            self.left.subtract(self._room_needs(order, here, {}))
        # A rule that gave way before and holds again may be exceeded already: then there is nothing left, not less.
        self.left = Counter({thing: max(0, amount) for thing, amount in self.left.items()})

    def best(self) -> Best:
        """Try everything."""
        choices = [self._choices(order, lines) for order, lines in self.meaning.orders]
        choices.sort(key=len)
        cheapest = [min(pattern.amount for pattern in patterns) for patterns in choices]
        found = _cheapest_combination(choices, cheapest, dict(self.left))
        return self._as_best(found)

    def worth(self, use: Use) -> Best | str:
        """The worth of a given answer, or what is wrong with it."""
        patterns = []
        for order, lines in self.meaning.orders:
            here = {pair: units for pair, units in use.items() if pair[0][0] == order.id}
            if here not in self._uses(order, lines):
                return f"order {order.id} may not be served like this: {here}"
            patterns.append(self._pattern(order, lines, here))
        if sum(len(pattern.use) for pattern in patterns) != len(use):
            return "assigns lines that are not eligible"
        for pattern in patterns:
            _take(self.left, pattern.needs, -1)
        short = [thing for thing, amount in self.left.items() if amount < 0]
        return f"not enough of {short}" if short else self._as_best(patterns)

    def nothing(self) -> Best:
        """What it costs to assign nothing."""
        return self._as_best([self._pattern(order, lines, {}) for order, lines in self.meaning.orders])

    def _as_best(self, patterns: Sequence[_Pattern]) -> Best:
        levels = tuple(map(sum, zip((0, 0, 0, 0), *(pattern.levels for pattern in patterns), strict=True)))
        use = {pair: units for pattern in patterns for pair, units in pattern.use.items()}
        amount = self.meaning.amount(levels, strict=self.strict)
        return Best(self.meaning.rates.points(levels), levels, amount, use, self.meaning.largest_distance_km)

    def _choices(self, order: Order, lines: Sequence[Line]) -> list[_Pattern]:
        cheapest: dict[Needs, _Pattern] = {}
        for use in self._uses(order, lines):
            pattern = self._pattern(order, lines, use)
            known = cheapest.get(pattern.needs)
            if known is None or pattern.amount < known.amount:
                cheapest[pattern.needs] = pattern
        return sorted(cheapest.values(), key=lambda pattern: pattern.amount)

    def _pattern(self, order: Order, lines: Sequence[Line], use: Use) -> _Pattern:
        here = {pair: units for pair, units in self.earlier.items() if pair[0][0] == order.id}
        needs = self._stock_needs(lines, order, use) + self._room_needs(order, use, here)
        levels = self._levels(order, lines, use, here)
        amount = self.meaning.amount(levels, strict=self.strict)
        return _Pattern(use, tuple(sorted(needs.items(), key=repr)), levels, amount)

    # What one order may do

    def _uses(self, order: Order, lines: Sequence[Line]) -> Iterator[Use]:
        """Every assignment of this order that its own rules allow; the empty one is the first."""
        per_line = [self._uses_of_line(order, line) for line in lines]
        for combination in product(*per_line):
            use = {pair: units for part in combination for pair, units in part.items()}
            if self._allowed(order, lines, use):
                yield use

    def _allowed(self, order: Order, lines: Sequence[Line], use: Use) -> bool:
        """Whether the split limits allow this use of the order. They do not look at write-in lines."""
        limits = self.meaning.limits[order.id]
        looked_at = {(order.id, line.id): line for line in lines if not is_write_in(line)}
        here = {pair: units for pair, units in use.items() if pair[0] in looked_at}
        filled = Counter[LineKey]()
        for (key, _), units in here.items():
            filled[key] += units
        whole = all(filled[key] == self._wanted(order, line) for key, line in looked_at.items())
        before = {source for key, source in self.earlier if key in looked_at}
        sources = before | {source for _, source in here}
        return not here or ((limits.partial_orders or whole) and _within(limits.max_sources, sources, before))

    def _wanted(self, order: Order, line: Line) -> int:
        return line.units - sum(units for (key, _), units in self.earlier.items() if key == (order.id, line.id))

    def _uses_of_line(self, order: Order, line: Line) -> list[Use]:
        key, wanted = (order.id, line.id), self._wanted(order, line)
        limits = NO_LIMITS if is_write_in(line) else self.meaning.limits[order.id]
        sources = [source.id for source in self.request.sources if (key, source.id) in self.meaning.pairs]
        used_before = {source for (known, source) in self.earlier if known == key}
        most = [min(wanted, self.left["stock", line.product_id, source]) for source in sources]
        found: list[Use] = []
        for units in product(*(range(most_units + 1) for most_units in most)):
            use = {(key, source): count for source, count in zip(sources, units, strict=True) if count}
            filled = sum(units)
            if filled > wanted or (0 < filled < wanted and not limits.partial_lines):
                continue
            line_sources = used_before | {source for _, source in use}
            if use and not _within(limits.max_sources_per_line, line_sources, used_before):
                continue
            found.append(use)
        return found

    # What it needs and what it costs

    def _stock_needs(self, lines: Sequence[Line], order: Order, use: Use) -> Counter[object]:
        product_of = {(order.id, line.id): line.product_id for line in lines}
        needs = Counter[object]()
        for (key, source), units in use.items():
            needs["stock", product_of[key], source] += units
        return needs

    def _room_needs(self, order: Order, use: Use, before: Use) -> Counter[object]:
        """Places in each room, beyond those that `before` took. Write-in lines take none."""
        write_in = {(order.id, line.id) for line in order.lines if is_write_in(line)}
        use = {pair: units for pair, units in use.items() if pair[0] not in write_in}
        before = {pair: units for pair, units in before.items() if pair[0] not in write_in}
        needs = Counter[object]()
        for number, room in enumerate(self.meaning.rooms):
            needs["room", number] = len(_counted(room, order, use) - _counted(room, order, before))
        return +needs

    def _levels(self, order: Order, lines: Sequence[Line], use: Use, before: Use) -> Levels:
        unfilled = sum(self._wanted(order, line) for line in lines) - sum(use.values())
        steps = self._steps(self.meaning, use)
        paid: dict[str, int] = {}
        for meaning, made in self.history:
            for source, count in self._steps(meaning, {pair: made[pair] for pair in made if pair in before}).items():
                paid[source] = max(count, paid.get(source, 0))
        legs = {(self.meaning.pairs[pair].leg, pair[1]): self.meaning.pairs[pair].km for pair in use}
        place = {(order.id, line.id): line.location for line in lines}
        travelled = {(place[key], source) for key, source in before}
        return (
            CLASS_WEIGHTS[order.priority_class] * unfilled,
            self._cents(order, lines, use, before) if self.meaning.tariff else _shipments(use, before),
            sum(max(0, count - paid.get(source, 0)) for source, count in steps.items()),
            sum(km for leg, km in legs.items() if leg not in travelled),
        )

    def _cents(self, order: Order, lines: Sequence[Line], use: Use, before: Use) -> int:
        """What these assignments cost beyond what those before them paid for."""
        charges = cents_charged(self.meaning, order, lines, use)
        paid = cents_charged(self.meaning, order, lines, before)
        return sum(cents for charge, cents in charges.items() if charge not in paid)

    @staticmethod
    def _steps(meaning: Meaning, use: Use) -> dict[str, int]:
        """Priority steps of each source of one order: the worst of its lines, less one."""
        steps: dict[str, int] = {}
        for key, source in use:
            steps[source] = max(steps.get(source, 0), meaning.pairs[key, source].priority - 1, 0)
        return steps


def cents_charged(meaning: Meaning, order: Order, lines: Sequence[Line], use: Use) -> dict[Charge, int]:
    """Everything that one order pays for when it is served like this."""
    charged: dict[Charge, int] = {}
    for source in meaning.tariff.request.sources if meaning.tariff else ():
        served = [line for line in lines if ((order.id, line.id), source.id) in use]
        charged |= meaning.tariff.charges(order.id, served, source) if meaning.tariff else {}
    return charged


def _within(limit: int | None, sources: Collection[str], before: Collection[str]) -> bool:
    """Whether these are not too many sources: those used before may have been more already, then no new one comes."""
    return limit is None or len(sources) <= max(limit, len(before))


def _shipments(use: Use, before: Use) -> int:
    return len({source for _, source in use} - {source for _, source in before})


def _counted(room: Room, order: Order, use: Use) -> set[tuple[LineKey, str]] | set[tuple[str, str]]:
    """What of this order takes a place in the room: its lines there, or itself once per source."""
    if room.per_line:
        return {pair for pair in use if pair[1] in room.sources}
    return {(order.id, source) for _, source in use if source in room.sources} - room.counted


def _cheapest_combination(
    choices: Sequence[Sequence[_Pattern]], cheapest: Sequence[Amount], left: MutableMapping[object, int]
) -> list[_Pattern]:
    """One pattern per order, together within what is left, and no combination cheaper."""
    best: list[tuple[Amount, list[_Pattern]]] = []
    nothing = (0,) * len(choices[0][0].amount) if choices else (0,)
    rest = [_sum(nothing, *cheapest[position:]) for position in range(len(choices) + 1)]

    def descend(position: int, so_far: Amount, chosen: list[_Pattern]) -> None:
        if best and _sum(so_far, rest[position]) >= best[0][0]:
            return
        if position == len(choices):
            best[:] = [(so_far, list(chosen))]
            return
        for pattern in choices[position]:
            if all(left[thing] >= amount for thing, amount in pattern.needs):
                _take(left, pattern.needs, -1)
                descend(position + 1, _sum(so_far, pattern.amount), [*chosen, pattern])
                _take(left, pattern.needs, 1)

    descend(0, nothing, [])
    return best[0][1]


def _take(left: MutableMapping[object, int], needs: Needs, sign: int) -> None:
    for thing, amount in needs:
        left[thing] += sign * amount


def _sum(*amounts: Amount) -> Amount:
    return tuple(map(sum, zip(*amounts, strict=True)))
