"""Every source of a line with the price of its order, cheapest first.

The prices are those that `explanation` compares when it calls a source dearer, so reason and rank never disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dom_core.domain.plan import LevelValue, Plan
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode
from dom_core.domain.suggestion import OrderPrice, SuggestedSource
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.explanation import Judge
from dom_core.optimizer.objective import total_of
from dom_core.optimizer.rebuilding import judge_of
from dom_core.optimizer.takers import takers


@dataclass(frozen=True, slots=True)
class _Way:
    """A way in which the lines of an order may flow, and what the order costs then."""

    flows: tuple[Flow, ...]
    levels: tuple[LevelValue, ...]

    def price(self, line: int, source: int, planned: "_Way") -> OrderPrice:
        """The order's price this way, compared with the planned one."""
        units = sum(moved for at, origin, moved in self.flows if (at, origin) == (line, source))
        points = total_of(self.levels)
        return OrderPrice(units, points, points - total_of(planned.levels), self.levels)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks the sources of the lines that a judge knows."""

    judge: Judge

    @classmethod
    def of(cls, request: PlanRequest, plan: Plan) -> "Ranking":
        """The ranking of a finished plan."""
        return cls(judge_of(request, plan))

    def sources(self, line: int) -> tuple[SuggestedSource, ...]:
        """The sources that can serve the line at this position, cheapest first; then the others, by id."""
        return tuple(sorted(self._sources(line), key=self._rank))

    def _sources(self, line: int) -> Iterator[SuggestedSource]:
        now = tuple(self.judge.of_order[int(self.judge.batch.order_of[line])])
        planned = _Way(now, self.judge.levels(line, now))
        for column, source in enumerate(self.judge.batch.sources):
            reason = self.judge.reason(line, column)
            yield SuggestedSource(
                source_id=source.id,
                verdict=reason.verdict,
                code=reason.code,
                rule_id=reason.rule_id,
                limit=reason.limit,
                actual=reason.actual,
                taken_by=takers(self.judge, line, column, reason),
                price=self._price(line, column, reason, planned),
            )

    def _price(self, line: int, source: int, reason: Reason, planned: _Way) -> OrderPrice | None:
        if reason.verdict is Verdict.CHOSEN:
            return planned.price(line, source, planned)
        if reason.verdict is not Verdict.DEARER:
            return None
        ways = (_Way(flows, self.judge.levels(line, flows)) for flows in self.judge.alternatives(line, source))
        return min(ways, key=lambda way: self._objective(way.levels)).price(line, source, planned)

    def _rank(self, source: SuggestedSource) -> tuple[bool, tuple[int, ...], bool, str]:
        key = self._objective(source.price.levels) if source.price else ()
        return (source.price is None, key, source.verdict is not Verdict.CHOSEN, source.source_id)

    def _objective(self, levels: tuple[LevelValue, ...]) -> tuple[int, ...]:
        """What is minimised: the total, then the levels, of which some have no price; or the levels alone."""
        amounts = tuple(value.amount for value in levels)
        strict = self.judge.batch.request.strategy.objective_mode is ObjectiveMode.STRICT
        return amounts if strict else (total_of(levels), *amounts)
