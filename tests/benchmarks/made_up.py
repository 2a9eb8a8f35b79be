"""Measurements that nobody made, for what is done with them."""

from benchmarks.instances import Shape
from benchmarks.records import Circumstances, Figures, Outcome, Record, Result

USUAL = Shape(10_000, 200, 3.0)
HERE = Circumstances("an abacus", "2026-03-02", {"Python": "3.11.7"})


def a_record(
    way: str,
    value: float,
    bound: float | None = None,
    *,
    shape: Shape = USUAL,
    seconds: float = 1.0,
    units: int = 100,
    filled: int = 90,
) -> Record:
    figures = Figures(value, bound, units=units, filled_units=filled, shipments=60, split_orders=5, km=9000)
    return Record(shape.name, "generated", way, 600.0, Result(Outcome.ANSWERED, seconds, 50, figures), HERE, shape)


def an_unanswered_record(way: str, outcome: Outcome, shape: Shape = USUAL) -> Record:
    return Record(shape.name, "generated", way, 600.0, Result(outcome), HERE, shape)


def a_literature_record(name: str, value: float, optimum: float, note: str = "") -> Record:
    result = Result(Outcome.ANSWERED, 2.0, 50, Figures(value, value, optimum=optimum), note)
    return Record(name, "literature", "engine-cbc", 600.0, result, HERE)
