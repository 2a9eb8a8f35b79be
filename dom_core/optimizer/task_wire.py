"""Tasks and answers as bytes, for whoever performs them elsewhere.

A task is a zip of NumPy arrays with a header in JSON: positions and whole numbers, no ids, no names, no addresses. What
comes out at the other end is the same task: performed there it has the same answer, byte for byte.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from dom_core.domain.batch import Batch, PlaceTable
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Address, Product, Source, SourceType
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Level
from dom_core.domain.prices import PriceTable, Saving
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import SolverLimits, Strategy
from dom_core.errors import InvalidInput
from dom_core.errors import Problem as Fault
from dom_core.optimizer.costs import FactorCharges, Journey, PairCosts
from dom_core.optimizer.prices import DIVISORS, Prices
from dom_core.optimizer.problem import Problem, Used
from dom_core.optimizer.promising import Known
from dom_core.optimizer.solving import Answer
from dom_core.optimizer.tasks import PriceTask, Task, Work
from dom_core.rules.base import CapacityLimit, SplitLimits

FORMAT: Final = 2
"""Raised with every change of the form: who does not know a form leaves the task to others."""

LARGEST_TASK_BYTES = 1_000_000_000
"""How much a task may be, unpacked. More is refused before it is unpacked."""

_Pairs = tuple[tuple[int, int], ...]
_Arrays = Mapping[str, Any]

_HEADER = "header"

_ZIP = b"PK"

_PRICE_TASK = b"prices\n"
"""How a task that asks for prices begins; then the length of its problem, the problem, and what is asked."""

_PRICES = {"products": "i", "sources": "i", "divisors": "f", "points": "f", "capacity": "f"}
"""The arrays of prices and the kind of their numbers."""

UNREADABLE = (ValueError, KeyError, EOFError, OSError, RuntimeError, BadZipFile, zlib.error)
"""What reading bytes raises that are no zip of arrays, or another one."""


@dataclass(frozen=True, slots=True)
class _Room:
    """A capacity, without who has taken of it. `rule` is the number of the first capacity that its rule made."""

    rule: int
    sources: tuple[int, ...]
    remaining: int
    per_line: bool
    counted: _Pairs

    @classmethod
    def of(cls, capacity: CapacityLimit, rule: int) -> "_Room":
        return cls(rule, capacity.sources, capacity.remaining, capacity.per_line, tuple(sorted(capacity.counted)))

    def limit(self) -> CapacityLimit:
        counted = frozenset(self.counted)
        return CapacityLimit(self.sources, self.remaining, self.per_line, counted, rule_id=_position_id(self.rule))


@dataclass(frozen=True, slots=True)
class _Use:
    """What an earlier iteration uses: `Used` in lists."""

    paid_steps: tuple[tuple[int, int, int], ...]
    legs: tuple[Journey, ...]
    cost_legs: tuple[Journey, ...]
    line_sources: _Pairs
    limited_shipments: _Pairs
    limited_line_sources: _Pairs

    @classmethod
    def of(cls, used: Used) -> "_Use":
        return cls(
            tuple((order, source, steps) for (order, source), steps in used.paid_steps.items()),
            tuple(sorted(used.legs)),
            tuple(sorted(used.cost_legs)),
            tuple(sorted(used.line_sources)),
            tuple(sorted(used.limited_shipments)),
            tuple(sorted(used.limited_line_sources)),
        )

    def used(self) -> Used:
        return Used(
            {(order, source): steps for order, source, steps in self.paid_steps},
            frozenset(self.legs),
            frozenset(self.cost_legs),
            frozenset(self.line_sources),
            frozenset(self.limited_shipments),
            frozenset(self.limited_line_sources),
        )


@dataclass(frozen=True, slots=True)
class _Header:
    """All of a task that is no array. `work` is none in a problem of which prices are asked."""

    format: int
    work: Work | None
    limits: SolverLimits
    split_limits: tuple[SplitLimits, ...]
    capacities: tuple[_Room, ...]
    rates: tuple[tuple[Level, int], ...]
    largest_km: int
    used: _Use
    forced: _Pairs


_header: TypeAdapter[_Header] = TypeAdapter(_Header)
_answer: TypeAdapter[Answer] = TypeAdapter(Answer)


def bytes_of(task: Task) -> bytes:
    """The task in the form that `task_of` reads. Nobody watches it at the other end.

    Raises ValueError for a neighbourhood that has a lead: without it the answer would be another.
    """
    if task.lead is not None:
        raise ValueError("a neighbourhood with a lead is not sent away")
    return _packed(task.problem, task.work, task.limits)


def problem_bytes(problem: Problem) -> bytes:
    """A problem in the form that `price_bytes` takes."""
    return _packed(problem, None, SolverLimits())


def price_bytes(problem: bytes, ends: Sequence[int], prices: Prices, known: Known) -> bytes:
    """The task to price a problem, in the form that `task_of` reads. `problem` may also say where it is."""
    kinds = np.array(list(known), dtype=np.int64).reshape(-1, 3)
    asked = {name: getattr(prices, name) for name in _PRICES}
    asked |= {"kinds": kinds, "ends": np.array(ends, dtype=np.int64)}
    asked |= {f"known_{number}": sources.astype(np.int32) for number, sources in enumerate(known.values())}
    return _PRICE_TASK + len(problem).to_bytes(8) + problem + zipped(asked)


def zipped(arrays: _Arrays) -> bytes:
    """A zip as NumPy makes them, in a third of the time: kilometres hardly get smaller, however long one tries."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return packed.getvalue()


