"""Patterns that came up before are not kept again."""

import numpy as np
import pytest

from dom_core.optimizer.patterns import Hashes, with_new


def numbers(*values: int) -> Hashes:
    return np.array(values, dtype=np.uint64)


@pytest.mark.parametrize(
    ("known", "come_up", "fresh", "then"),
    [
        ((), (), (), ()),
        ((), (7, 3), (True, True), (3, 7)),
        ((3, 7), (), (), (3, 7)),
        ((3, 7), (7, 3), (False, False), (3, 7)),
        ((3, 7), (9, 3, 8, 1), (True, False, True, True), (1, 3, 7, 8, 9)),
        ((3, 7), (6, 4, 5), (True, True, True), (3, 4, 5, 6, 7)),
    ],
    ids=["nothing", "first ones", "none came up", "the same again", "some before, between and after", "one gap"],
)
def test_new_numbers_are_told_and_kept_in_order(
    known: tuple[int, ...], come_up: tuple[int, ...], fresh: tuple[bool, ...], then: tuple[int, ...]
) -> None:
    told, kept = with_new(numbers(*known), numbers(*come_up))
    assert (tuple(told.tolist()), tuple(kept.tolist())) == (fresh, then)


def test_many_numbers_are_told_as_a_set_would() -> None:
    random, seen, known = np.random.default_rng(3), set[int](), numbers()
    for _ in range(40):
        some = np.unique(random.integers(0, 2**64, 50, dtype=np.uint64) >> np.uint64(58))
        random.shuffle(some)
        fresh, known = with_new(known, some)
        assert fresh.tolist() == [number not in seen for number in some.tolist()]
        seen.update(some.tolist())
        assert known.tolist() == sorted(seen)
