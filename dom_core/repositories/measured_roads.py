"""Distances by road that were measured before: one document per place, a partition of its own in `runs`.

What is kept: the rounded place, the metres from where sources stand, and a last day. No order, no address.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from dom_core.domain.network import Location
from dom_core.domain.roads import Place
from dom_core.errors import StoreConflict
from dom_core.messages.reading import write_value
from dom_core.ports import Container, Document, DocumentStore
from dom_core.repositories.reading import every, read_stored

_KIND = "roads"

DAYS_LOOKED_BACK = 31
"""How many nights may go without a clean-up before what expired stays for good, until somebody asks for it again."""


@dataclass(frozen=True, slots=True)
class KnownRoads:
    """What is known of one place: metres by where a source stands (None: there is no way), till the last day."""

    last_day: date
    metres: dict[str, int | None]


def standing(location: Location) -> str:
    """The name of where a source stands, to a metre: one that moves is measured again."""
    return f"{location.latitude:.5f},{location.longitude:.5f}"


class MeasuredRoads:
    """The distances that one engine measured."""

    def __init__(self, store: DocumentStore, engine: str) -> None:
        self._store = store
        self._stem = f"_roads-{hashlib.sha256(engine.encode()).hexdigest()[:12]}"

    def find(self, place: Place, today: date) -> Mapping[str, int | None]:
        """Metres by where sources stand; nothing where nothing is known, or it is too old."""
        document = self._read(place)
        known = _known(document) if document else None
        return known.metres if known and known.last_day >= today else {}

    def keep(self, place: Place, metres: Mapping[str, int | None], today: date, days: int) -> None:
        """Add what was measured today. When somebody else writes at the same time, one of the two is lost.

        What is added to what was known expires with it: no distance is ever older than `days`.
        """
        document = self._read(place)
        with suppress(StoreConflict):
            if document is None:
                self._write(place, KnownRoads(today + timedelta(days=days), dict(metres)), None)
                return
            known = _known(document)
            if known.last_day < today:
                known = KnownRoads(today + timedelta(days=days), {})
            self._write(place, KnownRoads(known.last_day, known.metres | dict(metres)), document.etag)

    def _read(self, place: Place) -> Document | None:
        id = self._id(place)
        return self._store.read(Container.RUNS, id, id)

    def _write(self, place: Place, known: KnownRoads, etag: str | None) -> None:
        id = self._id(place)
        body = {"kind": _KIND, "last_day": known.last_day.isoformat(), "roads": write_value(known, KnownRoads)}
        if etag is None:
            self._store.create(Container.RUNS, id, id, body)
        else:
            self._store.replace(Container.RUNS, id, id, body, etag)

    def _id(self, place: Place) -> str:
        return f"{self._stem}-{place[0]}-{place[1]}"


def remove_expired(store: DocumentStore, today: date) -> int:
    """Remove what was good till yesterday, or till a day of the month before; how many places those were."""
    removed = 0
    for days_ago in range(1, DAYS_LOOKED_BACK + 1):
        for document in list(_last_good_on(store, today - timedelta(days=days_ago))):
            with suppress(StoreConflict):
                store.delete(Container.RUNS, document.partition, document.id, document.etag)
                removed += 1
    return removed


def _last_good_on(store: DocumentStore, day: date) -> Iterator[Document]:
    return every(store, Container.RUNS, where={"kind": _KIND, "last_day": day.isoformat()})


def _known(document: Document) -> KnownRoads:
    return read_stored(document.body["roads"], KnownRoads, f"stored distances {document.id}")
