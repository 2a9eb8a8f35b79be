"""What no plan can fill: a bound of the first level of the objective by itself, without a solver."""

import numpy as np

from dom_core.optimizer.decomposition import lines_by_product
from dom_core.optimizer.problem import Problem
from dom_core.watch import UNWATCHED, Watch


def unfilled_at_least(problem: Problem, watch: Watch = UNWATCHED) -> int:
    """Units that stay unfilled in any plan, weighted by class as the objective counts them.

    Those of lines without a candidate; and of each product what its other lines want beyond what is there for them, the
    lightest first. No source gives more of a product than it has, or than the lines want that may draw on it.
    Raises Cancelled.
    """
    weights = problem.weights[problem.batch.order_of]
    unfilled = 0
    for product, lines in watch.each(lines_by_product(problem)):
        reach = problem.allowed[lines]
        wanted, weight = problem.wanted[lines].astype(np.int64), weights[lines]
        open_lines = reach.any(axis=1)
        unfilled += int((wanted * weight)[~open_lines].sum())
        there = np.minimum(problem.stock[product], wanted @ reach).sum()
        lightest = np.argsort(weight[open_lines], kind="stable")
        units = wanted[open_lines][lightest]
        short = int(units.sum() - there)
        taken = np.diff(np.minimum(np.cumsum(units), max(0, short)), prepend=0)
        unfilled += int(taken @ weight[open_lines][lightest])
    return unfilled
