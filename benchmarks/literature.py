"""Instances of the literature, whose best values are known, as special cases of the optimizer's problem.

Four families of J. E. Beasley's OR-Library ("OR-Library: distributing test problems by electronic mail", JORS 41,
1990), read from a folder that is given, in the library's own formats:

| Folder | Problem | As orders and sources |
|---|---|---|
| `assign` | assignment | one-line orders, one unit in stock at each source |
| `pmed` | p-median | one order of which every line goes elsewhere, unlimited stock, p sources at most |
| `uncap` | uncapacitated warehouse location | the same without a limit, a fixed charge for each source used |
| `sscflp` | the same, with capacities and one source a customer | one whole order of one product, lines not split |

What a line costs from a source, and what using a source costs, are given as charges of a cost factor: these instances
have no places. Amounts are counted in hundredths.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dom_core.domain.network import Address, Location, Product, Source, SourceList, SourceType
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Ending, Level
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import RuleRecord, SolverLimits, Strategy
from dom_core.optimizer import pipeline, relaxation
from dom_core.optimizer.costs import FactorCharges, PairCosts
from dom_core.optimizer.problem import total_of
from dom_core.optimizer.relaxation import Prepared
from dom_core.optimizer.solving import Solver

HUNDREDTHS = 100
_NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
_SOMEWHERE = Location(0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """An instance as it is published: `costs` (L, S) of serving a line, `fixed` (S) of using a source, `units` (L).

    `stock` (S) is None where it is unlimited. `whole`: all lines belong to one order, which is served in full or not at
    all; `one_order`: they belong to one order, of which some may wait.
    """

    name: str
    optimum: float
    costs: FloatArray
    fixed: FloatArray
    units: IntArray
    stock: IntArray | None = None
    one_order: bool = True
    whole: bool = False
    max_sources: int | None = None


@dataclass(frozen=True, slots=True)
class Solved:
    """What was found: `value` and `bound` in the instance's own amounts, `complete` when every line is served."""

    value: float
    bound: float
    ending: Ending
    complete: bool


# Reading.


def tables(folder: Path) -> Iterator[str]:
    """Names of the instances in a folder, as `read` takes them: those of each family, small ones first."""
    for family, pattern in _FILES.items():
        paths = [path for path in (folder / family).glob(pattern) if path.name not in _ANSWERS]
        yield from (f"{family}/{path.stem}" for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)))


def read(folder: Path, name: str) -> Table:
    """An instance by its name. Raises OSError, ValueError."""
    family, _, stem = name.partition("/")
    return _READERS[family](folder / family / f"{stem}.txt")


def _numbers(path: Path) -> list[float]:
    """All numbers of a file; the word that stands for a capacity to be chosen counts as none."""
    return [0.0 if word == "capacity" else float(word) for word in path.read_text(encoding="ascii").split()]


def _assign(path: Path) -> Table:
    numbers = _numbers(path)
    size = round(len(numbers) ** 0.5)
    costs = np.array(numbers).reshape(size, size)
    ones = np.ones(size, dtype=np.int64)
    return Table(path.stem, _ASSIGN_OPTIMA[path.stem], costs, np.zeros(size), ones, stock=ones, one_order=False)


def _pmed(path: Path) -> Table:
    (nodes, _, medians), rest = (round(number) for number in _numbers(path)[:3]), _numbers(path)[3:]
    distances = np.full((nodes, nodes), np.inf)
    np.fill_diagonal(distances, 0.0)
    for one, other, length in np.array(rest).reshape(-1, 3).tolist():
        # An edge that is given twice has the length that comes last.
        distances[int(one) - 1, int(other) - 1] = distances[int(other) - 1, int(one) - 1] = length
    for middle in range(nodes):
        distances = np.minimum(distances, distances[:, [middle]] + distances[[middle], :])
    ones = np.ones(nodes, dtype=np.int64)
    return Table(path.stem, _PMED_OPTIMA[path.stem], distances, np.zeros(nodes), ones, max_sources=medians)


def _uncap(path: Path) -> Table:
    numbers = _numbers(path)
    sources, lines = round(numbers[0]), round(numbers[1])
    fixed = np.array(numbers[2 : 2 + 2 * sources]).reshape(sources, 2)[:, 1]
    rows = np.array(numbers[2 + 2 * sources :]).reshape(lines, 1 + sources)
    optima = (path.parent / "uncapopt.txt").read_text(encoding="ascii").split()
    optimum = float(optima[optima.index(path.stem) + 1])
    return Table(path.stem, optimum, rows[:, 1:], fixed, np.ones(lines, dtype=np.int64))