def _packed(problem: Problem, work: Work | None, limits: SolverLimits) -> bytes:
    rules: dict[str, int] = {}
    header = _Header(
        FORMAT,
        work,
        _plain(limits),
        problem.split_limits,
        tuple(_Room.of(each, rules.setdefault(each.rule_id, n)) for n, each in enumerate(problem.capacities)),
        tuple(problem.rates.items()),
        problem.largest_km,
        _Use.of(problem.used),
        problem.forced,
    )
    return zipped(_arrays(problem) | {_HEADER: np.frombuffer(_header.dump_json(header), np.uint8)})


def task_of(raw: bytes, fetch: Callable[[bytes], bytes] = bytes) -> Task | PriceTask:
    """The task that these bytes are. Raises InvalidInput for anything else, also for a form of another version.

    `fetch` gets what stands for a problem to be priced, and gives the problem.
    """
    if raw.startswith(_PRICE_TASK):
        return _price_task(raw[len(_PRICE_TASK) :], fetch)
    work, problem, limits = _read(raw)
    if work is None:
        raise _invalid("does not say what is to be done")
    return Task(work, problem, limits)


def _price_task(raw: bytes, fetch: Callable[[bytes], bytes]) -> PriceTask:
    begin, end = 8, 8 + int.from_bytes(raw[:8])
    _, problem, limits = _read(fetch(raw[begin:end]))
    try:
        arrays = unzipped(raw[end:])
        ends, (prices, known) = _ends(arrays["ends"]), _asked(arrays)
    except UNREADABLE as error:
        raise _invalid("cannot be read") from error
    _require_known_positions(problem, prices, known)
    if not ends or ends[-1] != len(np.unique(problem.batch.order_of[problem.wanted > 0])):
        raise _invalid("has blocks of other orders")
    return PriceTask(problem, ends, prices, known, limits)


def _ends(array: "npt.NDArray[Any]") -> tuple[int, ...]:
    """The ends of blocks, ascending. Raises ValueError."""
    if array.dtype.kind != "i" or array.ndim != 1 or (np.diff(array, prepend=0) <= 0).any():
        raise ValueError("ends")
    return tuple(array.tolist())


def _asked(arrays: _Arrays) -> tuple[Prices, Known]:
    """Raises KeyError for arrays that are missing, ValueError for those of a wrong kind."""
    for name, kind in _PRICES.items():
        if arrays[name].dtype.kind != kind or arrays[name].ndim != 1:
            raise ValueError(name)
    known = {}
    for number, (lines, sources, may_wait) in enumerate(arrays["kinds"].tolist()):
        table = arrays[f"known_{number}"]
        if table.dtype.kind != "i" or table.ndim != 2:
            raise ValueError("known")
        known[int(lines), int(sources), bool(may_wait)] = table.astype(np.int64)
    return Prices(*(arrays[name] for name in _PRICES)), known


def _require_known_positions(problem: Problem, prices: Prices, known: Known) -> None:
    """Raises InvalidInput for prices or sources that the problem does not have."""
    products, sources = problem.stock.shape
    ranges = [(prices.products, 0, products), (prices.sources, 0, sources)]
    ranges += [(table, -1, sources) for table in known.values()]
    cells = {len(getattr(prices, name)) for name in _PRICES if name != "capacity"}
    beyond = any(each.size and not low <= each.min() <= each.max() < high for each, low, high in ranges)
    beyond = beyond or not np.isin(prices.divisors, DIVISORS).all()
    if beyond or len(cells) > 1 or len(prices.capacity) != len(problem.capacities):
        raise _invalid("has wrong prices, or wrong sources")


