"""`dom replay`: make a plan again from its file, and say whether it came out the same."""

import sys
from argparse import Namespace

from dom_core.cli.plan_file import read_plan_file, request_of
from dom_core.cli.terminal import Ending, progress_bar, say
from dom_core.optimizer.solvers import solver_of
from dom_core.use_cases.replay_plan import replay

_SHOWN_CHARACTERS = 200
"""How much of a value that differs is shown."""


def run(options: Namespace) -> Ending:
    """Print `the same, byte for byte`, or the first difference."""
    view = read_plan_file(options.plan)
    request = request_of(view)
    with progress_bar(quiet=False) as watch:
        replayed = replay(view.plan, request, solver_of(view.plan), watch)
    difference = replayed.first_difference
    if difference is None:
        say(sys.stdout, "the same, byte for byte")
        return Ending.DONE
    say(sys.stdout, f"not the same; the first difference is at {difference.path}")
    say(sys.stdout, f"  stored  {difference.stored[:_SHOWN_CHARACTERS]}")
    say(sys.stdout, f"  now     {difference.now[:_SHOWN_CHARACTERS]}")
    if replayed.stopped_by_seconds:
        say(sys.stdout, "The plan was ended by its time limit: at another speed another plan is to be expected.")
    return Ending.PROBLEMS
