"""What answers show beyond what is stored: figures worked out, and codes spelt out."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from dom_core.domain.ids import LineId, OrderId, ProductId, RuleId, SourceId
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Fulfillment, HeldLine, Plan, PlanAssignment, PlanLine
from dom_core.domain.plan_header import PlanHeader, header_of
from dom_core.domain.reason import Verdict
from dom_core.domain.stock import ProductStock, Reservation
from dom_core.errors import Problem
from dom_core.repositories.configurations import ConfigObject

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class SourceReason:
    """Why a source was, or was not, chosen for a line."""

    source_id: SourceId
    verdict: Verdict
    code: str
    rule_id: RuleId | None
    limit: str
    actual: str


@dataclass(frozen=True, slots=True)
class LineDetails:
    """A line of a plan with its figures."""

    order_id: OrderId
    line_id: LineId
    order_version: int
    product_id: ProductId
    units: int
    filled_units: int
    fulfillment: Fulfillment
    exception: ExceptionKind | None
    assignments: tuple[PlanAssignment, ...]


@dataclass(frozen=True, slots=True)
class ExplainedLine(LineDetails):
    """The same, with one reason for every source of the strategy's list."""

    reasons: tuple[SourceReason, ...]


@dataclass(frozen=True, slots=True)
class PlanDetails(PlanHeader):
    """A plan: its head with the figures of the whole, its lines, and the lines that it did not take."""

    lines: tuple[ExplainedLine | LineDetails, ...]
    held: tuple[HeldLine, ...]


@dataclass(frozen=True, slots=True)
class CellDetails:
    """Stock of a product at a source: on hand, promised (with the promises), and still to be promised."""

    source_id: SourceId
    on_hand: int
    reserved: int
    available: int
    reservations: tuple[Reservation, ...]


@dataclass(frozen=True, slots=True)
class StockDetails:
    """Stock of a product at every source that ever had some."""

    product_id: ProductId
    cells: tuple[CellDetails, ...]


@dataclass(frozen=True, slots=True)
class SavedDetails:
    """What was stored, and what somebody may want to look at again."""

    value: ConfigObject
    warnings: tuple[Problem, ...]


def plan(of: Plan, *, with_reasons: bool) -> PlanDetails:
    """The plan as callers see it."""
    lines = _explained(of) if with_reasons else map(_line, of.lines)
    return PlanDetails(**_fields(header_of(of)), lines=tuple(lines), held=of.held)


def stock(of: ProductStock) -> StockDetails:
    """The stock of a product as callers see it."""
    cells = (CellDetails(**_fields(cell), reserved=cell.reserved, available=cell.available) for cell in of.cells)
    return StockDetails(of.product_id, tuple(cells))


def _line(line: PlanLine) -> LineDetails:
    return LineDetails(**_fields(line), filled_units=line.filled_units, fulfillment=line.fulfillment)


def _explained(of: Plan) -> Iterator[ExplainedLine]:
    for position, line in enumerate(of.lines):
        reasons = (SourceReason(source_id, **_fields(reason)) for source_id, reason in of.reasons.of_line(position))
        yield ExplainedLine(**_fields(_line(line)), reasons=tuple(reasons))


def _fields(value: "DataclassInstance") -> dict[str, Any]:
    """The fields of a value by name; unlike `asdict`, values inside it stay values."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
