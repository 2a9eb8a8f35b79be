"""`dom explain`: why a line ships from where it does, why from nowhere else, and what would change that."""

import sys
from argparse import Namespace

from dom_core.cli.plan_file import read_plan_file, request_of
from dom_core.cli.terminal import Ending, say
from dom_core.optimizer.solving import CbcSolver
from dom_core.report.explanation import explain
from dom_core.use_cases import explain_line


def run(options: Namespace) -> Ending:
    """Print the explanation of one line. A file without its request has the codes of the reasons, no more."""
    view = read_plan_file(options.plan)
    order_id, line_id = options.line
    explanation = None
    if view.request is not None or options.force is not None:
        request = request_of(view)
        explanation = explain_line.explain(view.plan, request, CbcSolver(), (order_id, line_id), options.force)
    say(sys.stdout, explain(view, order_id, line_id, explanation).rstrip("\n"))
    return Ending.DONE
