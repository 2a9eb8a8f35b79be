"""The containers and their partition keys: what provisioning makes in Azure, and `create_all` on a local server."""

from collections.abc import Mapping
from types import MappingProxyType

from azure.cosmos import CosmosClient, PartitionKey

from dom_core.ports import Container

PARTITION_FIELDS: Mapping[Container, str] = MappingProxyType(
    {
        Container.ORDERS: "orderId",
        Container.STOCK: "sku",
        Container.PLANS: "planId",
        Container.CONFIG: "kind",
        Container.RUNS: "id",
        Container.DEAD_LETTERS: "day",
    }
)
"""The field of an item that holds its partition. In `runs` that is the id: every document is a partition of its own."""

PARTITION_KEY_VERSION = 2
"""Keys of up to 2 KiB. Version 1 would tell them apart by their first 100 bytes only."""


def create_all(client: CosmosClient, database: str) -> None:
    """Make the database and its containers where they are missing.

    For a local server. In Azure the app's identity may not do this: provisioning does.
    """
    made = client.create_database_if_not_exists(database)
    for container, field in PARTITION_FIELDS.items():
        made.create_container_if_not_exists(container, PartitionKey(f"/{field}", version=PARTITION_KEY_VERSION))