def _read(raw: bytes) -> tuple[Work | None, Problem, SolverLimits]:
    try:
        arrays = unzipped(raw)
        header = _header.validate_json(arrays[_HEADER].tobytes())
    except UNREADABLE as error:
        raise _invalid("cannot be read") from error
    if header.format != FORMAT:
        raise _invalid(f"has form {header.format}; this version knows {FORMAT}")
    _require_sound(arrays, header)
    return header.work, _problem(header, arrays), header.limits


def answer_bytes(answer: Answer) -> bytes:
    """The answer in the form that `answer_of` reads."""
    return zlib.compress(json.dumps(_answer.dump_python(answer, mode="json")).encode())


def answer_of(raw: bytes, task: Task) -> Answer:
    """The answer to this task that these bytes are; its prices in the task's own words again. Raises InvalidInput."""
    try:
        answer = _answer.validate_json(zlib.decompress(raw))
        return replace(answer, prices=_named(answer.prices, task.problem))
    except (ValidationError, zlib.error, LookupError, ValueError) as error:
        raise InvalidInput([Fault("", "cannot be read")], "answer to a plan task") from error


def _named(prices: PriceTable, problem: Problem) -> PriceTable:
    """Prices in which positions stand for ids, with the ids."""
    batch, rooms = problem.batch, problem.capacities
    products, sources = batch.products, batch.sources
    return PriceTable(
        tuple(
            replace(cell, product_id=products[int(cell.product_id)].id, source_id=sources[int(cell.source_id)].id)
            for cell in prices.cells
        ),
        tuple(replace(room, rule_id=rooms[int(room.rule_id)].rule_id) for room in prices.rooms),
        tuple(
            Saving(batch.orders[int(batch.order_of[line])].id, batch.lines[line].id, saving.points)
            for saving in prices.savings
            for line in (int(saving.line_id),)
        ),
    )


def _plain(limits: SolverLimits) -> SolverLimits:
    """The limits without their watch."""
    return SolverLimits(limits.solve_limit_s, limits.relative_gap, limits.max_nodes, limits.memory_limit_mb)


def _arrays(problem: Problem) -> dict[str, Any]:
    batch = problem.batch
    arrays = _km_arrays(problem.km) | {
        "order_of": batch.order_of,
        "product_of": batch.product_of,
        "destination_of": batch.destination_of,
        "write_in": np.array([batch.is_write_in(line) for line in range(batch.shape[0])], dtype=bool),
        "wanted": problem.wanted,
        "allowed": problem.allowed,
        "steps": _small(problem.steps),
        "stock": problem.stock,
        "weights": problem.weights,
    }
    if problem.costs is None:
        return arrays
    costs = problem.costs
    return arrays | {
        "travel_group_of": costs.travel_group_of,
        "leg_cents": costs.leg_cents,
        "shipment_cents": costs.shipment_cents,
        "part_cents": costs.part_cents,
    }


def _km_arrays(km: IntArray | PlaceTable) -> dict[str, Any]:
    """Kilometres, by place where they are kept so."""
    if isinstance(km, PlaceTable):
        return {"place_of": km.row_of, "km": _small(km.rows)}
    return {"km": _small(km)}


def _small(numbers: "npt.NDArray[Any]") -> Any:
    """The same numbers, zero or more, in as few bytes as they need: that halves the time to pack them."""
    most = int(numbers.max(initial=0))
    return numbers.astype(np.int8 if most < 128 else np.int16 if most < 32768 else np.int32)


def unzipped(raw: bytes) -> dict[str, Any]:
    """The arrays of a zip. Raises InvalidInput for what is none, or too large; UNREADABLE where it is damaged."""
    if not raw.startswith(_ZIP):
        raise _invalid("is no zip of arrays")
    with np.load(BytesIO(raw), allow_pickle=False) as archive:
        if sum(member.file_size for member in archive.zip.infolist()) > LARGEST_TASK_BYTES:
            raise _invalid(f"has more than {LARGEST_TASK_BYTES:,} bytes")
        return {name: archive[name] for name in archive.files}


