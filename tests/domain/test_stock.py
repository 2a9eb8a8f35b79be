from dom_core.domain.stock import ProductStock, Reservation, StockCell


def reserved(units: int) -> tuple[Reservation, ...]:
    return (Reservation("P1", "O1", "1", units),)


def test_available_is_on_hand_less_reserved() -> None:
    cell = StockCell("A", 5, (*reserved(2), Reservation("P1", "O2", "1", 1)))
    assert (cell.reserved, cell.available) == (3, 2)
    assert StockCell("A", 1, reserved(2)).available == 0


def test_what_is_not_stored_is_zero() -> None:
    assert ProductStock("pen").cell("A") == StockCell("A", 0)
