"""Measure ways of planning against each other on the same batches, and write what came of it.

    python -m benchmarks --quick                        two tiny batches in seconds, printed
    python -m benchmarks --sizes 1000x200x1.0           one batch: lines x sources x cover (stock / demand) [x seed]
    python -m benchmarks --only engine-cbc,batches      some ways only
    python -m benchmarks --literature DIR               instances with known optima, too (see docs/benchmarks.md)
    python -m benchmarks --superstore superstore.csv    all orders of the Superstore sample, too
    python -m benchmarks --sizes none --literature DIR  the literature only
    python -m benchmarks --sizes none --goals           what the engine is to reach, and does: some 20 minutes
    python -m benchmarks                                every size, every way: hours
    python -m benchmarks --report                       only write the page again

Every result is kept in results.json as soon as it is there; what is in it is not measured again unless --again asks
for it. So a campaign can be stopped with Ctrl-C and taken up by the same command. RESULTS.md and its chart are written
from the file after each run.

Exit codes: 0 all measured; 1 a way failed, or its answer broke a rule; 2 wrong usage; 130 stopped.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from benchmarks import campaign, chart, records, report
from benchmarks.campaign import Campaign
from benchmarks.cases import QUICK_SHAPES, all_shapes, cases_of, shape_from
from benchmarks.goals import GOALS
from benchmarks.instances import Shape
from benchmarks.measuring import Watch
from benchmarks.records import Outcome, Record
from benchmarks.ways import BY_KEY, WAYS

HERE = Path(__file__).parent
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, say what was done."""
    options = _options(arguments)
    file: Path = options.out / "results.json"
    try:
        found = {} if options.quick else records.read(file)
        if not options.report:
            found = _measure(options, file)
    except KeyboardInterrupt:
        _tell("stopped; the same command takes it up where it was")
        return STOPPED
    ordered = campaign.in_order(found.values())
    _write(options.out / "RESULTS.md", report.page(ordered))
    _write(options.out / report.CHART, chart.draw(ordered))
    if options.quick:
        sys.stdout.write(report.page(ordered))
    return int(any(record.result.outcome is Outcome.FAILED for record in ordered))


def _measure(options: argparse.Namespace, file: Path) -> dict[tuple[str, str], Record]:
    shapes = list(QUICK_SHAPES if options.quick else all_shapes()) if options.sizes is None else options.sizes
    cases = list(cases_of(shapes, options.superstore, options.literature))
    again, goals = options.again or options.quick, GOALS if options.goals else ()
    made = Campaign(cases, options.only, options.limit_s, options.memory_mb, again, goals)
    here = records.circumstances(datetime.now(UTC).date().isoformat())
    with _bar() as watch:
        return campaign.run(made, file, here, watch, _tell)


@contextmanager
def _bar() -> Iterator[Watch]:
    """Seconds of the measurement that runs, on a terminal only."""
    with tqdm(total=None, disable=None, leave=False, bar_format="{desc}") as bar:
        yield lambda gone_s: bar.set_description_str(f"{gone_s:6.0f} s", refresh=True)


def _tell(message: str) -> None:
    tqdm.write(message, file=sys.stderr)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")
    _tell(f"wrote {path}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100 lines x 10 sources, 20 s a solver, printed")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page from what is kept")
    parser.add_argument("--sizes", type=_sizes, metavar="LxSxC,...", help="batches instead of all 27, or none")
    ways = ", ".join(way.key for way in WAYS)
    parser.add_argument("--only", type=_ways, default=list(BY_KEY), metavar="WAY,...", help=f"of: {ways}")
    parser.add_argument("--limit-s", type=_seconds, metavar="S", help="seconds for a solver, a way and a batch; 600")
    half = records.memory_mb() * 3 // 4
    parser.add_argument(
        "--memory-mb", type=int, default=half, metavar="MB", help="for one way at most; three quarters of the machine's"
    )
    parser.add_argument("--literature", type=Path, metavar="DIR", help="folder with assign/, pmed/, uncap/, sscflp/")
    parser.add_argument("--superstore", type=Path, metavar="CSV", help="superstore.csv (examples/superstore/README.md)")
    parser.add_argument("--goals", action="store_true", help="also what the engine is to reach, with its own limits")
    parser.add_argument("--again", action="store_true", help="measure what is kept already once more")
    parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="default: benchmarks, quick: build/bench")
    options = parser.parse_args(arguments)
    options.limit_s = options.limit_s or (20.0 if options.quick else 600.0)
    options.out = options.out or (HERE.parent / "build" / "bench" if options.quick else HERE)
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def _sizes(text: str) -> list[Shape]:
    try:
        return [] if text == "none" else [shape_from(each) for each in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError("write lines x sources x cover, as in 10000x200x1.5") from error


def _ways(text: str) -> list[str]:
    unknown = [key for key in text.split(",") if key not in BY_KEY]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(BY_KEY)}")
    return [key for key in BY_KEY if key in text.split(",")]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError("must be a number of seconds above zero")
    return seconds


if __name__ == "__main__":
    # Asked to end, as with Ctrl-C: solvers are ended, too. A shell that starts this in the background ignores Ctrl-C.
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, signal.default_int_handler)
    sys.exit(main())
