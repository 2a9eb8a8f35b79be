"""Bad input is answered in plain words, with the path of each field."""

import pytest

from dom_core.domain.network import Source, SourceType
from dom_core.domain.strategy import Strategy
from dom_core.errors import InvalidInput
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json, read_most

ORDER = b'{"id": "A", "ordered_at": "2026-01-31T12:00:00Z", "ship_to": {"city": "Paris"}, "lines": [%s]}'


def complaints(raw: bytes, shape: type = IntakeOrder) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_json(raw, shape, "order")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"id": "1", "product_id": "P", "units": 1.5}', "lines[0].units: must be a whole number"),
        (b'{"id": "1", "product_id": "P", "units": "2"}', "lines[0].units: must be a whole number"),
        (b'{"id": "1", "product_id": "P", "units": -1}', "lines[0].units: must be at least 1"),
        (b'{"id": "1", "product_id": "P", "units": true}', "lines[0].units: must be a whole number"),
        (b'{"id": "1", "product_id": "P"}', "lines[0].units: is required"),
        (b'{"id": "1", "product_id": "a/b", "units": 1}', "lines[0].product_id: may hold letters, digits"),
        (b'{"id": "1", "product_id": "P", "units": 1, "x": 0}', "lines[0].x: there is no such field"),
        (b"3", "lines[0]: must be an object"),
    ],
)
def test_a_bad_line_is_named_with_the_way_out(line: bytes, complaint: str) -> None:
    found = complaints(ORDER % line)
    assert len(found) == 1
    assert found[0].startswith(complaint)


def test_every_problem_is_listed_at_once() -> None:
    raw = b'{"id": " ", "ordered_at": "yesterday", "revision": -1, "lines": [], "priority_class": 6}'
    assert complaints(raw) == [
        "id: may hold letters, digits and . _ : @ + - only, and begins with a letter or a digit",
        "revision: must be at least 0",
        "ordered_at: must be a time with a UTC offset, as in 2026-01-31T12:00:00Z",
        "lines: needs at least 1 entries",
        "ship_to: is required",
        "priority_class: must be at most 5",
    ]


@pytest.mark.parametrize("time", ["2026-01-31T12:00:00", "2026-01-31"])
def test_a_time_without_an_offset_is_refused(time: str) -> None:
    raw = ORDER.replace(b"2026-01-31T12:00:00Z", time.encode()) % b'{"id": "1", "product_id": "P", "units": 1}'
    assert complaints(raw) == ["ordered_at: needs a UTC offset, as in 2026-01-31T12:00:00Z"]


def test_two_lines_may_not_share_an_id() -> None:
    line = b'{"id": "1", "product_id": "P", "units": 1}'
    assert complaints(ORDER % (line + b"," + line)) == ["lines: ids must be unique; used more than once: 1"]


def test_a_line_id_used_twice_is_told_with_what_else_is_wrong() -> None:
    line = b'{"id": "1", "product_id": "P", "units": 1}'
    raw = ORDER.replace(b"2026-01-31T12:00:00Z", b"yesterday") % (line + b"," + line)
    assert complaints(raw) == [
        "ordered_at: must be a time with a UTC offset, as in 2026-01-31T12:00:00Z",
        "lines: ids must be unique; used more than once: 1",
    ]


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(raw: bytes) -> None:
    found = complaints(raw)
    assert len(found) == 1
    assert found[0].startswith(("is not valid JSON", "is not UTF-8"))


def test_a_choice_names_what_there_is() -> None:
    found = complaints(b'{"id": "S", "type": "shop"}', Source)
    assert found == ["type: must be one of 'warehouse', 'store', 'distribution_center', 'drop_ship' or 'virtual'"]


@pytest.mark.parametrize("cut_off", [b"17:00Z", b"17:00+01:00"])
def test_a_cut_off_has_no_offset(cut_off: bytes) -> None:
    raw = b'{"id": "A", "type": "store", "cut_off": "%s"}' % cut_off
    (complaint,) = complaints(raw, Source)
    assert complaint == "cut_off: is a time on the source's own clock: write it without an offset, as in 17:30"


@pytest.mark.parametrize(("seconds", "complaint"), [(600, None), (601, "limits.solve_limit_s: must be at most 600.0")])
def test_a_solver_may_take_ten_minutes(seconds: int, complaint: str | None) -> None:
    raw = b'{"id": "s", "source_list_id": "all", "limits": {"solve_limit_s": %d}}' % seconds
    if complaint is None:
        assert read_json(raw, Strategy, "strategy").limits.solve_limit_s == seconds
    else:
        assert complaints(raw, Strategy) == [complaint]


def test_what_is_right_in_an_object_can_be_read_beside_what_is_wrong() -> None:
    most = read_most({"id": "A", "type": "store", "active": "perhaps", "name": "North"}, Source, "source")
    assert most.value == Source("A", SourceType.STORE, "North")
    assert [problem.path for problem in most.problems] == ["active"]
    assert not most.whole


def test_a_field_too_many_leaves_an_object_whole() -> None:
    most = read_most({"id": "A", "type": "store", "colour": "red"}, Source, "source")
    assert (most.value, most.whole) == (Source("A", SourceType.STORE), True)


@pytest.mark.parametrize("value", [{"id": "A"}, {"id": "A", "type": "castle"}, [], None, 3])
def test_of_what_lacks_a_required_field_nothing_can_be_read(value: object) -> None:
    most = read_most(value, Source, "source")
    assert (most.value, most.whole) == (None, False)
    assert most.problems


def test_a_wrong_field_may_be_known_otherwise() -> None:
    assert read_most({"id": "a b", "type": "store"}, Source, "source", id="A").value == Source("A", SourceType.STORE)
