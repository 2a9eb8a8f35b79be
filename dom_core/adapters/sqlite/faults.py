"""What SQLite's error codes mean for a caller: try again later, or call a person."""

import sqlite3
from pathlib import Path

from dom_core.errors import DomError, StoreUnusable, Unavailable

_MAY_PASS = {
    sqlite3.SQLITE_BUSY: "other processes kept it locked for too long",
    sqlite3.SQLITE_LOCKED: "other processes kept it locked for too long",
    sqlite3.SQLITE_PROTOCOL: "other processes kept it locked for too long",
    sqlite3.SQLITE_FULL: "the disk is full",
}

_CHECK_PLACE = "Check that the file and its folder may be written, or set DOM_STORE_PATH to another file."
_START_AGAIN = "Restore a backup, or move the file away together with its -wal and -shm files to start empty."
_NEEDS_A_PERSON = {
    sqlite3.SQLITE_CANTOPEN: _CHECK_PLACE,
    sqlite3.SQLITE_PERM: _CHECK_PLACE,
    sqlite3.SQLITE_READONLY: _CHECK_PLACE,
    sqlite3.SQLITE_IOERR: "Check the disk. The file must be on a local one, not on a network share.",
    sqlite3.SQLITE_CORRUPT: _START_AGAIN,
    sqlite3.SQLITE_NOTADB: _START_AGAIN,
}


def explain(error: sqlite3.DatabaseError, path: Path) -> DomError | None:
    """The typed error for what SQLite met, or None when the fault is in our own statement."""
    code = primary_code(error)
    if code in _MAY_PASS:
        return Unavailable(f"the store '{path}' did not answer: {_MAY_PASS[code]}")
    if code in _NEEDS_A_PERSON:
        return StoreUnusable(str(path), str(error), _NEEDS_A_PERSON[code])
    return None


def unreachable(error: OSError, path: Path) -> StoreUnusable:
    """The typed error for a folder that cannot be made."""
    return StoreUnusable(str(path), str(error), _CHECK_PLACE)


def primary_code(error: sqlite3.DatabaseError) -> int:
    """SQLite's result code without its details; 0 when the error did not come from SQLite itself."""
    extended: int = getattr(error, "sqlite_errorcode", 0)
    return extended & 0xFF
