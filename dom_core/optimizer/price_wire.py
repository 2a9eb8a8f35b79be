"""What a pass over all pairs finds for some blocks of orders, as bytes.

A zip of NumPy arrays. Whoever asked knows the lines, the orders and the groups of each block, so they are not sent; of
promising sources only those that are kept, one after the other, no padding.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from dom_core.errors import InvalidInput
from dom_core.errors import Problem as Fault
from dom_core.optimizer import task_wire
from dom_core.optimizer.pattern_costs import CostRange, Groups
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.promising import Kept

_KINDS = {
    "chosen": "i",
    "worth": "f",
    "capacity_use": "f",
    "counts": "i",
    "sources": "iu",
    "together": "f",
    "shares": "f",
    "alone": "f",
    "helped": "b",
    "helpers": "f",
    "short": "b",
    "unit_gains": "f",
    "limited": "b",
}
"""Every array and the kind of its numbers. `helped` (groups of a kind in a block): whether it has helpers."""


def answer_bytes(blocks: Sequence[PricedBlock[Kept]]) -> bytes:
    """The blocks in the form that `blocks_of` reads."""
    every = [kept for block in blocks for kept in block.seen]
    helped = [kept for kept in every if kept.groups.helpers is not None]
    arrays = {
        "chosen": _joined([block.chosen for block in blocks], np.int64),
        "worth": _joined([block.worth for block in blocks]),
        "capacity_use": _joined([block.capacity_use for block in blocks]),
        "counts": _joined([kept.offered.sum(axis=1) for kept in every], np.int64),
        "sources": _small(_joined([kept.groups.sources[kept.offered] for kept in every], np.int64)),
        "together": _joined([kept.groups.together[kept.offered] for kept in every]),
        "shares": _joined([kept.groups.shares[kept.offered] for kept in every]),
        "alone": _joined([kept.groups.alone[_by_line(kept)] for kept in every]),
        "helped": np.array([kept.groups.helpers is not None for kept in every], dtype=bool),
        "helpers": _joined([_of(kept.groups.helpers)[kept.offered] for kept in helped]),
        "short": _joined([_of(kept.groups.short)[_by_line(kept)] for kept in helped], bool),
        "unit_gains": _joined([kept.groups.unit_gains for kept in every]),
        "limited": _joined([kept.groups.limited for kept in every], bool),
    }
    return task_wire.zipped(arrays)


def blocks_of(raw: bytes, pricer: Pricer, ranges: Sequence[tuple[int, int]]) -> list[PricedBlock[Kept]]:
    """What was found for these blocks of the pricer's orders. Raises InvalidInput for bytes that cannot be that."""
    arrays = _Arrays(_unpacked(raw))
    blocks = [_block(arrays, pricer, CostRange(pricer.costs, *ends)) for ends in ranges]
    arrays.require_all_read()
    return blocks


def _block(arrays: "_Arrays", pricer: Pricer, block: CostRange) -> PricedBlock[Kept]:
    sources = pricer.problem.batch.shape[1]
    chosen = arrays.within("chosen", len(block.lines), -1, sources)
    worth = arrays.next("worth", len(block.orders))
    capacity_use = arrays.next("capacity_use", pricer.rooms.count)
    seen = [_kept(arrays, kind, block.lines[rows], sources) for kind, rows in block.rows_by_kind()]
    return PricedBlock(block.lines, chosen, block.orders, worth, capacity_use, seen)


def _kept(arrays: "_Arrays", kind: tuple[int, int, bool], lines: Any, every_source: int) -> Kept:
    counts = arrays.within("counts", len(lines), 0, every_source + 1)
    offered = np.arange(max(1, int(counts.max(initial=0)))) < counts[:, None]
    pairs = np.broadcast_to(offered[:, None, :], (len(lines), kind[0], offered.shape[1]))
    total = int(counts.sum())
    helpers = short = None
    if bool(arrays.next("helped", 1)[0]):
        helpers = _padded(offered, arrays.next("helpers", total), 0.0)
        short = _padded(pairs, arrays.next("short", total * kind[0]), False)
    groups = Groups(
        kind=kind,
        lines=lines,
        sources=_padded(offered, arrays.within("sources", total, 0, every_source), 0),
        together=_padded(offered, arrays.next("together", total), 0.0),
        alone=_padded(pairs, arrays.next("alone", total * kind[0]), np.inf),
        shares=_padded(offered, arrays.next("shares", total), 0.0),
        helpers=helpers,
        short=short,
        unit_gains=arrays.next("unit_gains", len(lines)),
        limited=arrays.next("limited", len(lines)),
    )
    return Kept(groups, offered)


class _Arrays:
    """Arrays that are read from the front, piece by piece."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        for name, kinds in _KINDS.items():
            if name not in arrays or arrays[name].ndim != 1 or arrays[name].dtype.kind not in kinds:
                _refuse(f"lacks '{name}', or has a wrong one")
        self._arrays, self._read = arrays, dict.fromkeys(_KINDS, 0)

    def next(self, name: str, count: int) -> Any:
        """The next so many of an array."""
        begin = self._read[name]
        self._read[name] = end = begin + count
        if end > len(self._arrays[name]):
            _refuse(f"has too few '{name}'")
        return self._arrays[name][begin:end]

    def within(self, name: str, count: int, least: int, below: int) -> Any:
        """The same, of positions that must be at least `least`, and below `below`."""
        found = self.next(name, count).astype(np.int64)
        if len(found) and not least <= found.min() <= found.max() < below:
            _refuse(f"has a wrong '{name}'")
        return found

    def require_all_read(self) -> None:
        """Raises InvalidInput when anything is left."""
        for name, read in self._read.items():
            if read != len(self._arrays[name]):
                _refuse(f"has too many '{name}'")


def _unpacked(raw: bytes) -> Mapping[str, Any]:
    try:
        return task_wire.unzipped(raw)
    except task_wire.UNREADABLE as error:
        raise InvalidInput([Fault("", "cannot be read")], _SUBJECT) from error


_SUBJECT = "answer to a price task"


def _refuse(fault: str) -> NoReturn:
    raise InvalidInput([Fault("", fault)], _SUBJECT)


def _by_line(kept: Kept) -> Any:
    return np.broadcast_to(kept.offered[:, None, :], kept.groups.alone.shape)


def _of(array: Any) -> Any:
    """An array that must be there."""
    if array is None:
        raise ValueError("groups with helpers say where they are short")
    return array


def _joined(parts: Sequence[Any], kind: type = np.float64) -> Any:
    return np.concatenate([np.zeros(0, dtype=kind), *parts])


def _small(positions: Any) -> Any:
    """The same positions in as few bytes as they need."""
    return positions.astype(np.min_scalar_type(int(positions.max(initial=0))))


def _padded(offered: Any, values: Any, padding: float) -> Any:
    array = np.full(offered.shape, padding, dtype=values.dtype)
    array[offered] = values
    return array
