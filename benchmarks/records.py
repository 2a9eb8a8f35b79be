"""What was measured, and the file that keeps it: a long campaign can be stopped and taken up again."""

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.instances import Shape
from dom_core import __version__

_PACKAGES = ("pulp", "numpy", "highspy", "ortools")


class Outcome(StrEnum):
    """How a measurement ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no answer in time"
    OUT_OF_MEMORY = "out of memory"
    NOT_INSTALLED = "not installed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Figures:
    """What an answer is worth. Units and kilometres are of batches only, the known `optimum` is of the literature.

    `stages` are the engine's only: the seconds of each stage of its run.
    """

    value: float
    bound: float | None = None
    ending: str = ""
    units: int | None = None
    filled_units: int | None = None
    shipments: int | None = None
    split_orders: int | None = None
    km: int | None = None
    plan_bytes: int | None = None
    optimum: float | None = None
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def unfilled_units(self) -> int | None:
        """Units that nobody ships."""
        return None if self.units is None or self.filled_units is None else self.units - self.filled_units


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and with what something was measured; `held_to` when it might not use every core ("1 of 2 cores")."""

    machine: str
    date: str
    versions: Mapping[str, str]
    held_to: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a process says of its measurement: from the request to the answer, judging not counted.

    `runs_s` are the seconds of every run, the fastest first, where there were several; the rest is of the middle one.
    """

    outcome: Outcome
    seconds: float | None = None
    peak_mb: int | None = None
    figures: Figures | None = None
    note: str = ""
    runs_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement: which case, which way, what came of it. `shape` is that of an invented batch."""

    case: str
    kind: str
    way: str
    limit_s: float
    result: Result
    circumstances: Circumstances
    shape: Shape | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes two measurements the same."""
        return (self.case, self.way)

    @property
    def figures(self) -> Figures | None:
        """What the answer is worth, if there is one."""
        return self.result.figures


_RECORDS: TypeAdapter[list[Record]] = TypeAdapter(list[Record])


def read(path: Path) -> dict[tuple[str, str], Record]:
    """What was measured before; nothing when there is no file. Raises ValueError for a file that is something else."""
    if not path.is_file():
        return {}
    return {record.key: record for record in _RECORDS.validate_json(path.read_bytes())}


def write(path: Path, records: Iterable[Record]) -> None:
    """Keep these, in their order. The file is there whole or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_bytes(_RECORDS.dump_json(list(records), indent=1, exclude_defaults=True) + b"\n")
    beside.replace(path)


def circumstances(date: str) -> Circumstances:
    """This machine and what is installed on it."""
    versions = {"Python": platform.python_version(), "engine": __version__}
    versions |= {name: _version(name) for name in _PACKAGES if _version(name)}
    return Circumstances(_machine(), date, versions, _held_to())


def _held_to() -> str:
    """Something when this process was given fewer cores than there are (`taskset`)."""
    if not hasattr(os, "sched_getaffinity"):
        return ""
    given, cores = len(os.sched_getaffinity(0)), os.cpu_count()
    return "" if given == cores else f"{given} of {cores} cores"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory_mb() / 1024:.0f} GiB"


def memory_mb() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
