"""What proves the bound of an iteration, for those who want to recompute it (docs/optimizer.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import ClassVar, Self

from dom_core.domain.prices import NO_PRICES, PriceTable
from dom_core.domain.reason_table import Codes

_BYTES = 4


@dataclass(frozen=True, slots=True)
class PartProof:
    """What no plan of the orders of one part can go below, in points.

    `priced` is what `prices` prove of it, null where none were sought. What of `bound` prices do not prove, the solver
    proved by its own search.
    """

    bound: float
    priced: float | None = None
    prices: PriceTable = NO_PRICES


@dataclass(frozen=True, slots=True)
class IterationProof:
    """The parts of an iteration that compete for nothing, and which of them each line of the plan belongs to.

    `part_of` has four bytes a line, a little-endian number: NO_PART for lines that nobody can serve, and those that do
    not take part. `unfilled_at_least` is a bound of the first level alone: so many units, weighted by class, stay
    unfilled in any plan.
    """

    NO_PART: ClassVar[int] = 0xFFFF_FFFF
    number: int
    part_of: Codes
    parts: tuple[PartProof, ...]
    unfilled_at_least: int

    @classmethod
    def of(cls, number: int, part_of: Sequence[int], parts: Sequence[PartProof], unfilled_at_least: int) -> Self:
        """The proof of an iteration; the parts by the position of each line."""
        return cls(number, tuple(part.to_bytes(_BYTES, "little") for part in part_of), tuple(parts), unfilled_at_least)

    def part(self, line: int) -> int:
        """The number of a line's part."""
        return int.from_bytes(self.part_of[line], "little")


def rounded_down(points: float) -> float:
    """Points as proofs tell them: to a thousandth, never more than is proven."""
    return floor(points * 1000) / 1000
