"""The embedded store and queues: one SQLite file, several processes."""