def _sscflp(path: Path) -> Table:
    numbers = _numbers(path)
    sources, lines = round(numbers[0]), round(numbers[1])
    capacities, fixed, units, costs = np.split(np.array(numbers[2:]), np.cumsum([sources, sources, lines]))
    optima = _numbers(path.parent / "optima.txt")
    optimum = optima[int(path.stem.rpartition("_p")[2]) - 1]
    return Table(
        path.stem,
        optimum,
        costs.reshape(lines, sources),
        fixed,
        np.rint(units).astype(np.int64),
        stock=np.rint(capacities).astype(np.int64),
        whole=True,
    )


_FILES = {"assign": "assign*.txt", "pmed": "pmed*.txt", "uncap": "cap*.txt", "sscflp": "sscflp*.txt"}
_ANSWERS = ("uncapopt.txt", "optima.txt")
_READERS: Mapping[str, Callable[[Path], Table]] = {
    "assign": _assign,
    "pmed": _pmed,
    "uncap": _uncap,
    "sscflp": _sscflp,
}
_ASSIGN_OPTIMA: Mapping[str, float] = {"assign100": 305.0}
_PMED_OPTIMA: Mapping[str, float] = {"pmed1": 5819.0, "pmed6": 7824.0, "pmed11": 7696.0}
"""As published: these two families have no file of optima."""


# As our problem.


def solve(table: Table, solver: Solver, limit_s: float) -> Solved:
    """The engine's answer to an instance."""
    result = relaxation.solve_both(prepared(table, limit_s), solver, _silent).first
    value = total_of(result.report.levels) / HUNDREDTHS
    complete = result.report.filled_lines == result.report.lines
    return Solved(value, result.report.bound / HUNDREDTHS, result.report.ending, complete)


def prepared(table: Table, limit_s: float) -> Prepared:
    """The instance as the engine takes it: charges come from the table, not from places."""
    batch, _ = pipeline.open_lines(_request(table, limit_s))
    found = relaxation.prepare(batch)
    each_line = _hundredths(table.costs)
    each_source = np.broadcast_to(_hundredths(table.fixed), each_line.shape)
    charges = FactorCharges("table", np.zeros_like(each_line), each_source, each_line)
    costs = PairCosts(batch, (charges,), np.arange(len(batch.lines)))
    rates = {Level.UNFILLED_UNITS: _unfilled_rate(table), Level.COST_CENTS: 1}
    rates |= {Level.PRIORITY_STEPS: 0, Level.DISTANCE_KM: 0}
    return replace(found, problem=replace(found.problem, costs=costs, rates=rates))


def _hundredths(amounts: FloatArray) -> IntArray:
    return np.rint(amounts * HUNDREDTHS).astype(np.int64)


def _unfilled_rate(table: Table) -> int:
    """More than serving can ever cost: a single line where some may wait, else the whole order."""
    if table.whole:
        dearest = _hundredths(table.costs).max(axis=1).sum() + _hundredths(table.fixed).sum()
        return int(dearest) // int(table.units.sum()) + 1
    return int(_hundredths(table.costs).max() + _hundredths(table.fixed).max()) + 1


def _request(table: Table, limit_s: float) -> PlanRequest:
    """Lines, sources and stock; ids are numbers of equal length, so that positions stay as they are in the table."""
    lines = [
        Line(f"{number:05}", "item", units, Address(), _SOMEWHERE, "standard")
        for number, units in enumerate(table.units.tolist())
    ]
    sources = tuple(
        Source(f"{number:05}", SourceType.WAREHOUSE, location=_SOMEWHERE, use_real_inventory=table.stock is not None)
        for number in range(table.costs.shape[1])
    )
    held = [] if table.stock is None else table.stock.tolist()
    return PlanRequest(
        plan_id="plan",
        run_id="run",
        now=_NOW,
        strategy=Strategy("literature", "all", rule_ids=("split",), limits=SolverLimits(solve_limit_s=limit_s)),
        sources=sources,
        source_lists=(SourceList("all", tuple(source.id for source in sources)),),
        products={"item": Product("item")},
        rules=(RuleRecord("split", "partial_orders", _split(table)),),
        orders=_orders(lines, one_order=table.one_order),
        available={("item", sources[number].id): units for number, units in enumerate(held)},
        loads={},
    )


def _split(table: Table) -> dict[str, Any]:
    return {
        "max_sources": table.max_sources,
        "partial_orders": not table.whole,
        "partial_lines": False,
        "max_sources_per_line": 1,
    }


def _orders(lines: Sequence[Line], *, one_order: bool) -> tuple[Order, ...]:
    if one_order:
        return (Order("00000", 1, _NOW, tuple(lines)),)
    return tuple(Order(line.id, 1, _NOW, (line,)) for line in lines)


def _silent(_share: float) -> None:
    """Nobody waits for a bar here."""
