"""The document store on Azure Cosmos DB (API for NoSQL), through Microsoft's SDK.

`documents` is the store, `items` how a document becomes an item, `containers` what provisioning makes, `connection` the
one client of a process, `faults` what the service's refusals mean, `persistence` how long and how safely they are
answered by trying again.
"""

from dom_core.adapters.cosmos.connection import Connection
from dom_core.adapters.cosmos.documents import CosmosDocuments

__all__ = ["Connection", "CosmosDocuments"]
