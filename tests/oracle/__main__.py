"""A long campaign against brute force: `python -m tests.oracle --cases 5000`.

Prints each disagreement with its seed and the whole case; the last line sums up. Exit code 1 when there was any.
"""

import argparse
import sys
from collections import Counter

from tqdm import tqdm

from dom_core.domain.strategy import ObjectiveMode
from dom_core.errors import DomError
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.oracle.comparison import describe, describe_plan, disagreements
from tests.oracle.generation import generate

LEVEL_BY_LEVEL, BY_COST, BOTH_ITERATIONS = "level by level", "by cost", "assigned in both iterations"


def main() -> int:
    """Run the campaign."""
    options = _options()
    seeds = range(options.first, options.first + options.cases)
    tried = Counter[str]()
    bad = [seed for seed in tqdm(seeds, unit="case", disable=None) if not _agrees(seed, tried)]
    listed = f" (seeds {', '.join(map(str, bad[:20]))})" if bad else ""
    kinds = ", ".join(f"{tried[kind]} {kind}" for kind in (LEVEL_BY_LEVEL, BY_COST, BOTH_ITERATIONS))
    _say(f"{len(seeds) - len(bad)} of {len(seeds)} cases agree with brute force, {len(bad)} do not{listed}: {kinds}")
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="how many cases to try (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    return parser.parse_args()


def _agrees(seed: int, tried: Counter[str]) -> bool:
    request = generate(seed)
    tried[LEVEL_BY_LEVEL] += request.strategy.objective_mode is ObjectiveMode.STRICT
    tried[BY_COST] += bool(request.costs_in_force())
    try:
        plan = plan_once(request, CbcSolver())
    except DomError as error:
        _say(f"seed {seed}: {type(error).__name__}: {error}\n{describe(request)}\n")
        return False
    tried[BOTH_ITERATIONS] += {1, 2} <= {a.iteration for line in plan.lines for a in line.assignments}
    found = disagreements(request, plan)
    if found:
        listed = "\n".join(f"  ! {finding}" for finding in found)
        _say(f"seed {seed}:\n{listed}\n{describe(request)}\n{describe_plan(plan)}\n")
    return not found


def _say(text: str) -> None:
    tqdm.write(text, file=sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
