"""What an answer is worth, by the optimizer's own evaluation, and whether it keeps every rule, by the audit.

Every way of planning is judged here, and nobody's own word is used. An answer that breaks a rule is a bug.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answers import Served
from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.documents import SqliteDocuments
from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Level, Plan, PlanAssignment, PlanLine, PlanState
from dom_core.domain.reason_table import ReasonTable
from dom_core.domain.request import PlanRequest
from dom_core.errors import PlanRejected
from dom_core.optimizer import activation, pipeline, relaxation
from dom_core.optimizer.audit import assignments, eligibility, rules
from dom_core.optimizer.audit.subject import Subject
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.ports import Body, Container, Document
from dom_core.repositories.plans import Plans

_CHECKS = (*eligibility.CHECKS, *assignments.CHECKS, *rules.CHECKS)
"""What is audited of an answer that gives no reasons and reports no figures."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What an answer costs in points, and what that is made of. `split_orders` ship from more than one source."""

    value: int
    lines: int
    units: int
    filled_units: int
    unfilled_units: int
    shipments: int
    split_orders: int
    km: int


def judge(request: PlanRequest, served: Sequence[Served]) -> Worth:
    """Audit an answer and price it. Raises PlanRejected for an answer that breaks a rule.

    For requests without soft rules only: there is one iteration, and so one total.
    """
    if activation.soft_rules(request):
        raise ValueError("benchmarks compare one iteration: the request has soft rules")
    batch, _ = pipeline.open_lines(request)
    _require_valid(request, batch, served)
    line_of = {(batch.order(row).id, line.id): row for row, line in enumerate(batch.lines)}
    source_of = {source.id: column for column, source in enumerate(batch.sources)}
    flows = [(line_of[order, line], source_of[source], units) for order, line, source, units in served]
    levels = levels_of(relaxation.prepare(batch).problem, flows)
    amounts = {value.level: value.amount for value in levels}
    filled = sum(units for *_, units in served)
    wanted = int(batch.units.sum())
    return Worth(
        value=total_of(levels),
        lines=len(batch.lines),
        units=wanted,
        filled_units=filled,
        unfilled_units=wanted - filled,
        shipments=amounts[Level.SHIPMENTS],
        split_orders=_split_orders(served),
        km=amounts[Level.DISTANCE_KM],
    )


def stored_bytes(plan: Plan) -> int:
    """What the plan weighs as it is stored, without the request that is kept beside it."""
    with TemporaryDirectory(prefix="dom-bench-") as folder:
        documents = _Weighed(Database(Path(folder) / "plan.sqlite3"))
        Plans(documents).create(plan, attempt="1", to_apply=False)
        return documents.bytes


class _Weighed(SqliteDocuments):
    """A store that adds up what it is given."""

    bytes = 0

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        """Store a document, and count its bytes as JSON."""
        self.bytes += len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
        return super().create(container, partition, id, body)


def _split_orders(served: Sequence[Served]) -> int:
    sources: dict[OrderId, set[str]] = defaultdict(set)
    for order, _, source, _ in served:
        sources[order].add(source)
    return sum(len(each) > 1 for each in sources.values())


def _require_valid(request: PlanRequest, batch: Batch, served: Sequence[Served]) -> None:
    subject = Subject.of(request, _as_plan(request, batch, served))
    found = tuple(chain.from_iterable(check(subject) for check in _CHECKS))
    if found:
        raise PlanRejected(found)


def _as_plan(request: PlanRequest, batch: Batch, served: Sequence[Served]) -> Plan:
    """The answer as the audit reads plans."""
    by_line: dict[tuple[OrderId, LineId], list[PlanAssignment]] = defaultdict(list)
    column = {source.id: number for number, source in enumerate(batch.sources)}
    row = {(batch.order(number).id, line.id): number for number, line in enumerate(batch.lines)}
    for order, line, source, units in served:
        metres = int(batch.metres[row[order, line], column[source]])
        by_line[order, line].append(PlanAssignment(source, units, metres, 1))
    lines = tuple(_line(batch, number, by_line.get(key, [])) for key, number in row.items())
    farthest_m = max((made.distance_m or 0 for line in lines for made in line.assignments), default=0)
    return Plan(
        id=request.plan_id,
        run_id=request.run_id,
        strategy_id=request.strategy.id,
        state=PlanState.PROPOSED,
        planned_at=request.now,
        engine_version="",
        configuration_hash="",
        input_hash="",
        lines=lines,
        held=(),
        iterations=(),
        reasons=ReasonTable((), (), ()),
        largest_distance_km=max(1000, -(-farthest_m // 1_000_000) * 1000),
    )


def _line(batch: Batch, row: int, made: Sequence[PlanAssignment]) -> PlanLine:
    line = batch.lines[row]
    planned = PlanLine(batch.order(row).id, line.id, batch.order(row).version, line.product_id, line.units, tuple(made))
    short = planned.filled_units < line.units
    return replace(planned, exception=ExceptionKind.NOT_IN_PLAN) if short else planned
