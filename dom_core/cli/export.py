"""`dom export`: the mathematical model of a plan, for any other solver, with a key to its variables."""

import csv
import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from dom_core.cli.plan_file import read_plan_file, request_of
from dom_core.cli.terminal import Ending, say
from dom_core.optimizer.export import KeyRow, export
from dom_core.use_cases.replay_plan import require_own_request

KEY_SUFFIX = ".key.csv"
"""What the key's file is called after the model's."""


def run(options: Namespace) -> Ending:
    """Write the model and its key."""
    view = read_plan_file(options.plan)
    request = request_of(view)
    require_own_request(view.plan, request)
    exported = export(request, view.plan, options.iteration)
    target: Path = options.lp or options.mps
    write = exported.write_lp if options.lp else exported.write_mps
    write(str(target))
    key = target.with_name(target.name + KEY_SUFFIX)
    _write_key(key, exported.key)
    say(sys.stdout, f"Written: {target}, {key}")
    say(sys.stdout, f"The plan's own answer to this model is worth {exported.planned_total:,} points.")
    return Ending.DONE


def _write_key(path: Path, rows: Iterable[KeyRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(KeyRow)])
        writer.writerows(astuple(row) for row in rows)
