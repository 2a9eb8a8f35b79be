"""A task that went through the wire is the same task: same answer, byte for byte, and nothing personal on the way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.prices import PriceTable
from dom_core.domain.request import PlanRequest
from dom_core.errors import InvalidInput
from dom_core.messages.reading import write_value
from dom_core.optimizer import blocks, task_wire
from dom_core.optimizer.performing import LocalCrew, perform
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.promising import Kept, Known, priced_here
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.tasks import Lead, Task, Work
from tests.builders import a_request, a_rule, a_source, an_order
from tests.optimizer.test_savings import of_twelve_lines
from tests.oracle.generation import generate
from tests.plans import comparable

SEEDS = range(60)


@dataclass
class FarCrew:
    """Performs what comes out of the wire, one task after the other, and answers through the wire."""

    tasks: list[Task] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def name(self) -> str:
        return CbcSolver().name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        for task in tasks:
            raw = task_wire.bytes_of(task)
            self.tasks.append(task)
            self.sent.append(raw)
            answer = perform(read(raw), CbcSolver())
            self.answers.append(task_wire.answer_of(task_wire.answer_bytes(answer), task))
            yield self.answers[-1]

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        return priced_here(pricer, prices, known)


def read(raw: bytes) -> Task:
    """The task that these bytes are; prices they do not ask for."""
    task = task_wire.task_of(raw)
    assert isinstance(task, Task)
    return task


def without_seconds(answer: Answer) -> Answer:
    return replace(answer, seconds=0.0)


def test_the_plan_of_tasks_that_went_through_the_wire_is_the_same() -> None:
    """Both iterations, rounds, levels, cost factors, capacities and what iteration 1 uses: generated cases have all."""
    seen = FarCrew()
    for seed in SEEDS:
        request = generate(seed)
        assert comparable(plan_once(request, CbcSolver(), crew=seen)) == comparable(plan_once(request, CbcSolver())), (
            seed
        )
    problems = [task.problem for task in seen.tasks]
    assert {task.work for task in seen.tasks} == {Work.BLOCK, Work.BLOCK_STRICTLY}
    assert any(problem.costs for problem in problems)
    assert any(problem.used.line_sources for problem in problems)
    assert any(problem.used.limited_line_sources for problem in problems)
    assert any(capacity.counted for problem in problems for capacity in problem.capacities)
    assert any(problem.batch.is_write_in(0) for problem in problems)


def test_so_is_the_answer_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the prices that prove its bound, which name products, sources and rules."""
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    tables: list[PriceTable] = []
    for request in [*map(generate, range(0, 60, 4)), crowded()]:
        crew = FarCrew()
        far = plan_once(request, CbcSolver(), crew=crew)
        assert comparable(far) == comparable(plan_once(request, CbcSolver(), crew=LocalCrew(CbcSolver())))
        for task, answer in zip(crew.tasks, crew.answers, strict=True):
            assert without_seconds(answer) == without_seconds(perform(task, CbcSolver()))
            tables += [answer.prices] if answer.prices else []
    assert any(table.cells for table in tables)
    assert {room.rule_id for table in tables for room in table.rooms} == {"maximum_orders"}


def test_so_are_savings_which_name_orders_and_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "EXACT_PAIRS_OF_LONG_ORDERS", 0)
    crew = FarCrew()
    far = plan_once(of_twelve_lines(orders=2).build(), CbcSolver(), crew=crew)
    near = plan_once(of_twelve_lines(orders=2).build(), CbcSolver(), crew=LocalCrew(CbcSolver()))
    assert comparable(far) == comparable(near)
    named = {(saving.order_id, saving.line_id) for saving in crew.answers[0].prices.savings}
    assert named == {(line.order_id, line.line_id) for line in far.lines}


def crowded() -> PlanRequest:
    """Five orders for a product of which there is enough, at a near and a far source with room for two each."""
    orders = [an_order(f"O{number}").with_line("pen") for number in range(5)]
    builder = a_request().with_sources(a_source("A"), a_source("B", at=(45.5, -122.7))).with_orders(*orders)
    rule = a_rule("maximum_orders", {"lines": [{"limit": 2}]})
    return builder.with_stock({("pen", "A"): 9, ("pen", "B"): 9}).with_rules(rule).build()


@cache
def a_task() -> Task:
    crew = FarCrew()
    plan_once(generate(2), CbcSolver(), crew=crew)
    return crew.tasks[0]


def test_forced_pairs_and_neighbourhoods_keep_their_answers() -> None:
    checked = 0
    for seed in SEEDS[:40]:
        crew = FarCrew()
        plan_once(generate(seed), CbcSolver(), crew=crew)
        for task in crew.tasks[:1]:
            served = np.argwhere(task.problem.allowed).tolist()
            forced = replace(task.problem, forced=((served[-1][0], served[-1][1]),))
            for asked in (replace(task, problem=forced), replace(task, work=Work.NEIGHBOURHOOD)):
                here = perform(asked, CbcSolver())
                there = perform(read(task_wire.bytes_of(asked)), CbcSolver())
                there = task_wire.answer_of(task_wire.answer_bytes(there), asked)
                assert without_seconds(here) == without_seconds(there), seed
                checked += 1
    assert checked > 30


