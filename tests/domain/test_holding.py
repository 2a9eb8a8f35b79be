"""Reserving for many orders at once: all or nothing for each, as they come, and never more than there is."""

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dom_core.adapters.document_limits import MAX_BODY_BYTES
from dom_core.domain.holding import Claim, give_back, hold_all, orders_short, weight_bytes
from dom_core.domain.stock import ProductStock, Reservation, StockCell
from dom_core.repositories import stock as stored

NO_LIMIT = 10**9

reservations = st.builds(
    Reservation,
    st.sampled_from(["P1", "P2"]),
    st.sampled_from(["O1", "O2", "O3"]),
    st.sampled_from("12"),
    st.integers(1, 4),
)
claims = st.lists(st.builds(Claim, st.just("pen"), st.sampled_from("ABC"), reservations), max_size=8)


def a_stock(**on_hand: int) -> ProductStock:
    return ProductStock("pen", tuple(StockCell(source_id, units) for source_id, units in on_hand.items()))


def a_claim(order_id: str, units: int, source_id: str = "A", line_id: str = "1") -> Claim:
    return Claim("pen", source_id, Reservation("P1", order_id, line_id, units))


def hold_orders(stock: ProductStock, wanted: Sequence[Claim], limit_bytes: int) -> tuple[ProductStock, set[str]]:
    """What is done for one product: first who goes short, then the others' reservations."""
    short = orders_short({"pen": stock}, wanted, limit_bytes)
    return hold_all(stock, [claim for claim in wanted if claim.reservation.order_id not in short]), set(short)


def kept(stock: ProductStock) -> list[tuple[str, str, str, str]]:
    return [(cell.source_id, r.plan_id, r.order_id, r.line_id) for cell in stock.cells for r in cell.reservations]


def test_an_order_gets_all_that_it_claims_or_nothing() -> None:
    wanted = [a_claim("O1", 2), a_claim("O1", 9, "B"), a_claim("O2", 3)]

    stock, short = hold_orders(a_stock(A=3, B=5), wanted, NO_LIMIT)

    assert short == {"O1"}
    assert stock.cell("A").reservations == (Reservation("P1", "O2", "1", 3),)


def test_the_units_of_an_orders_lines_add_up() -> None:
    _, short = hold_orders(a_stock(A=3), [a_claim("O1", 2), a_claim("O1", 2, line_id="2")], NO_LIMIT)
    assert short == {"O1"}


def test_what_is_reserved_already_counts_once_and_changes_nothing() -> None:
    stock, _ = hold_orders(a_stock(A=3), [a_claim("O1", 3)], NO_LIMIT)
    again, short = hold_orders(stock, [a_claim("O1", 3)], NO_LIMIT)
    assert again is stock
    assert not short


def test_a_source_without_a_cell_has_nothing() -> None:
    stock = a_stock(A=3)
    assert hold_orders(stock, [a_claim("O1", 1, "Z")], NO_LIMIT) == (stock, {"O1"})


def test_beyond_the_limit_of_the_document_orders_go_short_although_there_are_units() -> None:
    limit = weight_bytes(hold_orders(a_stock(A=99), [a_claim("O1", 1), a_claim("O2", 1)], NO_LIMIT)[0])

    stock, short = hold_orders(a_stock(A=99), [a_claim(f"O{n}", 1) for n in range(1, 5)], limit)

    assert short == {"O3", "O4"}
    assert hold_orders(stock, [a_claim("O1", 1)], 0) == (stock, set())


def test_an_order_that_goes_short_of_one_product_takes_nothing_of_another() -> None:
    stock = {"ink": ProductStock("ink", (StockCell("A", 1),)), "pen": a_stock(A=1)}
    ink = [Claim("ink", "A", Reservation("P1", order_id, "1", 1)) for order_id in ("O1", "O2")]
    assert orders_short(stock, [*ink, a_claim("O1", 2, line_id="2")], NO_LIMIT) == {"O1"}


def test_giving_back_takes_what_a_plan_reserved_for_some_orders_and_nothing_else() -> None:
    stock, _ = hold_orders(a_stock(A=9), [a_claim(f"O{n}", 1) for n in range(1, 5)], NO_LIMIT)
    assert [order_id for _, _, order_id, _ in kept(give_back(stock, "P1", {"O2", "O3"}))] == ["O1", "O4"]
    assert give_back(stock, "P2", {"O2"}) is stock


def _one_by_one(stock: ProductStock, wanted: Sequence[Claim]) -> tuple[list[tuple[str, str, str, str]], set[str]]:
    """The same, by trying every order on its own and adding up everything anew each time."""
    held = {(c.source_id, r.plan_id, r.order_id, r.line_id): r.units for c in stock.cells for r in c.reservations}
    on_hand = {cell.source_id: cell.on_hand for cell in stock.cells}
    short = set()
    for order_id in dict.fromkeys(claim.reservation.order_id for claim in wanted):
        tried = dict(held)
        for claim in wanted:
            r = claim.reservation
            if r.order_id == order_id:
                tried.setdefault((claim.source_id, r.plan_id, r.order_id, r.line_id), r.units)
        taken = {source_id: sum(u for (s, *_), u in tried.items() if s == source_id) for source_id, *_ in tried}
        if all(taken[source_id] <= on_hand.get(source_id, 0) for source_id in taken):
            held = tried
        else:
            short.add(order_id)
    return sorted(held), short


@given(claims, claims, st.lists(st.integers(0, 12), min_size=2, max_size=2))
def test_it_is_as_if_every_order_were_tried_on_its_own(
    before: list[Claim], wanted: list[Claim], on_hand: list[int]
) -> None:
    stock, _ = hold_orders(a_stock(A=on_hand[0], B=on_hand[1]), before, NO_LIMIT)

    after, short = hold_orders(stock, wanted, NO_LIMIT)

    assert (sorted(kept(after)), short) == _one_by_one(stock, wanted)
    assert all(cell.reserved <= cell.on_hand for cell in after.cells)


@given(claims)
def test_a_document_is_never_larger_than_its_weight(wanted: list[Claim]) -> None:
    stock, _ = hold_orders(a_stock(A=10**15, B=10**15), wanted, NO_LIMIT)
    assert len(json.dumps(stored._body(stock))) <= weight_bytes(stock)


def test_the_limit_leaves_room_below_that_of_the_store() -> None:
    assert stored.LIMIT_BYTES < MAX_BODY_BYTES
