import json
from typing import Any

import pytest

from dom_core.domain.network import SourceList
from dom_core.errors import Conflict, InvalidInput, NotFound, StoreConflict
from dom_core.use_cases.configure import ConfigKind, get, list_all, remove, save, save_many
from tests.builders import an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import SOURCES, STRATEGY, World, encoded

LISTS, STRATEGIES, SOURCE_KIND = ConfigKind.SOURCE_LISTS, ConfigKind.STRATEGIES, ConfigKind.SOURCES


def a_list(**fields: Any) -> bytes:
    return encoded({"id": "west", "source_ids": ["A"]} | fields)


class TestSave:
    def test_a_new_object_is_created_and_read_back_with_its_etag(self, world: World) -> None:
        saved = save(world.ports, LISTS, "west", a_list())

        assert saved.created
        assert saved.value == SourceList("west", ("A",))
        found = get(world.ports, LISTS, "west")
        assert (found.value, found.etag) == (saved.value, saved.etag)

    def test_a_known_object_is_replaced_whether_its_etag_is_named_or_not(self, world: World) -> None:
        first = save(world.ports, LISTS, "west", a_list())

        second = save(world.ports, LISTS, "west", a_list(name="West"), first.etag)
        third = save(world.ports, LISTS, "west", a_list(name="Far west"))

        assert not second.created
        assert len({first.etag, second.etag, third.etag}) == 3

    def test_an_old_etag_is_refused(self, world: World) -> None:
        old = save(world.ports, LISTS, "west", a_list())
        save(world.ports, LISTS, "west", a_list(name="West"), old.etag)
        with pytest.raises(StoreConflict):
            save(world.ports, LISTS, "west", a_list(name="mine"), old.etag)

    def test_an_etag_for_an_object_that_is_not_there_is_refused(self, world: World) -> None:
        with pytest.raises(StoreConflict):
            save(world.ports, LISTS, "west", a_list(), "7")

    def test_the_bodys_id_must_be_that_of_the_address(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="id: must be 'east'"):
            save(world.ports, LISTS, "east", a_list())

    def test_the_whole_configuration_is_checked_and_every_problem_is_named(self, world: World) -> None:
        strategy = STRATEGY | {"id": "new", "source_list_id": "none", "rule_ids": ["x", "y"]}
        with pytest.raises(InvalidInput) as caught:
            save(world.ports, STRATEGIES, "new", encoded(strategy))
        assert [problem.path for problem in caught.value.problems] == [
            "strategies[new].source_list_id",
            "strategies[new].rule_ids[0]",
            "strategies[new].rule_ids[1]",
        ]
        with pytest.raises(NotFound):
            get(world.ports, STRATEGIES, "new")

    def test_a_change_that_breaks_another_object_is_refused(self, world: World) -> None:
        world.strategy(sales_origins=["web"])
        with pytest.raises(InvalidInput, match="'web' already belongs"):
            save(world.ports, STRATEGIES, "a", encoded(STRATEGY | {"id": "a", "sales_origins": ["web"]}))

    def test_what_is_doubtful_is_stored_and_said(self, world: World) -> None:
        rule = {"id": "r", "kind": "offline_location", "params": {"places": [{"source_id": "A"}]}, "hard": False}
        saved = save(world.ports, ConfigKind.RULES, "r", encoded(rule))
        assert [warning.path for warning in saved.warnings] == ["rules[r].hard"]

    @pytest.mark.parametrize(
        "rule",
        [
            {"id": "r", "kind": "maximum_rejects", "params": {"threshold": 1, "treshold": 2}},
            {"id": "r", "kind": "no_such_kind", "params": {}},
            {"id": "r", "kind": "maximum_rejects", "params": {"threshold": 1}, "colour": "red"},
        ],
    )
    def test_a_rule_that_is_not_understood_is_refused(self, world: World, rule: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            save(world.ports, ConfigKind.RULES, "r", encoded(rule))


class TestSaveMany:
    def test_objects_that_need_each_other_are_stored_together_in_any_number(self, world: World) -> None:
        products = [{"id": f"part{n:03}", "parent_id": "part000" if n else None} for n in range(120)]
        assert save_many(world.ports, ConfigKind.PRODUCTS, encoded(products)).count == 120
        assert save_many(world.ports, ConfigKind.PRODUCTS, encoded(products)).count == 120
        assert get(world.ports, ConfigKind.PRODUCTS, "part119").value.id == "part119"

    def test_one_bad_object_keeps_all_out(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="there is no source 'nowhere'"):
            save_many(world.ports, LISTS, encoded([json.loads(a_list()), {"id": "x", "source_ids": ["nowhere"]}]))
        with pytest.raises(NotFound):
            get(world.ports, LISTS, "west")

    def test_an_id_given_twice_is_refused_with_both_places(self, world: World) -> None:
        with pytest.raises(InvalidInput, match=r"\[1\].id: 'west' is already given at \[0\]"):
            save_many(world.ports, LISTS, encoded([json.loads(a_list())] * 2))


class TestList:
    def test_objects_come_page_by_page_in_the_order_of_their_ids(self, world: World) -> None:
        first = list_all(world.ports, SOURCE_KIND, 2)
        second = list_all(world.ports, SOURCE_KIND, 2, first.continuation)
        assert [source.id for source in (*first.items, *second.items)] == ["A", "B", "V"]
        assert second.continuation is None


class TestRemove:
    def test_an_object_that_nothing_uses_is_removed(self, world: World) -> None:
        saved = save(world.ports, LISTS, "west", a_list())
        remove(world.ports, LISTS, "west", saved.etag)
        with pytest.raises(NotFound):
            get(world.ports, LISTS, "west")

    def test_an_old_etag_is_refused(self, world: World) -> None:
        save(world.ports, LISTS, "west", a_list())
        with pytest.raises(StoreConflict):
            remove(world.ports, LISTS, "west", "7")

    def test_an_object_that_the_configuration_names_stays_and_the_error_says_where(self, world: World) -> None:
        save(world.ports, LISTS, "west", a_list())
        rule = {"id": "far", "kind": "offline_location", "params": {"places": [{"source_id": "A"}]}}
        save(world.ports, ConfigKind.RULES, "far", encoded(rule))

        with pytest.raises(Conflict) as caught:
            remove(world.ports, SOURCE_KIND, "A")

        for user in ("source_lists[all].source_ids[0]", "source_lists[west].source_ids[0]", "rules[far].params"):
            assert user in str(caught.value)

    def test_a_source_with_assigned_lines_stays(self, world: World) -> None:
        world.configure("sources", SOURCES[0] | {"id": "C"})
        world.stock(pen_C=2)
        order = world.store_order(an_order().with_line("pen"))
        world.apply(a_plan().assigning(order, "1", ("C", 1)).build())

        with pytest.raises(Conflict, match="line '1' of order 'O1'"):
            remove(world.ports, SOURCE_KIND, "C")

    def test_a_product_with_reserved_units_stays(self, world: World) -> None:
        world.stock(pen_A=2)
        order = world.store_order(an_order().with_line("pen"))
        world.apply(a_plan().assigning(order, "1", ("A", 1)).build())

        with pytest.raises(Conflict, match="1 reserved units at 'A'"):
            remove(world.ports, ConfigKind.PRODUCTS, "pen")

    def test_what_is_not_there_cannot_be_removed(self, world: World) -> None:
        with pytest.raises(NotFound):
            remove(world.ports, LISTS, "west")
