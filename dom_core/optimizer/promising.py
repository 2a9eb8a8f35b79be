"""Which sources of a group are promising at prices.

Keeping only the nearest sources of each line would be a trap, because the source that holds the whole order is often
not near: of every subset of a group's lines the cheapest sources that hold all of it are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.cheapest import full_costs
from dom_core.optimizer.pattern_costs import Groups, Kind
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, PricedGroups, Pricer

KEPT_OF_LINE, KEPT_OF_SUBSET = 16, 6
"""Sources kept for each line alone, and for each larger subset of a group's lines."""


Known = Mapping[Kind, IntArray]
"""Sources that are kept already, of all groups of a kind (G, K); -1 is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Some groups with only the sources that are kept, without prices; `offered` (G, K) are those, not padding."""

    groups: Groups
    offered: BoolArray


def promising(priced: PricedGroups, known: IntArray | None) -> Kept:
    """The cheapest sources at prices of every subset of the lines, and those that are `known` (G, K; -1 is padding)."""
    groups = priced.groups
    keep = np.zeros(groups.together.shape, dtype=bool)
    for subset, full in full_costs(groups.kind[0], priced.together, priced.alone, priced.helpers):
        most = KEPT_OF_LINE if subset & (subset - 1) == 0 else KEPT_OF_SUBSET
        _mark_cheapest(keep, full, most)
    if known is not None:
        rows, columns = np.nonzero(known >= 0)
        keep[rows, known[rows, columns]] = True
    return _only(groups, keep)


def _mark_cheapest(keep: BoolArray, full: FloatArray, most: int) -> None:
    if full.shape[1] <= most:
        keep |= np.isfinite(full)
        return
    cheapest = np.argpartition(full, most - 1, axis=1)[:, :most]
    rows = np.arange(len(full))[:, None]
    keep[rows, cheapest] |= np.isfinite(full[rows, cheapest])


def _only(groups: Groups, keep: BoolArray) -> Kept:
    """The groups with these sources, padded with pairs that are no candidates."""
    rows, columns = np.nonzero(keep)
    counts = keep.sum(axis=1)
    width = max(1, int(counts.max(initial=0)))
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    sources = np.zeros((len(keep), width), dtype=np.int64)
    sources[rows, place] = columns
    offered = np.arange(width) < counts[:, None]
    group = np.arange(len(keep))[:, None]
    lines = np.arange(groups.kind[0])[None, :, None]
    at = (group[:, :, None], lines, sources[:, None, :])
    return Kept(
        replace(
            groups,
            sources=sources,
            together=np.where(offered, groups.together[group, sources], 0.0),
            alone=np.where(offered[:, None, :], groups.alone[at], np.inf),
            shares=np.where(offered, groups.shares[group, sources], 0.0),
            helpers=None if groups.helpers is None else np.where(offered, groups.helpers[group, sources], 0.0),
            short=None if groups.short is None else offered[:, None, :] & groups.short[at],
        ),
        offered,
    )


PriceAll = Callable[[Pricer, Prices, Known], Sequence[PricedBlock[Kept]]]
"""Makes a pass over all pairs: every block with its promising sources besides those known."""


def priced_here(pricer: Pricer, prices: Prices, known: Known) -> list[PricedBlock[Kept]]:
    """A pass over all pairs, on this machine."""
    return priced_blocks(pricer, prices, known, pricer.costs.ranges())


def priced_blocks(
    pricer: Pricer, prices: Prices, known: Known, ranges: Sequence[tuple[int, int]]
) -> list[PricedBlock[Kept]]:
    """The same for some blocks."""

    def look(priced: PricedGroups) -> Kept:
        before = known.get(priced.groups.kind)
        return promising(priced, None if before is None else before[priced.first : priced.first + len(priced.rows)])

    return pricer.blocks(prices, look, ranges=ranges)
