"""Parameters of rules and cost factors: the shapes that kinds share, and how stored parameters are read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dom_core.domain.ids import Id, Label, SourceId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.errors import InvalidInput, Problem
from dom_core.messages.reading import read_value
from dom_core.rules.base import Network

Item = TypeVar("Item")
Shape = TypeVar("Shape", bound="Parameters")

NonEmpty = Annotated[tuple[Item, ...], Field(min_length=1, max_length=10_000)]
"""At least one: without lines nothing is said, so an empty list is a mistake."""

_REFERENCES = (("source_id", "source"), ("source_list_id", "source_list"), ("product_id", "product"))


class Parameters(BaseModel):
    """Unknown fields and values of another type are mistakes, not hints."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlaceScope(Parameters):
    """Where a parameter line holds: at one source, at those of a list, or everywhere."""

    source_id: Id | None = None
    source_list_id: Id | None = None

    # A field validator, unlike a model validator, also runs when another field is wrong: all problems come at once.
    @field_validator("source_list_id")
    @classmethod
    def _one_place(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("source_id") is not None:
            raise PydanticCustomError("two_places", "name a source or a source list, not both")
        return value


class Scope(PlaceScope):
    """Where and for what a parameter line holds: a place, and an item or everything."""

    product_id: Id | None = None
    supplementary_category: Label | None = None
    category: Label | None = None

    @field_validator("supplementary_category", "category")
    @classmethod
    def _one_item(cls, value: str | None, info: ValidationInfo) -> str | None:
        others = (info.data.get("product_id"), info.data.get("supplementary_category"))
        if value is not None and any(other is not None for other in others):
            raise PydanticCustomError("two_items", "name a product, a supplementary category or a category, only one")
        return value


def read(params: Mapping[str, Any], shape: type[Shape], id: str, noun: str = "rule") -> Shape:
    """Stored parameters, understood. Raises InvalidInput with a path (`params.lines[0].units`) for each problem."""
    subject = f"{noun} {id}"
    try:
        return read_value(dict(params), shape, subject)
    except InvalidInput as error:
        problems = [Problem(_within_params(problem.path), problem.message) for problem in error.problems]
        raise InvalidInput(problems, subject) from error


def references_of(scopes: Iterable[PlaceScope], path: str) -> Iterator[tuple[str, str, str]]:
    """The sources, source lists and products that scopes name, as (path, kind, id)."""
    for number, scope in enumerate(scopes):
        for field, kind in _REFERENCES:
            id = getattr(scope, field, None)
            # The write-in product stands for what is not in the catalogue: it may be named without being there.
            if id is not None and (kind, id) != ("product", WRITE_IN_PRODUCT_ID):
                yield f"{path}[{number}].{field}", kind, id


def named_in(params: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """The sources, source lists and products that lines name in parameters which no kind can read."""
    for name, lines in params.items():
        for number, line in enumerate(lines) if isinstance(lines, list | tuple) else ():
            for field, kind in _REFERENCES if isinstance(line, Mapping) else ():
                id = line.get(field)
                if isinstance(id, str) and (kind, id) != ("product", WRITE_IN_PRODUCT_ID):
                    yield f"{path}.{name}[{number}].{field}", kind, id


def sources_of(places: Iterable[PlaceScope], network: Network) -> frozenset[SourceId]:
    """All sources at which a parameter line holds."""
    found: set[SourceId] = set()
    for source_id, source_list_id in {(place.source_id, place.source_list_id) for place in places}:
        if source_id is not None:
            found.add(source_id)
        elif source_list_id is not None:
            found |= network.members.get(source_list_id, frozenset())
        else:
            found |= {source.id for source in network.sources}
    return frozenset(found)


def _within_params(path: str) -> str:
    return f"params.{path}" if path else "params"
