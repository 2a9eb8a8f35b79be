"""What happens when sources refuse: the lines go elsewhere, until a person must decide."""

from examples.superstore.client import CallFailed, Client, Json

STRATEGY = "standard-delivery"
MANY = 3


def show(client: Client) -> None:
    """Reject lines over HTTP and plan again; drive one line to its threshold; reset it.

    Raises CallFailed when the app does not behave as docs/semantics.md section 7 says.
    """
    victims = _assigned_lines(client)[:MANY]
    _say(f"\nRejecting {len(victims)} lines:")
    first = {}
    for order_id, line in victims:
        first[order_id, line["id"]] = line["assignment"]["source_id"]
        _reject(client, order_id, line)
    client.run_and_wait(STRATEGY)
    moved = [_moved(client, order_id, line["id"], first[order_id, line["id"]]) for order_id, line in victims]
    candidates = [pair for pair, has_moved in zip(victims, moved, strict=True) if has_moved]
    if not candidates:
        raise CallFailed("no rejected line found another source")
    _to_the_threshold(client, *candidates[0])


def _to_the_threshold(client: Client, order_id: str, line: Json) -> None:
    _say(f"\nRejecting {order_id}/{line['id']} until its threshold:")
    current = _line(client, order_id, line["id"])
    while current["exception"] != "max_rejects":
        _reject(client, order_id, current)
        current = _line(client, order_id, line["id"])
        if current["exception"] != "max_rejects":
            client.run_and_wait(STRATEGY)
            current = _line(client, order_id, line["id"])
        if current["state"] != "assigned" and current["exception"] != "max_rejects":
            raise CallFailed(f"{order_id}/{line['id']} found no further source before its threshold")
    _say(f"  {order_id}/{line['id']}: permanent exception max_rejects after {current['rejects']} rejects")
    client.post(f"orders/{order_id}/lines/{line['id']}/reset", {"who": "example", "why": "sources called by phone"})
    client.run_and_wait(STRATEGY)
    current = _line(client, order_id, line["id"])
    if current["state"] != "assigned":
        raise CallFailed(f"{order_id}/{line['id']} was not assigned after the reset")
    _say(f"  after a reset by a person: assigned to {current['assignment']['source_id']}")


def _assigned_lines(client: Client) -> list[tuple[str, Json]]:
    """Assigned lines whose product lies at four places or more, so that somebody else can step in."""
    found = []
    for order in client.pages("orders", state="assigned", limit="1000"):
        for line in order["lines"]:
            assignment = line["assignment"]
            if line["state"] == "assigned" and assignment["strategy_id"] == STRATEGY and _places(client, line) >= 4:
                found.append((order["id"], line))
    return found


def _places(client: Client, line: Json) -> int:
    stock = client.get(f"stock/{line['product_id']}")
    return sum(cell["on_hand"] >= line["units"] for cell in stock["cells"])


def _reject(client: Client, order_id: str, line: Json) -> None:
    source_id = line["assignment"]["source_id"]
    body = {"source_id": source_id, "reason_code": "damaged", "who": source_id}
    client.post(f"orders/{order_id}/lines/{line['id']}/reject", body)
    _say(f"  {order_id}/{line['id']}: {source_id} refuses {line['units']} units")


def _moved(client: Client, order_id: str, line_id: str, first: str) -> bool:
    line = _line(client, order_id, line_id)
    if line["state"] != "assigned":
        _say(f"  {order_id}/{line_id}: {first} -> nobody ({line['exception']})")
        return False
    now = line["assignment"]["source_id"]
    if now == first:
        raise CallFailed(f"{order_id}/{line_id} went back to {first}, which is barred")
    _say(f"  {order_id}/{line_id}: {first} -> {now}")
    return True


def _line(client: Client, order_id: str, line_id: str) -> Json:
    order = client.get(f"orders/{order_id}")
    return next(line for line in order["lines"] if line["id"] == line_id)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's output
