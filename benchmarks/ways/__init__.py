"""Ways of planning a batch: this engine, exact models, and what simpler systems do. One file each.

A way is looked up by its key and imported when it is used: not every package is everywhere, and some cannot share a
process.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from benchmarks.answers import Way


@dataclass(frozen=True, slots=True)
class Listed:
    """A way of planning: where it is, what it needs, and what the report calls it.

    `proves`: it gives a bound. `needs`: the package that it cannot do without, if that is optional.
    """

    key: str
    title: str
    module: str
    function: str
    proves: bool = False
    needs: str = ""

    @property
    def installed(self) -> bool:
        """Whether what it needs is there."""
        return not self.needs or find_spec(self.needs) is not None

    def load(self) -> Way:
        """The function itself."""
        way: Way = getattr(import_module(f"benchmarks.ways.{self.module}"), self.function)
        return way


WAYS = (
    Listed("engine-cbc", "this engine, CBC", "engine", "with_cbc", proves=True),
    Listed("engine-highs", "this engine, HiGHS", "engine", "with_highs", proves=True, needs="highspy"),
    Listed("batches", "batches of 1,500 lines", "batches", "one_after_another"),
    Listed("compact-cbc", "compact model, CBC", "compact", "with_cbc", proves=True),
    Listed("compact-highs", "compact model, HiGHS", "compact", "with_highs", proves=True, needs="highspy"),
    Listed("compact-cp-sat", "compact model, CP-SAT", "compact_cp_sat", "with_cp_sat", proves=True, needs="ortools"),
    Listed("fewest-splits", "fewest splits, then nearest", "fewest_splits", "planned"),
    Listed("rule-cascade", "rule cascade", "rule_cascade", "planned"),
    Listed("nearest-source", "nearest source with stock", "nearest_source", "planned"),
)
"""All of them, in the order in which reports show them."""

BY_KEY = {way.key: way for way in WAYS}
