from hypothesis import given
from hypothesis import strategies as st

from dom_core.domain.splitting import split_line, spread_cents
from tests.builders import an_order


def test_the_largest_remainders_get_the_odd_cents() -> None:
    # 100 cents over 1, 1 and 4 units: 16.67, 16.67, 66.67. Two cents are left: earlier parts win ties.
    assert spread_cents(100, [1, 1, 4]) == (17, 17, 66)


def test_no_cents_stay_no_cents() -> None:
    assert spread_cents(0, [2, 3]) == (0, 0)


@given(st.integers(0, 10**12), st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_parts_add_up_to_the_cent_and_differ_from_the_exact_share_by_less_than_one(
    cents: int, units: list[int]
) -> None:
    shares = spread_cents(cents, units)

    assert sum(shares) == cents
    assert all(abs(share * sum(units) - cents * part) < sum(units) for share, part in zip(shares, units, strict=True))


def test_parts_get_ids_that_no_other_line_has_and_name_their_parent() -> None:
    line = an_order().with_line("pen", 6, id="3", amount_cents=100, tax_cents=1, rejects=2).build().lines[0]

    first, second, third = split_line(line, [1, 2, 3], taken=["3", "3.1"])

    assert [first.id, second.id, third.id] == ["3", "3.2", "3.3"]
    assert [first.parent_line_id, second.parent_line_id] == [None, "3"]
    assert [part.amount_cents for part in (first, second, third)] == [17, 33, 50]
    assert {part.rejects for part in (first, second, third)} == {2}


def test_the_id_of_a_part_stays_a_valid_id_however_long_its_parent_is() -> None:
    line = an_order().with_line("pen", 2, id="L" * 120).build().lines[0]

    _, part = split_line(line, [1, 1], taken=[line.id])

    assert len(part.id) <= 120
