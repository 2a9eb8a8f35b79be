"""Why a source was or was not chosen for a line: exactly one reason per pair."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from dom_core.domain.ids import RuleId

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class Verdict(StrEnum):
    """The four things that can be said about a (line, source) pair."""

    CHOSEN = "chosen"
    EXCLUDED = "excluded"
    DEARER = "dearer"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Reason:
    """One verdict with its evidence.

    `code` is the rule's kind, the name of a gate that is never relaxed (`no_stock`, `rejection_bar`, …) or, for
    `dearer`, the objective level that decided. `limit` and `actual` are for people: `80 km`, `91.2 km`.
    """

    verdict: Verdict
    code: str
    rule_id: RuleId | None = None
    limit: str = ""
    actual: str = ""

    def __str__(self) -> str:
        rule = f" ({self.rule_id})" if self.rule_id else ""
        limit = f", limit {self.limit}" if self.limit else ""
        actual = f", actual {self.actual}" if self.actual else ""
        return f"{self.verdict}: {self.code}{rule}{limit}{actual}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One "no" for many pairs at once.

    `pairs` is broadcastable to lines × sources, True where the pair is out. `limit` and `actual` are one text, or
    arrays broadcastable to lines × sources (numbers, or texts as object arrays); `unit` follows numbers.
    """

    code: str
    pairs: BoolArray
    limit: str | npt.NDArray[Any] = ""
    actual: str | npt.NDArray[Any] = ""
    unit: str = ""
    rule_id: RuleId | None = None

    def concerns(self, line: int, source: int) -> bool:
        """Whether the pair is among those that are out."""
        return bool(_at(self.pairs, line, source))

    def reason(self, line: int, source: int) -> Reason:
        """The reason of one pair, with its evidence as text."""
        return Reason(
            Verdict.EXCLUDED,
            self.code,
            self.rule_id,
            self._text(self.limit, line, source),
            self._text(self.actual, line, source),
        )

    def _text(self, evidence: str | npt.NDArray[Any], line: int, source: int) -> str:
        if isinstance(evidence, str):
            return evidence
        value = _at(evidence, line, source)
        number = f"{value:.1f}" if isinstance(value, float) else str(value)
        return f"{number} {self.unit}".strip()


def _at(array: npt.NDArray[Any], line: int, source: int) -> Any:
    """The element of a broadcastable (lines × sources) array."""
    rows, columns = array.shape if array.ndim == 2 else (1, array.shape[0])
    grid = array.reshape(rows, columns)
    value = grid[line if rows > 1 else 0, source if columns > 1 else 0]
    return value.item() if isinstance(value, np.generic) else value
