"""What the commands say to the terminal, and how they end."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TextIO

from tqdm import tqdm

from dom_core.errors import Problem
from dom_core.report.wording import count_words
from dom_core.watch import Stage, Watch

MOST_PROBLEMS = 50
"""Problems that are printed: a wrong column makes thousands, and the first few say it."""


class Ending(IntEnum):
    """Exit codes."""

    DONE = 0
    PROBLEMS = 1
    USAGE = 2
    FAILED = 3
    STOPPED = 130


def say(stream: TextIO, text: str) -> None:
    """Write a text and end the line. Control characters, which could drive the terminal, are shown as �."""
    stream.write("".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text) + "\n")


def list_problems(stream: TextIO, problems: Sequence[Problem], noun: str) -> None:
    """Write each problem on a line, and how many there are."""
    for problem in problems[:MOST_PROBLEMS]:
        say(stream, str(problem))
    left = len(problems) - MOST_PROBLEMS
    if left > 0:
        say(stream, f"… and {left:,} more")
    say(stream, count_words(len(problems), noun))


def table(rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset(), indent: str = "  ") -> str:
    """Rows as text, columns aligned; those in `right` to the right."""
    cells = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]

    def aligned(row: Sequence[str]) -> Iterator[str]:
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            yield cell.rjust(width) if column in right else cell.ljust(width)

    return "\n".join(f"{indent}{'  '.join(aligned(row))}".rstrip() for row in cells)


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Watch]:
    """A bar on stderr that a run moves; nothing when quiet or when stderr is not a terminal."""
    # None lets tqdm look whether the stream is a terminal.
    shape = "{desc:<16} {percentage:3.0f}% |{bar:30}| {elapsed}"
    with tqdm(total=100, file=sys.stderr, disable=True if quiet else None, leave=False, bar_format=shape) as bar:

        def move(stage: Stage) -> None:
            gap = "" if stage.gap is None else f" {stage.gap:.2%}"
            bar.set_description_str(stage.name + gap, refresh=False)
            bar.update(max(0.0, 100 * stage.share - bar.n))

        yield Watch(move)