def test_what_has_no_bound_comes_back_without_one() -> None:
    nothing = Answer((), Ending.NO_PLAN, float("-inf"), "seconds", 0.25, "the solver’s word")
    assert task_wire.answer_of(task_wire.answer_bytes(nothing), a_task()) == nothing


def test_arrays_and_limits_come_back_as_they_were() -> None:
    task = a_task()
    again = read(task_wire.bytes_of(task))
    for name in ("wanted", "allowed", "km", "steps", "stock", "weights"):
        one, other = getattr(task.problem, name), getattr(again.problem, name)
        assert one.dtype == other.dtype, name
        assert np.array_equal(one, other), name
        assert one.flags.f_contiguous == other.flags.f_contiguous, name
    assert write_value(again.limits, type(again.limits)) == write_value(task.limits, type(again.limits))
    assert again.problem.batch.shape == task.problem.batch.shape


def test_nothing_personal_and_no_id_is_sent() -> None:
    for seed in SEEDS[:30]:
        crew, request = FarCrew(), generate(seed)
        plan_once(request, CbcSolver(), crew=crew)
        words = {order.id for order in request.orders} | {source.id for source in request.sources}
        words |= {rule.id for rule in request.rules} | {request.strategy.id, request.plan_id, *request.products}
        for raw in crew.sent:
            header = np.load(BytesIO(raw))["header"].tobytes().decode()
            assert not {word for word in words if f'"{word}"' in header}, seed


def damaged(**arrays: object) -> bytes:
    kept = dict(np.load(BytesIO(task_wire.bytes_of(a_task()))).items())
    changed = {name: array for name, array in (kept | arrays).items() if array is not None}
    packed = BytesIO()
    np.savez(packed, **changed)
    return packed.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"PK and then nothing",
        lambda: b"\x93NUMPY no zip",
        lambda: task_wire.bytes_of(a_task())[:-30],
        lambda: damaged(header=None),
        lambda: damaged(header=np.frombuffer(b"{}", np.uint8)),
        lambda: damaged(km=None),
        lambda: damaged(km=np.zeros((1, 1, 1), dtype=np.int64)),
        lambda: damaged(wanted=np.zeros(99, dtype=np.int64)),
        lambda: damaged(place_of=np.full(len(a_task().problem.wanted), 99)),
        lambda: damaged(place_of=np.full(len(a_task().problem.wanted), -1)),
        lambda: damaged(place_of=np.zeros(1)),
        lambda: damaged(wanted=np.array([{}], dtype=object)),
        lambda: damaged(stock=np.zeros((3, 99), dtype=np.int64)),
        lambda: damaged(steps=np.zeros((1, 1), dtype=np.float64)),
        lambda: damaged(leg_cents=np.zeros((1, 1), dtype=np.float64)),
    ],
)
def test_anything_else_is_refused(make: Callable[[], bytes]) -> None:
    raw = make()
    with pytest.raises(InvalidInput):
        task_wire.task_of(raw)


def test_positions_that_do_not_exist_are_refused() -> None:
    order_of = a_task().problem.batch.order_of
    with pytest.raises(InvalidInput, match="order_of"):
        task_wire.task_of(damaged(order_of=order_of + 1000))


def test_another_form_and_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    task = a_task()
    raw = task_wire.bytes_of(task)
    with monkeypatch.context() as patch:
        patch.setattr(task_wire, "LARGEST_TASK_BYTES", 100)
        with pytest.raises(InvalidInput, match="100 bytes"):
            task_wire.task_of(raw)
    with monkeypatch.context() as patch:
        patch.setattr(task_wire, "FORMAT", 3)
        newer = task_wire.bytes_of(task)
    with pytest.raises(InvalidInput, match="form 3"):
        task_wire.task_of(newer)


def test_an_answer_that_is_none_is_refused() -> None:
    for raw in (b"", b"no answer", task_wire.answer_bytes(perform(a_task(), CbcSolver()))[:-9]):
        with pytest.raises(InvalidInput):
            task_wire.answer_of(raw, a_task())


def test_a_neighbourhood_with_a_lead_is_not_sent() -> None:
    """Without its lead the answer would be another: what cannot be sent whole stays here."""
    task = replace(a_task(), work=Work.NEIGHBOURHOOD)
    lead = Lead(Prices.none(task.problem), (), {}, 1)
    assert task_wire.bytes_of(task)
    with pytest.raises(ValueError, match="lead"):
        task_wire.bytes_of(replace(task, lead=lead))
