"""What an explanation says beyond the reasons: who took the stock, what would place a line, and what a choice costs."""

from collections.abc import Iterator, Sequence

from dom_core.domain.explanation import (
    Counterfactual,
    LineChange,
    LineExplanation,
    Relief,
    Share,
    SourceExplanation,
    Taker,
)
from dom_core.domain.reason import Reason
from dom_core.report.wording import count_words, level_name, reason_words

MOST_TAKERS = 12
"""Takers that are listed: a full source has hundreds."""


def taker_words(taker: Taker) -> str:
    """Who has something, and how much of it: `O7/1: 2 units`."""
    name = taker.order_id if taker.line_id is None else f"{taker.order_id}/{taker.line_id}"
    if taker.earlier:
        return f"{name}, from an earlier plan"
    return name if taker.units is None else f"{name}: {count_words(taker.units, 'unit')}"


def answers(explanation: LineExplanation) -> Iterator[str]:
    """The lines of text that follow the reasons."""
    if explanation.relief:
        yield ""
        yield "What would place it"
        yield from (f"  {line}" for line in _relief(explanation.relief, explanation.sources))
    if explanation.counterfactual:
        yield ""
        yield f"If it had to ship from {explanation.counterfactual.source_id}"
        yield from (f"  {line}" for line in _counterfactual(explanation.counterfactual))


def taken_by_words(takers: Sequence[Taker]) -> Iterator[str]:
    """Who has something, one a line; a long list is cut and counted."""
    yield from map(taker_words, takers[:MOST_TAKERS])
    if len(takers) > MOST_TAKERS:
        yield f"… and {len(takers) - MOST_TAKERS:,} more"


def _relief(relief: Relief, shown: Sequence[SourceExplanation]) -> Iterator[str]:
    if relief.rule_ids is None:
        yield _nothing_helps(relief)
        news = [blocked for blocked in relief.blocked if blocked not in shown]
        yield from (f"{blocked.source_id}: {_reason_of(blocked)}" for blocked in news)
        if len(relief.blocked) > len(news):
            yield f"{count_words(len(relief.blocked) - len(news), 'source')} cannot for the reason given above."
    elif relief.rule_ids:
        noun = "rule" if len(relief.rule_ids) == 1 else "rules"
        yield f"Without the {noun} {' and '.join(relief.rule_ids)}: {_shares(relief.shares)}"
    else:
        yield f"No rule stands in the way of {_shares(relief.shares)}:"
        yield "the plan is not proven best, or by its rates the units are not worth their way."


def _nothing_helps(relief: Relief) -> str:
    considered = len(relief.considered_rule_ids)
    if considered == 0:
        return "No rule is in force that could be dropped."
    if considered <= relief.largest_set:
        return f"Dropping {'the only rule' if considered == 1 else f'all {considered} rules'} would not help."
    return f"No set of up to {count_words(relief.largest_set, 'rule')} of the {considered} in force would help."


def _reason_of(explained: SourceExplanation) -> str:
    reason = Reason(explained.verdict, explained.code, explained.rule_id, explained.limit, explained.actual)
    by = f" ({'; '.join(taken_by_words(explained.taken_by))})" if explained.taken_by else ""
    return reason_words(reason) + by


def _counterfactual(answer: Counterfactual) -> Iterator[str]:
    if answer.refused:
        yield f"Impossible, whatever the rules: {reason_words(answer.refused)}"
        return
    for reason in answer.lifted:
        yield f"Set aside for this line alone: {reason_words(reason)}"
    rows = [(level_name(level.level), level.before, level.after, level.points) for level in answer.levels]
    total = ("total points", answer.total_before, answer.total_after, answer.total_after - answer.total_before)
    for name, before, after, points in [*rows, total]:
        yield f"{name:<24}  {before:>12,} → {after:>12,}  {points:>+12,} points"
    if answer.rivals_only is not None:
        again = count_words(answer.rivals_only, "line")
        yield f"An estimate: the order and its rivals were planned again, {again}; the others keep what they have."
    elif not answer.proven:
        yield "An estimate: one of the two plans is not proven best."
    elif answer.total_after < answer.total_before and not answer.lifted:
        yield "Better in the end: iteration 1 decides alone; dearer there, this leaves iteration 2 more to fill."
    if answer.line:
        yield _change(answer.line)
    others = answer.displaced
    yield f"{count_words(len(others), 'other line')} would change{':' if others else ''}"
    yield from (f"  {_change(change)}" for change in others)


def _change(change: LineChange) -> str:
    return f"{change.order_id}/{change.line_id}: {_shares(change.before)} → {_shares(change.after)}"


def _shares(shares: Sequence[Share]) -> str:
    return ", ".join(f"{share.units:,} from {share.source_id}" for share in shares) or "nothing"
