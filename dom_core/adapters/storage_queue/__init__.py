"""Queues on Azure Storage, through Microsoft's SDK, with message encoding `none`."""

from dom_core.adapters.storage_queue.queues import StorageQueues, from_connection_string, from_identity

__all__ = ["StorageQueues", "from_connection_string", "from_identity"]
