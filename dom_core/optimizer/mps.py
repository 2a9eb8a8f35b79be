"""A linear program as the file that CLP reads (free MPS), and CLP's answer back. Names are numbers."""

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import FloatArray
from dom_core.errors import SolverFailed
from dom_core.optimizer.linear import ROUNDING, Basis, LinearAnswer, LinearProgram, WholeAnswer

HALF_A_POINT = 0.5
"""By so much, and floating point's share, a choice may be worth more or less than CBC says: a column lacks else."""


def write(program: LinearProgram, whole: bool = False) -> str:
    """The program in free MPS; `whole` columns are zero or one."""
    rows, columns = len(program.limits), len(program.costs)
    named = "".join(f" L r{row}\n" for row in range(rows))
    limits = "".join(f" b r{row} {limit:.12g}\n" for row, limit in enumerate(program.limits.tolist()))
    body = _columns(program)
    bounds = ""
    if whole:
        body = f" m0 'MARKER' 'INTORG'\n{body} m1 'MARKER' 'INTEND'\n"
        bounds = "BOUNDS\n" + "".join(f" UP b x{column} 1\n" for column in range(columns))
    return f"NAME dom FREE\nROWS\n N c\n{named}COLUMNS\n{body}RHS\n{limits}{bounds}ENDATA\n"


def _columns(program: LinearProgram) -> str:
    starts, rows = program.starts.tolist(), [f" r{row} " for row in program.rows.tolist()]
    amounts = [f"{amount:.12g}\n" for amount in program.amounts.tolist()]
    parts: list[str] = []
    for column, cost in enumerate(program.costs.tolist()):
        name = f" x{column}"
        parts.append(f"{name} c {cost:.12g}\n")
        for entry in range(starts[column], starts[column + 1]):
            parts += (name, rows[entry], amounts[entry])
    return "".join(parts)


def write_basis(basis: Basis) -> str:
    """The corner as CLP reads it: every column in it takes the place of a row that is used up."""
    pairs = zip(np.flatnonzero(basis.columns).tolist(), np.flatnonzero(basis.rows).tolist(), strict=True)
    body = "".join(f" XU x{column} r{row}\n" for column, row in pairs)
    return f"NAME          dom\n{body}ENDATA\n"


def read_basis(text: str, program: LinearProgram) -> Basis | None:
    """The corner that CLP wrote; nothing when it is not the whole of it: no answer hangs on it."""
    columns, rows = np.zeros(len(program.costs), dtype=bool), np.zeros(len(program.limits), dtype=bool)
    if not text.endswith("ENDATA\n"):
        return None
    pairs = [words for words in map(str.split, text.splitlines()) if words[:1] in (["XU"], ["XL"])]
    try:
        columns[[int(words[1].removeprefix("x")) for words in pairs]] = True
        rows[[int(words[2].removeprefix("r")) for words in pairs]] = True
    except (ValueError, IndexError):
        return None
    basis = Basis(columns, rows)
    return basis if basis.whole else None


def read(text: str, program: LinearProgram) -> LinearAnswer:
    """What CLP wrote: a line for each row and column with its name, value and price.

    Raises SolverFailed when it is not the whole answer, or not an optimum.
    """
    head, _, body = text.partition("\n")
    if not head.startswith("Optimal"):
        raise SolverFailed(f"CLP gave no optimum: {head[:80]}")
    words = body.replace("**", "").split()
    rows, columns = len(program.limits), len(program.costs)
    if len(words) != 4 * (rows + columns) or not body.endswith("\n"):
        raise SolverFailed("CLP's answer is not complete")
    prices, amounts = np.zeros(rows), np.zeros(columns)
    try:
        _fill(prices, words[: 4 * rows], "r", 3)
        _fill(amounts, words[4 * rows :], "x", 2)
    except (ValueError, IndexError) as error:
        raise SolverFailed("CLP's answer cannot be read") from error
    if not (np.isfinite(prices).all() and np.isfinite(amounts).all()):
        raise SolverFailed("CLP's answer is not finite")
    return LinearAnswer(float(program.costs @ amounts), amounts, np.maximum(-prices, 0.0))


def read_whole(text: str, program: LinearProgram, stated_bound: float) -> WholeAnswer:
    """What CBC wrote: how it ended, and the columns that are not zero; `stated_bound` is that of its log.

    Raises SolverFailed when that is not an answer, or no answer to this program.
    """
    head, _, body = text.partition("\n")
    if head.startswith(("Infeasible", "Integer infeasible")):
        return WholeAnswer(None, float("inf"), Ending.INFEASIBLE)
    if "no integer solution" in head or not head.startswith(("Optimal", "Stopped")):
        return WholeAnswer(None, stated_bound, Ending.NO_PLAN)
    taken = np.zeros(len(program.costs), dtype=bool)
    words = [line.replace("**", "").split() for line in body.splitlines()]
    try:
        stated_value = float(head.split()[-1])
        taken[[int(one[1].removeprefix("x")) for one in words if one[1][0] == "x" and float(one[2]) > 0.5]] = True
    except (ValueError, IndexError) as error:
        raise SolverFailed("CBC's answer cannot be read") from error
    value = float(program.costs @ taken)
    whole = abs(value - stated_value) <= HALF_A_POINT + ROUNDING * abs(value)
    if not text.endswith("\n") or not whole or not program.allows(taken):
        raise SolverFailed("CBC's answer is not complete")
    if head.startswith("Optimal") and "gap" not in head:
        return WholeAnswer(taken, value, Ending.OPTIMAL)
    return WholeAnswer(taken, min(value, stated_bound), Ending.UNPROVEN)


def _fill(values: FloatArray, words: list[str], letter: str, word: int) -> None:
    positions = np.array([int(name.removeprefix(letter)) for name in words[1::4]], dtype=np.int64)
    values[positions] = np.array(words[word::4], dtype=np.float64)
