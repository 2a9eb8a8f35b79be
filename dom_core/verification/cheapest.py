"""The cheapest that a group of lines can do: a search by recursion, line by line, that remembers what it has seen."""

from functools import cache

from dom_core.domain.reason import FloatArray


def cheapest(together: FloatArray, alone: FloatArray, helper: FloatArray, most: int, *, may_wait: bool) -> float:
    """What the best pattern of a group is worth, zero or less; zero is to fill nothing.

    `together` (S) is paid for each visit of a source, `alone` (n, S) by each line there; `helper` (S) too where all
    lines come with one visit. At most `most` visits; a source may have two of them.
    """
    lines = len(alone)
    if lines == 1:
        return min(0.0, float((together + alone[0] + helper).min()))
    everything = (1 << lines) - 1

    @cache
    def visit(some: int) -> float:
        """The cheapest source for these lines together."""
        rows = [line for line in range(lines) if some >> line & 1]
        points = together + alone[rows].sum(axis=0)
        return float((points + helper if some == everything else points).min())

    @cache
    def best(left: int, visits: int) -> float:
        """The cheapest way to serve these lines, or to let them wait, with so many visits."""
        if not left:
            return 0.0
        first = left & -left
        rest = left ^ first
        found = best(rest, visits) if may_wait else float("inf")
        if not visits:
            return found
        some = rest
        while True:
            found = min(found, visit(some | first) + best(rest ^ some, visits - 1))
            if not some:
                return found
            some = (some - 1) & rest

    return min(0.0, best(everything, min(most, lines)))
