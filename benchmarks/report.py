"""The measurements as a page to read: one section a question, then every figure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.comparing import Compared, Growth, above_optimum, compared, gap, growths
from benchmarks.goals import COMPACT, GOALS, GROWTH_FROM, GROWTH_TO, MOST_GROWTH, Goal, growing
from benchmarks.records import Circumstances, Figures, Outcome, Record
from benchmarks.ways import BY_KEY, WAYS

NOTHING = "–"
CHART = "gaps.svg"
SIMPLER = ("nearest-source", "rule-cascade", "fewest-splits")
EXACT = ("compact-cbc", "compact-highs", "compact-cp-sat")
SHORTEST_STAGE = 0.03
"""The share of a run that a stage takes at least to be named."""

_INTRODUCTION = """# Benchmark results

Written by `make bench`; what is measured, and how to read it, is in [docs/benchmarks.md](../docs/benchmarks.md). All
ways got the same requests, in processes of their own. Every answer was audited and priced by the same code.
"""


def page(records: Sequence[Record]) -> str:
    """The whole page."""
    cases = compared(records)
    batches = [case for case in cases if case.is_batch]
    parts = [
        _INTRODUCTION,
        _circumstances(records),
        f"![Seconds and gap of every way, by batch]({CHART})\n",
        _section("What the engine is to reach", _GOALS, _goals(records)),
        _STAGES if any(record.kind == "aimed" for record in records) else "",
        _section(_GOAL_GROWTH, _GROWTH, _growth(_goal_growths(records))),
        _section("How much better than simpler ways?", _GAIN, _gains(batches)),
        _section("What do batches of 1,500 lines cost?", _BATCHES, _batches(batches)),
        _section("Against one exact model", _EXACT, _exact(batches)),
        _section("Growth from 10,000 to 100,000 lines", _GROWTH, _growth(growths(batches, GROWTH_FROM, GROWTH_TO))),
        _section("Instances of the literature", _LITERATURE, _literature(cases)),
        "## Every batch\n",
        _LEGEND,
        *(f"### {case.case}\n\n{_limits(case)}\n\n{_everything(case)}" for case in batches),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


_LEGEND = """Value and bound are points; lower is better. *Gap* is (value − bound) ÷ value with the bound that the way
itself has proven; *above best bound* the same with the highest bound that any way has proven for the batch. Seconds and
memory are from the request to the answer, without judging; memory is that of the request and of all processes together.
*Plan* is the size of the stored plan with a reason for every line and source, which only this engine gives. *÷ engine*
compares with this engine and CBC.
"""


_STAGES = """A run ends when its gap is proven, or at its limit. Of several runs the middle seconds are told, then the
least and the most. Stages are those that a run tells of while it is at work
([docs/optimizer.md](../docs/optimizer.md#large-parts)); in *lines* it finds out which lines it takes.
"""


def _circumstances(records: Iterable[Record]) -> str:
    seen = list(dict.fromkeys(map(_one, (record.circumstances for record in records))))
    return "".join(f"- {each}\n" for each in seen)


def _one(circumstances: Circumstances) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in circumstances.versions.items())
    return f"{circumstances.date}: {circumstances.machine}; {versions}"


# Questions.


def _goals(records: Iterable[Record]) -> Iterator[Sequence[str]]:
    found = {record.key: record for record in records}
    for goal in GOALS:
        record = found.get((goal.case.name, goal.way))
        if record is None:
            continue
        compact = found.get((goal.case.name, COMPACT))
        yield (
            goal.case.shape.name,
            BY_KEY[goal.way].title,
            _asked(goal),
            _own_gap(record.figures),
            _seconds(record) if record.figures else _unanswered(record),
            _part_of(record, compact) if goal.part_of_compact else NOTHING,
            _whole(record.result.peak_mb),
            "yes" if goal.is_reached(record, compact) else "**no**",
            _stages(record.figures),
        )


def _asked(goal: Goal) -> str:
    time = f"{goal.seconds:g} s"
    if goal.part_of_compact:
        time = f"1/{1 / goal.part_of_compact:g} of {BY_KEY[COMPACT].title}"
    memory = f", {goal.memory_mb:,} MB" if goal.memory_mb else ""
    return f"{100 * goal.case.relative_gap:g} %, {time}{memory}"


def _part_of(record: Record, compact: Record | None) -> str:
    """The engine's seconds as a part of the compact model's."""
    if compact is None or not compact.result.seconds or not record.result.seconds:
        return NOTHING
    return f"1/{compact.result.seconds / record.result.seconds:.1f} of {_seconds(compact)} s"


def _stages(figures: Figures | None) -> str:
    """Where the seconds went, the longest stages first."""
    stages = figures.stages if figures else {}
    told = sorted(stages.items(), key=lambda stage: -stage[1])
    least_s = SHORTEST_STAGE * sum(stages.values())
    return ", ".join(f"{name} {seconds:,.1f}" for name, seconds in told if seconds >= least_s) or NOTHING


def _gains(cases: Iterable[Compared]) -> Iterator[Sequence[str]]:
    for case in cases:
        engine = case.engine()
        for way in SIMPLER:
            other = case.figures(way)
            if engine and engine.figures and other:
                yield (case.case, BY_KEY[way].title, *_differences(engine.figures, other))


def _differences(ours: Figures, theirs: Figures) -> Iterator[str]:
    yield _percent(_change(ours.value, theirs.value), signed=True)
    for name in ("unfilled_units", "shipments", "split_orders", "km"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        yield f"{other:,} → {mine:,}"


def _batches(cases: Iterable[Compared]) -> Iterator[Sequence[str]]:
    for case in cases:
        engine, pieces = case.engine(), case.record("batches")
        if engine and engine.figures and pieces and pieces.figures:
            ours, theirs = engine.figures, pieces.figures
            change = _percent(_change(ours.value, theirs.value), signed=True)
            seconds = f"{_seconds(pieces)} → {_seconds(engine)}"
            units = f"{theirs.unfilled_units:,} → {ours.unfilled_units:,}"
            yield (case.case, change, units, f"{theirs.shipments:,} → {ours.shipments:,}", seconds)


def _exact(cases: Iterable[Compared]) -> Iterator[Sequence[str]]:
    for case in cases:
        engine = case.engine()
        for way in EXACT:
            record = case.record(way)
            if not (engine and engine.figures and record) or record.result.outcome is Outcome.NOT_INSTALLED:
                continue
            times = _times(record.result.seconds, engine.result.seconds)
            value = _change(engine.figures.value, record.figures.value) if record.figures else None
            yield (
                case.case,
                BY_KEY[way].title,
                _seconds(record) if record.figures else _unanswered(record),
                _own_gap(record.figures),
                _own_gap(engine.figures),
                times,
                _percent(value, signed=True),
            )


def _unanswered(record: Record) -> str:
    result = record.result
    if result.outcome is Outcome.OUT_OF_MEMORY and result.note:
        return f"{result.outcome.value}: {result.note}"
    if result.outcome is Outcome.NO_ANSWER:
        return f"{result.outcome.value} (limit {record.limit_s:,.0f} s{_held(record)})"
    return result.outcome.value


def _goal_growths(records: Iterable[Record]) -> Iterator[Growth]:
    found = {record.key: record for record in records}
    for small, large in growing(GOALS):
        ends = found.get((small.case.name, small.way)), found.get((large.case.name, large.way))
        if ends[0] and ends[1] and ends[0].figures and ends[1].figures:
            yield Growth(small.way, ends[0], ends[1])


def _growth(found: Iterable[Growth]) -> Iterator[Sequence[str]]:
    for each in found:
        times = each.times / (GROWTH_TO / GROWTH_FROM)
        both = (each.small, each.large)
        gaps = " → ".join(_own_gap(record.figures) for record in both)
        yield (each.small.case, BY_KEY[each.way].title, *map(_seconds, both), f"{times:.2f}", gaps)


def _literature(cases: Iterable[Compared]) -> Iterator[Sequence[str]]:
    for record in (record for case in cases if case.kind == "literature" for record in case.records):
        figures, title = record.figures, BY_KEY[record.way].title
        if figures is None or figures.optimum is None:
            yield (record.case, title, NOTHING, record.result.outcome.value, NOTHING, NOTHING, NOTHING)
            continue
        above = NOTHING if record.result.note else _percent(above_optimum(figures))
        value = f"{figures.value:,.2f}" + (f" ({record.result.note})" if record.result.note else "")
        yield (record.case, title, f"{figures.optimum:,.2f}", value, above, _own_gap(figures), _seconds(record))


_GOALS = ("batch", "way", "goal", "gap", "seconds", "against compact", "MB", "reached", "where the seconds went")
_GOAL_GROWTH = f"Growth of these runs: at most {MOST_GROWTH:g} times linear"
_GAIN = ("batch", "instead of", "value", "unfilled units", "shipments", "split orders", "km")
_BATCHES = ("batch", "value", "unfilled units", "shipments", "seconds")
_EXACT = ("batch", "model", "its seconds", "its gap", "engine's gap", "seconds ÷ engine", "engine's value")
_GROWTH = ("smaller batch", "way", "seconds", "ten times the lines", "× linear", "gap")
_LITERATURE = ("instance", "way", "known optimum", "found", "above optimum", "own gap", "seconds")


# Figures.

_COLUMNS: Sequence[tuple[str, Callable[[Compared, Record, Figures], str]]] = (
    ("seconds", lambda _case, record, _figures: _seconds(record)),
    ("MB", lambda _case, record, _figures: _whole(record.result.peak_mb)),
    ("value", lambda _case, _record, figures: f"{figures.value:,.0f}"),
    ("bound", lambda _case, _record, figures: NOTHING if figures.bound is None else f"{figures.bound:,.0f}"),
    ("gap", lambda _case, _record, figures: _own_gap(figures)),
    ("above best bound", lambda case, _record, figures: _percent(case.above_best_bound(figures))),
    ("ended", lambda _case, _record, figures: figures.ending or NOTHING),
    ("filled units", lambda _case, _record, figures: f"{_whole(figures.filled_units)} of {_whole(figures.units)}"),
    ("shipments", lambda _case, _record, figures: _whole(figures.shipments)),
    ("split orders", lambda _case, _record, figures: _whole(figures.split_orders)),
    ("km", lambda _case, _record, figures: _whole(figures.km)),
    ("plan, bytes", lambda _case, _record, figures: _whole(figures.plan_bytes)),
    ("value ÷ engine", lambda case, _record, figures: _by_engine(case, figures)),
    ("seconds ÷ engine", lambda case, record, _figures: _slower(case, record)),
)


def _limits(case: Compared) -> str:
    limits = sorted({record.limit_s for record in case.records})
    return f"A solver had {' or '.join(f'{limit_s:g}' for limit_s in limits)} seconds."


def _everything(case: Compared) -> str:
    """Every figure of a case, a row a way."""
    rows = []
    for way in WAYS:
        record = case.record(way.key)
        if record is None:
            continue
        if record.figures is None:
            rows.append([way.title, record.result.outcome.value, *[NOTHING] * (len(_COLUMNS) - 1)])
        else:
            rows.append([way.title, *(show(case, record, record.figures) for _, show in _COLUMNS)])
    return table(("way", *(name for name, _ in _COLUMNS)), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table; words to the left, figures to the right."""
    columns = list(zip(*rows, strict=True))
    in_words = [number == 0 or all(cell[0].isalpha() for cell in column) for number, column in enumerate(columns)]
    rule = "|".join("---" if words else "---:" for words in in_words)
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    found = list(rows)
    return f"## {title}\n\n{table(head, found)}" if found else ""


def _seconds(record: Record) -> str:
    if record.result.seconds is None:
        return NOTHING
    return f"{record.result.seconds:,.1f}{_runs(record.result.runs_s)}{_held(record)}"


def _runs(every: Sequence[float]) -> str:
    """How far the runs of a measurement are apart, where there were several."""
    return f" ({every[0]:,.1f} to {every[-1]:,.1f})" if every else ""


def _held(record: Record) -> str:
    """That a measurement was held to some of the machine's cores, if it was."""
    held_to = record.circumstances.held_to
    return f", {held_to}" if held_to else ""


def _whole(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _percent(share: float | None, *, signed: bool = False) -> str:
    if share is None:
        return NOTHING
    return f"{100 * share:+.2f} %" if signed else f"{100 * share:.3f} %"


def _own_gap(figures: Figures | None) -> str:
    return NOTHING if figures is None or figures.bound is None else _percent(gap(figures.value, figures.bound))


def _change(ours: float, theirs: float) -> float:
    return (ours - theirs) / theirs if theirs else 0.0


def _times(theirs: float | None, ours: float | None) -> str:
    return NOTHING if theirs is None or not ours else f"{theirs / ours:,.1f}"


def _by_engine(case: Compared, figures: Figures) -> str:
    engine = case.engine()
    if engine is None or engine.figures is None or not engine.figures.value:
        return NOTHING
    return f"{figures.value / engine.figures.value:.4f}"


def _slower(case: Compared, record: Record) -> str:
    engine = case.engine()
    return NOTHING if engine is None else _times(record.result.seconds, engine.result.seconds)
