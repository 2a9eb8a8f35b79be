"""`dom explain`: why a line ships from where it does, and why from nowhere else."""

import sys
from argparse import Namespace

from dom_core.cli.terminal import Ending, say
from dom_core.files.places import read_bytes
from dom_core.messages.reading import read_json
from dom_core.report.explanation import explain
from dom_core.report.view import PlanView


def run(options: Namespace) -> Ending:
    """Print the explanation of one line."""
    view = read_json(read_bytes(options.plan), PlanView, "plan file")
    say(sys.stdout, explain(view, *options.line).rstrip("\n"))
    return Ending.DONE
