"""One measurement, in a process of its own: what one way loads or uses does not touch the next.

    python -m benchmarks.child FOLDER

reads `task.json` in the folder, plans, writes `solved` as soon as there is an answer, then judges it and writes
`result.json`. Memory is limited to what the task allows, also for the solvers that are started.
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks import instances, superstore
from benchmarks.answers import Answer, NoAnswer, until
from benchmarks.cases import TASK, Aimed, Generated, Literature, Superstore, Task
from benchmarks.literature import read
from benchmarks.memory import own_peak_mb
from benchmarks.records import Figures, Outcome, Result
from benchmarks.ways import BY_KEY
from dom_core.domain.request import PlanRequest
from dom_core.errors import SolverFailed

TASK_FILE, SOLVED_FILE, RESULT_FILE = "task.json", "solved", "result.json"

RESULT: TypeAdapter[Result] = TypeAdapter(Result)


def main() -> None:
    """Measure what the folder asks for."""
    folder = Path(sys.argv[1])
    task = TASK.validate_json((folder / TASK_FILE).read_bytes())
    limit = task.memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    (folder / RESULT_FILE).write_bytes(RESULT.dump_json(_result(task, (folder / SOLVED_FILE).touch)))


def _result(task: Task, solved: Callable[[], None]) -> Result:
    try:
        if isinstance(task.case, Literature):
            return _literature(task, task.case, solved)
        return _batch(task, request_of(task.case), solved)
    except NoAnswer:
        return Result(Outcome.NO_ANSWER)
    except SolverFailed as error:
        return Result(Outcome.NO_ANSWER, note=str(error))
    except MemoryError as error:
        return Result(Outcome.OUT_OF_MEMORY, note=str(error))


def request_of(case: Generated | Aimed | Superstore) -> PlanRequest:
    """The request of a case."""
    if isinstance(case, Superstore):
        return superstore.request_of(case.csv, case.strategy_id)
    request = instances.request_of(case.shape)
    return until(request, case.relative_gap) if isinstance(case, Aimed) else request


def _batch(task: Task, request: PlanRequest, solved: Callable[[], None]) -> Result:
    """Plan a batch, then judge the answer."""
    way = BY_KEY[task.way].load()
    started = time.monotonic()
    answer = way(request, task.limit_s)
    seconds, peak_mb = time.monotonic() - started, own_peak_mb()
    solved()
    return Result(Outcome.ANSWERED, round(seconds, 3), peak_mb, _figures(request, answer))


def _figures(request: PlanRequest, answer: Answer) -> Figures:
    # Imported here: it loads the solvers' libraries, and a way decides itself which it loads, and in which order.
    from benchmarks.judging import judge, stored_bytes

    worth = judge(request, answer.served)
    return Figures(
        value=worth.value,
        bound=answer.bound,
        ending=answer.ending or "",
        units=worth.units,
        filled_units=worth.filled_units,
        shipments=worth.shipments,
        split_orders=worth.split_orders,
        km=worth.km,
        plan_bytes=stored_bytes(answer.plan) if answer.plan else None,
        stages={name: round(seconds, 3) for name, seconds in answer.stages.items()},
    )


def _literature(task: Task, case: Literature, solved: Callable[[], None]) -> Result:
    from benchmarks.literature_model import solve, solver_of

    table = read(case.folder, case.instance)
    started = time.monotonic()
    found = solve(table, solver_of(task.way), task.limit_s)
    seconds, peak_mb = time.monotonic() - started, own_peak_mb()
    solved()
    note = "" if found.complete else "not every line is served"
    figures = Figures(value=found.value, bound=found.bound, ending=found.ending, optimum=table.optimum)
    return Result(Outcome.ANSWERED, round(seconds, 3), peak_mb, figures, note)


if __name__ == "__main__":
    main()
