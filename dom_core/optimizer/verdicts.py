"""The code of every pair of a run, block by block in arrays: no Python object for a pair.

The codes say what `explanation.Judge` says of a pair, without evidence. Only what it would weigh against what the order
gets stays open here, as WEIGHED: `expanding` asks the judge when somebody wants to know.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.reason import IntArray, Reason, Verdict
from dom_core.domain.reason_table import CHOSEN, WEIGHED, CodeArray, ReasonTable, code_type
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.candidates import ALLOWED
from dom_core.optimizer.costs import flow_table
from dom_core.optimizer.explanation import LINE_IN_FULL, STOCK_TAKEN, Judge, room_taken_by
from dom_core.optimizer.relaxation import IterationResult, TwoIterations
from dom_core.watch import UNWATCHED, Watch

_BLOCK_PAIRS = 1_000_000


def reason_table(iterations: TwoIterations, watch: Watch = UNWATCHED) -> ReasonTable:
    """The code of every (line, source) of a run."""
    judge = Judge.of_run(iterations, watch)
    results = _lines_of(judge, watch)
    templates = tuple(dict.fromkeys(_templates(result for result, _ in results)))
    rows: list[bytes] = [b""] * judge.batch.shape[0]
    for result, lines in results:
        coder = _Coder.of(judge, result, templates)
        for block in _blocks(lines, judge.batch.shape[1]):
            watch.go_on()
            for line, row in zip(block.tolist(), coder.codes(block), strict=True):
                rows[line] = row.tobytes()
    return ReasonTable(tuple(source.id for source in judge.batch.sources), templates, tuple(rows))


def _lines_of(judge: Judge, watch: Watch) -> list[tuple[IterationResult, IntArray]]:
    """The lines (ascending) that are judged by each result."""
    found: dict[int, tuple[IterationResult, list[int]]] = {}
    for line in watch.each(range(judge.batch.shape[0])):
        result = judge.result_of(line)
        found.setdefault(id(result), (result, []))[1].append(line)
    return [(result, np.array(lines, dtype=np.int64)) for result, lines in found.values()]


def _templates(results: Iterable[IterationResult]) -> Iterator[Reason]:
    yield from (CHOSEN, WEIGHED, STOCK_TAKEN, LINE_IN_FULL)
    for result in results:
        for objection in result.candidates.objections:
            yield Reason(Verdict.EXCLUDED, *objection)
        for capacity in result.candidates.capacities:
            yield room_taken_by(capacity)


def _blocks(lines: IntArray, sources: int) -> Iterator[IntArray]:
    size = max(1, _BLOCK_PAIRS // max(1, sources))
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


@dataclass(frozen=True, slots=True)
class _Coder:
    """The codes of lines that one result judges.

    `left` (P, S) are the units that the plan leaves; `objections` the code of each rejection; `crowded` (S) the code of
    the first limit at each source that is used up, or WEIGHED's.
    """

    judge: Judge
    result: IterationResult
    code: dict[Reason, int]
    left: IntArray
    objections: CodeArray
    crowded: CodeArray
    flows: dict[int, list[int]]
    known: dict[int, list[int]]

    @classmethod
    def of(cls, judge: Judge, result: IterationResult, templates: tuple[Reason, ...]) -> "_Coder":
        """What the codes of all blocks need."""
        width, code = code_type(len(templates)), {reason: number for number, reason in enumerate(templates)}
        crowded = np.full(judge.batch.shape[1], code[WEIGHED], dtype=width)
        for source, limits in judge.crowded[id(result)].items():
            crowded[source] = code[room_taken_by(limits[0][0])]
        objections = [code[Reason(Verdict.EXCLUDED, *objection)] for objection in result.candidates.objections]
        return cls(
            judge,
            result,
            code,
            _left(judge, result),
            np.array(objections, dtype=width),
            crowded,
            _chosen_by_line(judge),
            _known_orders(judge, result),
        )

    def codes(self, lines: IntArray) -> CodeArray:
        """The codes of these lines (n, S): what comes later here comes first for the judge."""
        batch, candidates = self.judge.batch, self.result.candidates
        products = batch.product_of[lines]
        needed = np.array([self.judge.needed_units(self.result, line) for line in lines.tolist()])[:, None]
        found = self._room(lines)
        found[self.left[products] < needed] = self.code[STOCK_TAKEN]
        found[candidates.stock[products] < needed] = self.code[LINE_IN_FULL]
        rejected_by = candidates.rejected_by[lines]
        rejected = rejected_by != ALLOWED
        found[rejected] = self.objections[rejected_by[rejected]]
        for row, line in enumerate(lines.tolist()):
            found[row, self.flows.get(line, [])] = self.code[CHOSEN]
        return found

    def _room(self, lines: IntArray) -> CodeArray:
        """Who finds no room; an order that a source has already is looked at by itself."""
        found = np.tile(self.crowded, (len(lines), 1))
        for row, line in enumerate(lines.tolist()):
            if self.judge.write_in[line]:
                found[row] = self.code[WEIGHED]
            for source in self.known.get(int(self.judge.batch.order_of[line]), ()):
                reason = self.judge.room_taken(self.result, line, source)
                found[row, source] = self.code[replace(reason, limit="", actual="") if reason else WEIGHED]
        return found


def _left(judge: Judge, result: IterationResult) -> IntArray:
    """Units of each cell (P, S) that the whole plan leaves."""
    stock = result.candidates.stock
    left = stock.copy()
    line, source, units = flow_table(judge.flows)
    np.subtract.at(left, (judge.batch.product_of[line], source), units)
    left[stock >= UNLIMITED_UNITS] = UNLIMITED_UNITS
    return left


def _chosen_by_line(judge: Judge) -> dict[int, list[int]]:
    chosen: dict[int, list[int]] = defaultdict(list)
    for line, source in judge.held:
        chosen[line].append(source)
    return chosen


def _known_orders(judge: Judge, result: IterationResult) -> dict[int, list[int]]:
    """The crowded sources, by order, that have the order already: in this plan or by an earlier one."""
    crowded = judge.crowded[id(result)]
    known: dict[int, list[int]] = defaultdict(list)
    for line, source, _ in judge.flows:
        if source in crowded:
            known[int(judge.batch.order_of[line])].append(source)
    for limits in {id(limits): limits for limits in crowded.values()}.values():
        for capacity, _ in limits:
            for order, source in capacity.counted:
                known[order].append(source)
    return known
