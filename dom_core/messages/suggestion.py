"""The question how an order would be sourced now."""

from pydantic import BaseModel, ConfigDict

from dom_core.domain.ids import Id
from dom_core.messages.orders import IntakeOrder


class SuggestionRequest(BaseModel):
    """An order as it would be posted, and the strategy to ask; without one, the active strategy that takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    order: IntakeOrder
    strategy_id: Id | None = None
