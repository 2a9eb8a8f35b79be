"""A document as an item of Cosmos DB, and back.

    {"id": …, "orderId": <partition>, "body": {…}, "write": <id of the write>}    and Cosmos DB's own _etag, _ts …

The body lies in a field of its own, so it may hold any field whatever: neither `id`, nor the partition's field, nor
what begins with `_` can collide. The id of the write tells a store that lost an answer whether its write happened.
"""

from collections.abc import Mapping
from typing import Any

from dom_core.adapters.cosmos.containers import PARTITION_FIELDS
from dom_core.adapters.document_limits import Where
from dom_core.ports import Body, Container, Document

Item = dict[str, Any]
"""What Cosmos DB stores."""

_WRITE = "write"


def to_item(container: Container, partition: str, id: str, body: Body, write_id: str) -> Item:
    """The item to send."""
    return {PARTITION_FIELDS[container]: partition, "id": id, "body": body, _WRITE: write_id}


def to_document(container: Container, item: Mapping[str, Any]) -> Document:
    """The document in a stored item."""
    return Document(item[PARTITION_FIELDS[container]], item["id"], body=item["body"], etag=item["_etag"])


def was_written_by(item: Mapping[str, Any], write_id: str) -> bool:
    """Whether this write made the item what it is now."""
    return bool(item[_WRITE] == write_id)


def query_text(where: Where, after_id: str | None, *, by_id: bool) -> tuple[str, list[dict[str, Any]]]:
    """SQL, with the values as parameters. Field names must have been checked: they stand in the text.

    Kept to what the gateway of every account answers by itself: no GROUP BY, OFFSET, DISTINCT or LIKE, and ORDER BY
    only within one partition.
    """
    terms = [f'c.body["{field}"] = @p{number}' for number, field in enumerate(where)]
    parameters = [{"name": f"@p{number}", "value": value} for number, value in enumerate(where.values())]
    if after_id is not None:
        terms.append("c.id > @after")
        parameters.append({"name": "@after", "value": after_id})
    condition = f" WHERE {' AND '.join(terms)}" if terms else ""
    order = " ORDER BY c.id" if by_id else ""
    return f"SELECT * FROM c{condition}{order}", parameters  # noqa: S608 - checked names; values are parameters
