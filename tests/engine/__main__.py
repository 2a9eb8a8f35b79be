"""A long campaign against the exact model: `python -m tests.engine --cases 1000`.

Every case is planned by search, whole and part by part. Prints what is wrong with its seed, and where a better plan is
possible than the one that was found and not called optimal; the last lines sum up. Exit code 1 when anything was wrong.
"""

import argparse
import sys
from collections import Counter

from tqdm import tqdm

from tests.engine.cases import case
from tests.engine.examining import examine


def main() -> int:
    """Run the campaign."""
    options = _options()
    seeds = range(options.first, options.first + options.cases)
    counted = Counter[str]()
    bad, missed = list[int](), list[int]()
    for seed in tqdm(seeds, unit="case", disable=None):
        found = examine(case(seed))
        counted += found.counted
        for text in (*(f"! {finding}" for finding in found.findings), *found.missed):
            _say(f"seed {seed}: {text}")
        bad += [seed] if found.findings else []
        missed += [seed] if found.missed else []
    _say(f"{len(seeds) - len(bad)} of {len(seeds)} cases are right, {len(bad)} are not{_listed(bad)}")
    _say(f"{len(missed)} have a better plan than one that was found, which is not called optimal{_listed(missed)}")
    _say(", ".join(f"{count} {what}" for what, count in counted.items()))
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.engine", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="how many cases to try (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    return parser.parse_args()


def _listed(seeds: list[int]) -> str:
    return f" (seeds {', '.join(map(str, seeds[:20]))})" if seeds else ""


def _say(text: str) -> None:
    tqdm.write(text, file=sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
