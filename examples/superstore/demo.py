"""The Superstore example from empty store to first plan, on this machine: `make run`.

Starts the development host on an embedded store of its own (or on Cosmos DB and Storage queues), sends the network,
stock and orders (half over HTTP, half through the queue), runs each strategy once, prints what came out, and keeps
serving until Ctrl-C.
"""

import argparse
import csv
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from dom_core.adapters import storage
from dom_core.adapters.clock import SystemClock
from dom_core.errors import DomError
from dom_core.settings import from_environment
from examples.superstore import rejections
from examples.superstore.client import CallFailed, Client, Json

HERE = Path(__file__).parent
STORE = Path("var/superstore.sqlite3")
KINDS = ("sources", "source-lists", "products", "rules", "cost-factors", "strategies")
STOCK_PAGE = 2000
ADDRESS = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example. Exit code 0 when everything was planned, 1 when a step failed, 130 when stopped before."""
    wanted = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        variables = _variables(wanted)
        with _host(wanted.port, wanted.store, variables) as client:
            _fill(client, variables)
            for strategy_id in _strategy_ids():
                _run(client, strategy_id)
            _say(f"\nFirst plans after {time.monotonic() - started:.0f} s.")
            if wanted.rejections:
                rejections.show(client)
            _say_where_to_look(client)
            if not wanted.once:
                _serve_until_interrupted()
    except (CallFailed, DomError) as error:
        _say(f"The example stopped: {error}")
        return 1
    except KeyboardInterrupt:
        _say("Stopping.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.superstore.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=7071, help="where the host listens (default: 7071)")
    parser.add_argument("--store", type=Path, default=STORE, help=f"a new store file; replaced (default: {STORE})")
    parser.add_argument("--azure", action="store_true", help="on the (empty) Cosmos DB and queues that DOM_… name")
    parser.add_argument("--rejections", action="store_true", help="reject some lines and plan again")
    parser.add_argument("--once", action="store_true", help="stop after the plans instead of serving on")
    return parser


def _variables(wanted: argparse.Namespace) -> dict[str, str]:
    """The environment of the host, with new keys."""
    return {
        **os.environ,
        "DOM_STORE": "azure" if wanted.azure else "sqlite",
        "DOM_STORE_PATH": str(wanted.store),
        "DOM_LOCAL_FUNCTION_KEY": secrets.token_urlsafe(24),
        "DOM_LOCAL_MASTER_KEY": secrets.token_urlsafe(24),
    }


@contextmanager
def _host(port: int, store: Path, variables: Mapping[str, str]) -> Iterator[Client]:
    """The development host in a process of its own, on an empty store. Raises CallFailed when the port is taken."""
    _require_free(port)
    for leftover in store.parent.glob(store.name + "*"):
        leftover.unlink()
    store.parent.mkdir(parents=True, exist_ok=True)
    log = store.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603  # our own host, fixed arguments
            [sys.executable, "-m", "local", "--port", str(port)], env=variables, stdout=output, stderr=output
        )
        client = Client(f"http://{ADDRESS}:{port}", variables["DOM_LOCAL_FUNCTION_KEY"])
        try:
            _wait_for_host(process, client, log)
            _say(f"The development host listens on {client.base_url} (log: {log}).")
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _require_free(port: int) -> None:
    """Raises CallFailed where the host would not get its port: before the store of whoever has it is replaced."""
    try:
        socket.create_server((ADDRESS, port)).close()
    except OSError as error:
        raise CallFailed(
            f"the host cannot have port {port} ({os.strerror(error.errno or 0)}). Stop the program that has it, "
            "perhaps an example that is still running, or choose another: `make run PORT=…`, or --port"
        ) from None


def _wait_for_host(process: "subprocess.Popen[bytes]", client: Client, log: Path) -> None:
    try:
        client.wait_until_up()
    except CallFailed:
        if process.poll() is not None:
            raise CallFailed(f"the host did not start:\n{log.read_text()[-2000:]}") from None
        raise
    if process.poll() is not None:
        raise CallFailed(f"the host did not start:\n{log.read_text()[-2000:]}")


def _fill(client: Client, variables: Mapping[str, str]) -> None:
    for kind in tqdm(KINDS, desc="configuration", unit="kind"):
        items = json.loads((HERE / "config" / f"{kind.replace('-', '_')}.json").read_bytes())
        if items:
            client.put(f"config/{kind}", items)
    with (HERE / "stock.csv").open(newline="") as file:
        levels = [{**row, "on_hand": int(row["on_hand"])} for row in csv.DictReader(file)]
    for start in tqdm(range(0, len(levels), STOCK_PAGE), desc="stock", unit="page"):
        client.put("stock", levels[start : start + STOCK_PAGE])
    orders = (HERE / "orders.jsonl").read_bytes().splitlines()
    _send_orders(client, variables, orders)
    _wait_until_collected(client, len(orders))


def _send_orders(client: Client, variables: Mapping[str, str], orders: Sequence[bytes]) -> None:
    """Every other order through HTTP, as a storefront sends it; the rest on the queue, as an order provider does."""
    settings = from_environment(variables)
    with storage.opened(settings, SystemClock()) as kept:
        for number, order in enumerate(tqdm(orders, desc="orders sent", unit="order")):
            if number % 2:
                kept.queues.send(settings.orders_queue, order)
            else:
                client.post("orders", json.loads(order))


def _wait_until_collected(client: Client, wanted: int) -> None:
    with tqdm(total=wanted, desc="orders collected", unit="order") as bar:
        deadline = time.monotonic() + 120
        while bar.n < wanted and time.monotonic() < deadline:
            bar.update(sum(1 for _ in client.pages("orders", limit="1000")) - bar.n)
            time.sleep(0.2)
    if bar.n < wanted:
        raise CallFailed(f"only {bar.n} of {wanted} orders were collected; see GET /api/deadletters")


def _strategy_ids() -> list[str]:
    strategies = json.loads((HERE / "config" / "strategies.json").read_bytes())
    return [strategy["id"] for strategy in strategies]


def _run(client: Client, strategy_id: str) -> None:
    run = client.run_and_wait(strategy_id)
    plan = client.get(f"plans/{run['plan_id']}")
    _say(f"\n{strategy_id}: plan {run['plan_id']}")
    for line in summary_table(run["summary"], plan["iterations"]):
        _say(line)


def summary_table(summary: Mapping[str, Json], iterations: Sequence[Mapping[str, Json]]) -> list[str]:
    """What a run decided, as lines of text."""
    unfilled = ", ".join(f"{count} {reason}" for reason, count in sorted(summary["unfilled_by_reason"].items()))
    rows = [
        f"  lines {summary['lines']}, filled {summary['filled_lines']}; units {summary['units']}, "
        f"filled {summary['filled_units']}; shipments {summary['shipments']}; "
        f"average {summary['average_km']:.0f} km; {summary['seconds']:.1f} s",
        f"  unfilled lines: {unfilled or 'none'}",
        "  iteration   lines  filled        total        bound      gap  ending       seconds",
    ]
    rows += [
        f"  {it['number']:>9} {it['lines']:>7} {it['filled_lines']:>7} {it['total']:>12,} {it['bound']:>12,.0f} "
        f"{it['gap']:>8.3%}  {it['ending']:<11} {it['seconds']:>8.2f}"
        for it in iterations
    ]
    return rows


def _say_where_to_look(client: Client) -> None:
    _say("\nLook at the plans:")
    for plan in client.pages("plans"):
        _say(f"  {plan['strategy_id']}: {client.base_url}/api/plans/{plan['id']}/report?code={client.key}")
    _say(f"Function key for your own calls (header x-functions-key): {client.key}")


def _serve_until_interrupted() -> None:
    _say("Serving. Ctrl-C stops.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        _say("Stopping.")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    # Whoever ends this process ends the host with it: else the host would keep the port, with keys that nobody knows.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
