"""Instances of the literature, whose best values are known, as special cases of the optimizer's problem.

Four families of J. E. Beasley's OR-Library ("OR-Library: distributing test problems by electronic mail", JORS 41,
1990), read from a folder that is given, in the library's own formats:

| Folder | Problem | As orders and sources |
|---|---|---|
| `assign` | assignment | one-line orders, one unit in stock at each source |
| `pmed` | p-median | one order of which every line goes elsewhere, unlimited stock, p sources at most |
| `uncap` | uncapacitated warehouse location | the same without a limit, a fixed charge for each source used |
| `sscflp` | the same, with capacities and one source a customer | one whole order of one product, lines not split |

"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """An instance as it is published: `costs` (L, S) of serving a line, `fixed` (S) of using a source, `units` (L).

    `stock` (S) is None where it is unlimited. `whole`: all lines belong to one order, which is served in full or not at
    all; `one_order`: they belong to one order, of which some may wait.
    """

    name: str
    optimum: float
    costs: FloatArray
    fixed: FloatArray
    units: IntArray
    stock: IntArray | None = None
    one_order: bool = True
    whole: bool = False
    max_sources: int | None = None


def instance_names(folder: Path) -> Iterator[str]:
    """Names of the instances in a folder, as `read` takes them: those of each family, small ones first."""
    for family, pattern in _FILES.items():
        paths = [path for path in (folder / family).glob(pattern) if path.name not in _ANSWERS]
        yield from (f"{family}/{path.stem}" for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)))


def read(folder: Path, name: str) -> Table:
    """An instance by its name. Raises OSError, ValueError."""
    family, _, stem = name.partition("/")
    return _READERS[family](folder / family / f"{stem}.txt")


def _numbers(path: Path) -> list[float]:
    """All numbers of a file; the word that stands for a capacity to be chosen counts as none."""
    return [0.0 if word == "capacity" else float(word) for word in path.read_text(encoding="ascii").split()]


def _assign(path: Path) -> Table:
    numbers = _numbers(path)
    size = round(len(numbers) ** 0.5)
    costs = np.array(numbers).reshape(size, size)
    ones = np.ones(size, dtype=np.int64)
    return Table(path.stem, _ASSIGN_OPTIMA[path.stem], costs, np.zeros(size), ones, stock=ones, one_order=False)


def _pmed(path: Path) -> Table:
    (nodes, _, medians), rest = (round(number) for number in _numbers(path)[:3]), _numbers(path)[3:]
    distances = np.full((nodes, nodes), np.inf)
    np.fill_diagonal(distances, 0.0)
    for one, other, length in np.array(rest).reshape(-1, 3).tolist():
        # An edge that is given twice has the length that comes last.
        distances[int(one) - 1, int(other) - 1] = distances[int(other) - 1, int(one) - 1] = length
    for middle in range(nodes):
        distances = np.minimum(distances, distances[:, [middle]] + distances[[middle], :])
    ones = np.ones(nodes, dtype=np.int64)
    return Table(path.stem, _PMED_OPTIMA[path.stem], distances, np.zeros(nodes), ones, max_sources=medians)


def _uncap(path: Path) -> Table:
    numbers = _numbers(path)
    sources, lines = round(numbers[0]), round(numbers[1])
    fixed = np.array(numbers[2 : 2 + 2 * sources]).reshape(sources, 2)[:, 1]
    rows = np.array(numbers[2 + 2 * sources :]).reshape(lines, 1 + sources)
    optima = (path.parent / "uncapopt.txt").read_text(encoding="ascii").split()
    optimum = float(optima[optima.index(path.stem) + 1])
    return Table(path.stem, optimum, rows[:, 1:], fixed, np.ones(lines, dtype=np.int64))


def _sscflp(path: Path) -> Table:
    numbers = _numbers(path)
    sources, lines = round(numbers[0]), round(numbers[1])
    capacities, fixed, units, costs = np.split(np.array(numbers[2:]), np.cumsum([sources, sources, lines]))
    optima = _numbers(path.parent / "optima.txt")
    optimum = optima[int(path.stem.rpartition("_p")[2]) - 1]
    return Table(
        path.stem,
        optimum,
        costs.reshape(lines, sources),
        fixed,
        np.rint(units).astype(np.int64),
        stock=np.rint(capacities).astype(np.int64),
        whole=True,
    )


_FILES = {"assign": "assign*.txt", "pmed": "pmed*.txt", "uncap": "cap*.txt", "sscflp": "sscflp*.txt"}
_ANSWERS = ("uncapopt.txt", "optima.txt")
_READERS: Mapping[str, Callable[[Path], Table]] = {
    "assign": _assign,
    "pmed": _pmed,
    "uncap": _uncap,
    "sscflp": _sscflp,
}
_ASSIGN_OPTIMA: Mapping[str, float] = {"assign100": 305.0}
_PMED_OPTIMA: Mapping[str, float] = {"pmed1": 5819.0, "pmed6": 7824.0, "pmed11": 7696.0}
"""As published: these two families have no file of optima."""
