"""A store that is killed after so many writes: what crashes leave behind can be looked at one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.passing_store import PassingStore


class Killed(Exception):
    """The process ended here."""


@dataclass
class KillingStore(PassingStore):
    """Passes everything on, and raises Killed right after the write that uses up `writes_left`."""

    writes_left: int

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A write that counts once it has happened."""
        yield
        self.writes_left -= 1
        if self.writes_left == 0:
            raise Killed