def _require_sound(arrays: _Arrays, header: _Header) -> None:
    """Raises InvalidInput for arrays that are missing, or do not fit together."""
    missing = _SHAPES.keys() - arrays.keys()
    if missing:
        raise _invalid(f"lacks {', '.join(sorted(missing))}")
    sizes = {"O": len(header.split_limits)}
    shapes = _SHAPES | (_COST_SHAPES if "leg_cents" in arrays else {})
    shapes |= {"place_of": "L", "km": "DS"} if "place_of" in arrays else {}
    for name, dimensions in shapes.items():
        array = arrays.get(name)
        kind = "b" if name in ("write_in", "allowed") else "i"
        if array is None or array.dtype.kind != kind or array.ndim != len(dimensions):
            raise _invalid(f"has a wrong '{name}'")
        for dimension, size in zip(dimensions, array.shape, strict=True):
            if sizes.setdefault(dimension, size) != size:
                raise _invalid(f"has a '{name}' of a wrong size")
    for name, dimension in (("order_of", "O"), ("product_of", "P"), ("place_of", "D")):
        if len(arrays.get(name, ())) and not 0 <= arrays[name].min() <= arrays[name].max() < sizes[dimension]:
            raise _invalid(f"has a wrong '{name}'")


_SHAPES = {
    "allowed": "LS",
    "order_of": "L",
    "product_of": "L",
    "destination_of": "L",
    "write_in": "L",
    "wanted": "L",
    "km": "LS",
    "steps": "LS",
    "stock": "PS",
    "weights": "O",
}
"""Lines, sources, products and orders: the arrays of every task."""

_COST_SHAPES = {"travel_group_of": "L", "leg_cents": "LS", "shipment_cents": "LS", "part_cents": "LS"}
"""Those of a task with cost factors, which are one sum here."""


def _problem(header: _Header, arrays: _Arrays) -> Problem:
    batch = _stand_in(arrays)
    return Problem(
        batch=batch,
        wanted=arrays["wanted"],
        allowed=arrays["allowed"],
        km=PlaceTable(arrays["place_of"], arrays["km"].astype(np.int32))
        if "place_of" in arrays
        else arrays["km"].astype(np.int64),
        steps=arrays["steps"].astype(np.int32),
        stock=arrays["stock"],
        weights=arrays["weights"],
        split_limits=header.split_limits,
        capacities=tuple(room.limit() for room in header.capacities),
        rates=dict(header.rates),
        largest_km=header.largest_km,
        costs=_costs(batch, arrays) if "leg_cents" in arrays else None,
        used=header.used.used(),
        forced=header.forced,
    )


def _costs(batch: Batch, arrays: _Arrays) -> PairCosts:
    charges = FactorCharges("", arrays["leg_cents"], arrays["shipment_cents"], arrays["part_cents"])
    return PairCosts(batch, (charges,), arrays["travel_group_of"])


# Solving looks at positions alone. Where a batch has orders and lines, these stand for all of them; its sources,
# products and lines are called by their positions, because an answer that tells prices names them.

_ORDER = Order("-", 0, datetime(1970, 1, 1, tzinfo=UTC), ())
_LINE = Line("-", "-", 1, Address(), None, "-")
_WRITE_IN = Line("-", WRITE_IN_PRODUCT_ID, 1, Address(), None, "-")


def _position_id(position: int) -> str:
    """A position as an id. Sorted as texts these are in the order of their positions, as all ids of a batch are."""
    return f"{position:09d}"


def _stand_in(arrays: _Arrays) -> Batch:
    """A batch of these positions in which nothing else is known."""
    products, sources = arrays["stock"].shape
    request = PlanRequest("-", "-", _ORDER.ordered_at, Strategy("-", "-"), (), (), {}, (), (), {}, {})
    nowhere: IntArray = np.empty(0, dtype=np.int64)
    return Batch(
        request=request,
        orders=(_ORDER,) * len(arrays["weights"]),
        lines=tuple(
            replace(_WRITE_IN if write_in else _LINE, id=_position_id(line))
            for line, write_in in enumerate(arrays["write_in"].tolist())
        ),
        sources=tuple(Source(_position_id(each), SourceType.WAREHOUSE) for each in range(sources)),
        products=tuple(Product(_position_id(each)) for each in range(products)),
        order_of=arrays["order_of"],
        product_of=arrays["product_of"],
        destination_of=arrays["destination_of"],
        units=arrays["wanted"],
        metres=PlaceTable(nowhere, np.empty((0, sources), dtype=np.int32)),
        available=arrays["stock"],
    )


def _invalid(fault: str) -> InvalidInput:
    return InvalidInput([Fault("", fault)], "plan task")
