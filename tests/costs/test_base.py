"""What a cost factor costs when it says nothing, and how kinds are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from dom_core.costs import build, discover, kinds
from dom_core.costs.base import CostFactor
from dom_core.errors import InvalidInput
from dom_core.rules.checking import Facts
from tests.builders import a_cost_factor, a_request, a_source, an_order


@dataclass(frozen=True, slots=True)
class Free(CostFactor):
    kind: ClassVar[str] = "free"

    @classmethod
    def from_params(cls, id: str, params: Mapping[str, Any]) -> Self:
        return cls(id, **params)


def test_a_cost_factor_that_overrides_nothing_costs_nothing() -> None:
    batch = a_request().with_sources(a_source("S1")).with_orders(an_order().with_line("P")).batch()
    facts, factor = Facts.of(batch.request), Free("free")
    assert list(factor.references()) == []
    assert [factor.leg_cents(batch), factor.shipment_cents(batch), factor.part_cents(batch)] == [None, None, None]
    assert factor.cost_of_leg_cents(facts, "S1", "standard", 1_000) == 0
    assert factor.cost_of_shipment_cents(facts, "S1") == 0
    assert factor.cost_of_part_cents(facts, "S1") == 0


def test_the_two_kinds_are_found_by_name() -> None:
    assert {name: kind.kind for name, kind in kinds().items()} == {"handling": "handling", "shipping": "shipping"}


def test_a_cost_factor_unlike_its_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "found_costs"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "tolls.py").write_text("answer = 42\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        ImportError, match=r"tolls\.py must define exactly one CostFactor, and its kind must be 'tolls'"
    ):
        discover("found_costs", [str(package)])


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"kind: unknown cost factor kind 'tolls'; known: handling, shipping"):
        build(a_cost_factor("tolls"))


def test_the_subject_of_a_problem_is_the_cost_factor() -> None:
    with pytest.raises(InvalidInput, match=r"invalid cost factor parcel: params\.lines: is required"):
        build(a_cost_factor("shipping", id="parcel"))
