"""Tasks and answers as bytes, for whoever performs them elsewhere: arrays as NumPy keeps them, the rest as JSON.

No order, product or source is named: positions are enough to solve, so nothing personal travels. What comes back from
`task_of` has stand-ins for the lines and sources of the batch, of which solving asks only whether they are written in.
"""

VERSION = 1
"""Of the form in which tasks and answers are written: another version's are refused, not guessed at."""

_HEADER = "header"
