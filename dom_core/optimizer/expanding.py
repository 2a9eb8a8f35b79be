"""The reasons of a finished plan with everything that its codes leave out: evidence, and what weighing decided.

The judge is asked again, about the orders in question alone, over problems made from the plan and its request.
"""

from collections.abc import Iterable

import numpy as np

from dom_core.domain.plan import Plan
from dom_core.domain.reason import Reason
from dom_core.domain.reason_table import ReasonTable, code_type
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.rebuilding import judge_of, line_positions


def expand(request: PlanRequest, plan: Plan, positions: Iterable[int] | None = None) -> ReasonTable:
    """The plan's reasons, spelt out for the lines at these positions, or for all. The plan must be of this request."""
    wanted = range(len(plan.lines)) if positions is None else sorted(set(positions))
    judge = judge_of(request, plan, {plan.lines[position].order_id for position in wanted})
    lines = line_positions(judge.batch)
    templates = {reason: code for code, reason in enumerate(plan.reasons.templates)}
    rows = {
        position: [
            templates.setdefault(judge.reason(line, source), len(templates)) for source in range(judge.batch.shape[1])
        ]
        for position in wanted
        for line in (lines[plan.lines[position].order_id, plan.lines[position].line_id],)
    }
    return _table(plan.reasons, tuple(templates), rows)


def _table(short: ReasonTable, templates: tuple[Reason, ...], rows: dict[int, list[int]]) -> ReasonTable:
    """The table with these rows; the others keep their codes, perhaps in another width."""
    width = code_type(len(templates))
    codes = tuple(
        np.asarray(rows.get(position, short.row(position)), dtype=width).tobytes()
        for position in range(len(short.codes))
    )
    return ReasonTable(short.source_ids, templates, codes)
