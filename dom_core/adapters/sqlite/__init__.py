"""The embedded store, queues and blobs: one SQLite file, several processes.

They share a `Database`. The file must lie on a local disk: SQLite's write-ahead log does not work on network shares.
"""

from dom_core.adapters.sqlite.blobs import SqliteBlobs
from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.documents import SqliteDocuments
from dom_core.adapters.sqlite.queues import SqliteQueues

__all__ = ["Database", "SqliteBlobs", "SqliteDocuments", "SqliteQueues"]
