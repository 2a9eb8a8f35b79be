"""`python -m local`: run function_app.py on this machine.

Exit codes: 0 stopped in order, 1 the port is taken, 2 the input is wrong (arguments, host.json, function app).
"""

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from dom_core import settings
from dom_core.adapters import storage
from dom_core.adapters.clock import SystemClock
from dom_core.errors import InvalidInput
from dom_core.ports import MessageQueues
from local.announcement import announcement
from local.host import Host, Options
from local.host_json import read_host_json
from local.indexing import index, load_app
from local.keys import Keys, make_key
from local.timer_states import TimerStates
from local.variables import app_settings

FUNCTION_KEY = "DOM_LOCAL_FUNCTION_KEY"
MASTER_KEY = "DOM_LOCAL_MASTER_KEY"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    wanted = _parser().parse_args(arguments)
    try:
        chosen = settings.from_environment(environment)
        with storage.opened(chosen, SystemClock()) as kept:
            host = _host(wanted, environment, kept.queues, Path(chosen.store_path))
            return asyncio.run(_serve(host, wanted))
    except InvalidInput as error:
        for problem in error.problems:
            _say(f"{error.subject}: {problem}", sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Run a Functions v2 app on this machine, without Azure tools. For development only.",
        epilog=f"Keys come from --function-key and --admin-key, else from {FUNCTION_KEY} and {MASTER_KEY} (better: a "
        "command line is visible to every user of the machine), else new ones are made and printed.",
    )
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=_port, default=7071, help="0 takes any free port (default: 7071)")
    parser.add_argument("--app", type=Path, default=Path("function_app.py"), help="the app (default: function_app.py)")
    parser.add_argument("--host-json", type=Path, help="its host.json (default: beside the app)")
    parser.add_argument("--function-key", help="the key for functions of level 'function'")
    parser.add_argument("--admin-key", help="the master key: every function, and /admin")
    parser.add_argument(
        "--drain-limit", type=_seconds, default=30.0, metavar="S", help="seconds to wait for running work"
    )
    return parser


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > 65_535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII):
        raise argparse.ArgumentTypeError("must be a number of seconds")
    return float(text)


def _host(wanted: argparse.Namespace, environment: Mapping[str, str], queues: MessageQueues, store_path: Path) -> Host:
    """The host that was asked for. Raises InvalidInput for everything that is wrong with the input."""
    host_json = read_host_json(wanted.host_json or wanted.app.with_name("host.json"))
    options = Options(
        keys=_keys(wanted, environment),
        address=wanted.address,
        port=wanted.port,
        drain_limit_s=wanted.drain_limit,
    )
    functions = index(load_app(wanted.app), app_settings(environment))
    return Host(functions, host_json, queues, TimerStates(store_path.with_suffix(".timers.json")), options)


def _keys(wanted: argparse.Namespace, environment: Mapping[str, str]) -> Keys:
    function_key = wanted.function_key or environment.get(FUNCTION_KEY)
    master_key = wanted.admin_key or environment.get(MASTER_KEY)
    keys = Keys(function_key or make_key(), master_key or make_key())
    # Only keys that were made here are shown: nobody else could know them.
    if not function_key:
        _say(f"Function key: {keys.function}")
    if not master_key:
        _say(f"Master key:   {keys.master}")
    return keys


async def _serve(host: Host, wanted: argparse.Namespace) -> int:
    asked_to_stop = _stop_signal()
    try:
        await host.start()
    except OSError as error:
        _say(f"cannot listen on {wanted.address}:{wanted.port}: {error.strerror}", sys.stderr)
        return 1
    for line in announcement(host):
        _say(line)
    await asked_to_stop.wait()
    _say("Stopping: running work may end; once more stops at once.")
    if not await host.stop():
        _leave_at_once()
    return 0


def _stop_signal() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; the second acts as if nobody listened."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(asked.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    return asked


def _leave_at_once() -> NoReturn:
    """End the process although a handler is still on its thread: Python itself would wait for it for ever."""
    _say("Some work did not end in time and is left; it will be done again.", sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _say(line: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(line + "\n")
    (stream or sys.stdout).flush()


if __name__ == "__main__":
    sys.exit(main())
