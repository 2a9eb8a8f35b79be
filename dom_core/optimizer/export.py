"""The compact model of an iteration as a file, so that anybody may solve it with a solver of their own.

The model is the whole iteration in one piece, in points; a variable that is always one carries what no choice changes.
Variables are numbers: the key says what each one means, so that no user text gets into a model file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.formulation import Model
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.optimizer.rebuilding import rebuild

CONSTANT = "constant"
"""The variable that is always one."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What a variable means: `units` of the line from the source (so many for each one), the line `uses` the source, or
    the order `ships` from it."""

    variable: str
    meaning: str
    order_id: OrderId
    line_id: LineId | None
    source_id: SourceId
    units_each: int | None = None


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A model that can be written, its key, and the objective of the plan's own answer, in points.

    In `rates` mode, and when the iteration is proven best, no solver finds less than `planned_total`.
    """

    model: Model = field(repr=False)
    key: tuple[KeyRow, ...]
    planned_total: int

    def write_lp(self, path: str) -> None:
        """Write the model in the LP format."""
        self.model.program.writeLP(path)

    def write_mps(self, path: str) -> None:
        """Write the model in the MPS format."""
        self.model.program.writeMPS(path)


def export(request: PlanRequest, plan: Plan, iteration: int) -> ExportedModel:
    """The model of iteration 1 or 2; the second is about what the plan's first leaves."""
    result = rebuild(request, plan).results[iteration - 1]
    problem = result.problem
    parts = decomposition.independent_parts(problem)
    model = formulation.build(problem, parts or (np.array([], dtype=np.int64),))
    # Lines that nobody can serve are in no part: they stay unfilled whatever the solver does.
    constant = model.program.add_variable(CONSTANT, 1, 1)
    objective = [*model.priced, (constant, float(total_of(levels_of(problem, ()))))]
    model.program.setObjective(formulation.expression(objective))
    return ExportedModel(model, tuple(_key(model, problem.batch)), total_of(levels_of(problem, result.flows)))


def _key(model: Model, batch: Batch) -> Iterator[KeyRow]:
    for (line, source), (variable, factor) in sorted(model.units.items()):
        yield KeyRow(variable.name, "units", *_names(batch, line, source), factor)
    for (line, source), variable in sorted(model.opens.items()):
        yield KeyRow(variable.name, "uses", *_names(batch, line, source))
    for (order, source), variable in sorted(model.ships.items()):
        yield KeyRow(variable.name, "ships", batch.orders[order].id, None, batch.sources[source].id)


def _names(batch: Batch, line: int, source: int) -> tuple[OrderId, LineId, SourceId]:
    return batch.order(line).id, batch.lines[line].id, batch.sources[source].id
