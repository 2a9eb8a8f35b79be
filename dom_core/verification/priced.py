"""The prices of one part: what lines and visits pay, and what everything there is would be worth."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.ids import OrderId, RuleId
from dom_core.domain.plan import PlanLine
from dom_core.domain.prices import CellPrice, PriceTable, RoomPrice
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.verification.order import OrderCase
from dom_core.verification.scene import Scene


@dataclass(frozen=True, slots=True)
class Room:
    """What a maximum-orders rule leaves at some sources; visits that are counted already are free."""

    rule_id: RuleId
    sources: frozenset[int]
    remaining: int
    per_line: bool
    counted: frozenset[tuple[OrderId, int]]


def rooms_of(scene: Scene, number: int) -> dict[tuple[RuleId, int], Room]:
    """The room of an iteration by rule and place; in the second that which the first leaves."""
    order_ids, seen = scene.order_ids(), Counter[RuleId]()
    rooms: dict[tuple[RuleId, int], Room] = {}
    for limit in scene.rooms(number):
        counted = frozenset((order_ids[order], source) for order, source in limit.counted)
        room = Room(limit.rule_id, frozenset(limit.sources), limit.remaining, limit.per_line, counted)
        if number == 2:
            room = _after(scene, room)
        rooms[limit.rule_id, seen[limit.rule_id]] = room
        seen[limit.rule_id] += 1
    return rooms


def _after(scene: Scene, room: Room) -> Room:
    pairs = set(_counted_pairs(scene, scene.subject.plan.lines, room))
    if room.per_line:
        return Room(room.rule_id, room.sources, max(0, room.remaining - len(pairs)), True, room.counted)
    visits = {(order_id, source) for order_id, _, source in pairs} - room.counted
    return Room(room.rule_id, room.sources, max(0, room.remaining - len(visits)), False, room.counted | visits)


def _counted_pairs(scene: Scene, lines: Sequence[PlanLine], room: Room) -> Iterator[tuple[OrderId, str, int]]:
    """What iteration 1 brought there: order, line, source. Write-in lines do not count (C8)."""
    for line in lines:
        for assignment in line.assignments:
            source = scene.source_at[assignment.source_id]
            if assignment.iteration == 1 and source in room.sources and not scene.is_write_in(line):
                yield line.order_id, line.line_id, source


class PricedPart:
    """The prices of one part, ready to be asked."""

    def __init__(
        self, table: PriceTable, rooms: Mapping[tuple[RuleId, int], Room], source_at: Mapping[str, int]
    ) -> None:
        self.table, self._rooms, self._source_at = table, rooms, source_at
        self._by_product: defaultdict[str, list[CellPrice]] = defaultdict(list)
        for cell in table.cells:
            if cell.source_id in source_at:
                self._by_product[cell.product_id].append(cell)
        self._saved = {(saving.order_id, saving.line_id): saving.points for saving in table.savings}
        self._saving = set[tuple[str, str]]()
        self._priced = [(rooms[key], price.points) for price in table.rooms if (key := _key(price)) in rooms]

    def strangers(self, product_ids: Collection[str]) -> Iterator[str]:
        """Prices and savings that no bound may have: below zero, twice, or of what is not there; after all orders."""
        seen: set[tuple[object, ...]] = set()
        for cell in self.table.cells:
            name, key = f"{cell.product_id} at {cell.source_id}", (cell.product_id, cell.source_id, cell.divisor)
            if cell.product_id not in product_ids or cell.source_id not in self._source_at or cell.divisor < 1:
                yield f"{name} (divisor {cell.divisor}) has a price, and no line of the part could take it"
            yield from _wrong(name, "price", cell.points, key in seen)
            seen.add(key)
        for room in self.table.rooms:
            name = f"limit {room.place} of rule {room.rule_id}"
            if _key(room) not in self._rooms:
                yield f"{name} has a price and is not there"
            yield from _wrong(name, "price", room.points, _key(room) in seen)
            seen.add(_key(room))
        for saving in self.table.savings:
            name, line = f"line {saving.line_id} of order {saving.order_id}", (saving.order_id, saving.line_id)
            if line not in self._saving:
                yield f"{name} has a saving, and is no line of a long order of the part"
            yield from _wrong(name, "saving", saving.points, line in seen)
            seen.add(line)

    def savings(self, case: OrderCase) -> FloatArray | None:
        """What each line of a long order (n) is taken to save; None where nobody says anything of it."""
        lines = [(case.id, line_id) for line_id in case.line_ids]
        self._saving.update(lines)
        if not any(line in self._saved for line in lines):
            return None
        return np.array([self._saved.get(line, 0.0) for line in lines])

    def worth_of_everything(self, stock: Mapping[str, IntArray]) -> float:
        """Σ prices · what there is."""
        cells = (
            cell.points * (int(stock[product_id][self._source_at[cell.source_id]]) // max(1, cell.divisor))
            for product_id, found in self._by_product.items()
            if product_id in stock
            for cell in found
        )
        return sum(cells) + sum(points * room.remaining for room, points in self._priced)

    def line_points(self, case: OrderCase) -> FloatArray:
        """What each line pays for the cell it would draw on, and where lines are counted, for its place (n, S)."""
        points = np.zeros(case.allowed.shape)
        whole = case.whole
        for row, product_id in enumerate(case.product_ids):
            units = int(case.units[row])
            for cell in self._by_product.get(product_id, ()):
                taken = units if cell.divisor == 1 else units // max(1, cell.divisor) if whole[row] else 0
                points[row, self._source_at[cell.source_id]] += cell.points * taken
        for room, price in self._priced:
            if room.per_line:
                points[np.ix_(np.flatnonzero(~case.write_in), np.array(sorted(room.sources)))] += price
                for row, source in case.before.counted_parts:
                    if row in case.rows and source in room.sources:
                        points[case.rows.index(row), source] -= price
        return points

    def unit_points(self, case: OrderCase) -> FloatArray:
        """What a single unit of each line pays for the cell it would draw on (n, S)."""
        points = np.zeros(case.allowed.shape)
        for row, product_id in enumerate(case.product_ids):
            for cell in self._by_product.get(product_id, ()):
                if cell.divisor == 1:
                    points[row, self._source_at[cell.source_id]] += cell.points
        return points

    def visit_points(self, case: OrderCase) -> FloatArray:
        """What a visit of each source pays for its place (S)."""
        points = np.zeros(case.allowed.shape[1])
        for room, price in self._priced:
            if not room.per_line:
                points[[source for source in room.sources if (case.id, source) not in room.counted]] += price
        return points


def _key(room: RoomPrice) -> tuple[RuleId, int]:
    return (room.rule_id, room.place)


def _wrong(name: str, what: str, points: float, twice: bool) -> Iterator[str]:
    if not points > 0:
        yield f"{name} has a {what} of {points}: {what}s are above zero"
    if twice:
        yield f"{name} has two {what}s"
