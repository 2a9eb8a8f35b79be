"""The command line: what may be said, and the help that teaches it."""

import argparse
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from dom_core import __version__

_EPILOG = """\
examples:
  dom validate config/
  dom plan --config config/ --orders orders.jsonl --stock stock.csv \\
           --strategy standard-delivery --out plan.json --report plan.html
  dom explain plan.json CA-2017-100783/1
  dom replay plan.json
  dom verify plan.json

exit codes:
  0    done; lines that a plan leaves unfilled are a result, not an error
  1    the input has problems; they are listed with file and line, and nothing is written; or a replay
       differs, or a plan is refused
  2    the command line is not understood; or, of `dom verify`, a file that is no plan
  3    the run failed: the solver, the audit of the plan, or a file that cannot be written
  130  stopped by Ctrl-C

Set DOM_DEBUG=1 to see the traceback of a failure.
"""

_PLAN_EPILOG = """\
input:
  --config  a folder with sources.json, source_lists.json, products.json, rules.json, cost_factors.json and
            strategies.json; each is a JSON array, a missing file is an empty one
  --orders  JSON lines (an order a line) or CSV (an order line a row), told apart by how they begin
  --stock   CSV or JSON lines with product_id, source_id, on_hand

Addresses without coordinates are looked up in tables that come with the program; nothing is sent anywhere.

examples:
  dom plan --config config/ --orders orders.csv --stock stock.csv --strategy standard --out plan.json
  zcat orders.jsonl.gz | dom plan --config config/ --orders - --stock stock.csv --strategy standard \\
      --out plan.json --report plan.html --now 2026-03-02T09:00:00-06:00
"""

_EXPLAIN_EPILOG = """\
A line that is not filled also says which rules would have to go for it, and one that lost something says to whom.

examples:
  dom explain plan.json CA-2017-100783/1
  dom explain plan.json CA-2017-100783/1 --force columbus-warehouse
"""

_REPLAY_EPILOG = """\
The file holds the request that the plan was made from. It is planned again, and everything but the seconds compared.

example:
  dom replay plan.json

exit codes: 0 the same, 1 not the same or not possible
"""

_VERIFY_EPILOG = """\
The file holds the request that the plan was made from. From it everything that the plan says is worked out once more,
without the engine: rules, stock, distances, the value of every level, and from the plan's prices the bound. Parts that
the solver's own search has proven are named; --again solves those again, by HiGHS where it is installed, else by CBC.

examples:
  dom verify plan.json
  dom verify plan.json --again

exit codes: 0 verified; 1 refused, with each figure that is wrong and by how much, or with --again not decided within
the limits; 2 a file that is no plan
"""

_EXPORT_EPILOG = """\
Variables are numbers; FILE.key.csv says which order, line and source each one is about. The objective is in points, and
for an iteration that is proven best its least value is the iteration's total.

examples:
  dom export plan.json --lp model.lp
  dom export plan.json --mps model.mps --iteration 2
"""

_VALIDATE_EPILOG = """\
Errors (exit code 1) make a configuration unusable. Warnings (exit code 0) are allowed, and probably not meant.

example:
  dom validate examples/superstore/config
"""


def build() -> argparse.ArgumentParser:
    """The parser of all commands; the chosen one's function is in `command`."""
    parser = argparse.ArgumentParser(
        prog="dom",
        description="Decide which warehouse, store or vendor ships which order line.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"dom {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_plan(commands)
    _add_explain(commands)
    _add_replay(commands)
    _add_verify(commands)
    _add_export(commands)
    _add_validate(commands)
    return parser


def _add_plan(commands: Any) -> None:
    plan = _command(commands, "plan", "plan the orders of a file with one strategy", _PLAN_EPILOG)
    plan.add_argument("--config", type=Path, required=True, metavar="DIR", help="the folder of the configuration")
    plan.add_argument("--orders", required=True, metavar="FILE", help="the orders; - reads them from standard input")
    plan.add_argument("--stock", type=Path, required=True, metavar="FILE", help="the units on hand")
    plan.add_argument("--strategy", required=True, metavar="ID", help="the strategy to run")
    plan.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the plan is written, as JSON")
    plan.add_argument("--report", type=Path, metavar="FILE", help="where to write the plan as a web page, too")
    plan.add_argument("--now", type=_moment, metavar="TIME", help="plan as if it were this time (ISO 8601 with offset)")
    plan.add_argument("--solve-limit-s", type=_seconds, metavar="N", help="seconds for the solver; else the strategy's")
    plan.add_argument("--solver", choices=("cbc", "highs"), default="cbc", help="highs is faster, an extra to install")
    plan.add_argument("--quiet", action="store_true", help="no progress bar, no warnings, no summary")


def _add_explain(commands: Any) -> None:
    explain = _command(commands, "explain", "say why a line ships from where it does", _EXPLAIN_EPILOG)
    explain.add_argument("plan", type=Path, metavar="PLAN", help="the file that `dom plan` wrote")
    explain.add_argument("line", type=_order_line, metavar="ORDER/LINE", help="the order's id and the line's")
    explain.add_argument("--force", metavar="SOURCE", help="plan again with the line shipping from there, and compare")


def _add_replay(commands: Any) -> None:
    replay = _command(commands, "replay", "make a plan again and compare", _REPLAY_EPILOG)
    replay.add_argument("plan", type=Path, metavar="PLAN", help="the file that `dom plan` wrote")


def _add_verify(commands: Any) -> None:
    verify = _command(commands, "verify", "check a plan and its bound without the engine", _VERIFY_EPILOG)
    verify.add_argument("plan", type=Path, metavar="PLAN", help="the file that `dom plan` wrote")
    verify.add_argument("--again", action="store_true", help="solve again what only a solver's own search has proven")


def _add_export(commands: Any) -> None:
    export = _command(commands, "export", "write a plan's mathematical model for another solver", _EXPORT_EPILOG)
    export.add_argument("plan", type=Path, metavar="PLAN", help="the file that `dom plan` wrote")
    target = export.add_mutually_exclusive_group(required=True)
    target.add_argument("--lp", type=Path, metavar="FILE", help="where to write it in the LP format")
    target.add_argument("--mps", type=Path, metavar="FILE", help="where to write it in the MPS format")
    export.add_argument("--iteration", type=int, choices=(1, 2), default=1, help="which of the two (default: 1)")


def _add_validate(commands: Any) -> None:
    validate = _command(commands, "validate", "list every problem of a configuration", _VALIDATE_EPILOG)
    validate.add_argument("config", type=Path, metavar="DIR", help="the folder of the configuration")


def _command(commands: Any, name: str, help: str, epilog: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=lambda options: _run(name, options))
    return parser


def _run(name: str, options: argparse.Namespace) -> Any:
    """Import the command when it is used: `--help` does not wait for a solver."""
    return import_module(f"dom_core.cli.{name}").run(options)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time such as 2026-03-02T15:00:00Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{text}' needs its offset from UTC, such as {text}Z")
    return moment.astimezone(UTC)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0, up to 3600")
    return seconds


def _order_line(text: str) -> tuple[str, str]:
    order_id, slash, line_id = text.rpartition("/")
    if not (slash and order_id and line_id):
        raise argparse.ArgumentTypeError(f"'{text}' is not ORDER/LINE, such as CA-2017-100783/1")
    return order_id, line_id
