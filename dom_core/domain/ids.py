"""Identifiers. One pattern for all: safe in URLs, in Cosmos DB ids and in file names."""

from typing import Annotated, TypeAlias

from pydantic import Field

Id = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]*$")]
"""Letters, digits and `. _ : @ + -`; begins with a letter or a digit."""

OrderId: TypeAlias = Id
LineId: TypeAlias = Id
ProductId: TypeAlias = Id
SourceId: TypeAlias = Id
SourceListId: TypeAlias = Id
RuleId: TypeAlias = Id
CostFactorId: TypeAlias = Id
StrategyId: TypeAlias = Id
PlanId: TypeAlias = Id
RunId: TypeAlias = Id

Name = Annotated[str, Field(max_length=200)]
"""A display name: any text, always escaped where it is shown."""

Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
"""A code of the user's own vocabulary: category, mode of delivery, sales origin, legal entity."""
