"""Blobs on Azure Storage, through Microsoft's SDK, in one container."""

from dom_core.adapters.storage_blob.blobs import CONTAINER, StorageBlobs, from_connection_string, from_identity

__all__ = ["CONTAINER", "StorageBlobs", "from_connection_string", "from_identity"]
