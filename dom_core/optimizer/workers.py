"""How much is worked on at the same time on one machine."""

WORKERS = 2
"""Tasks, or blocks of a pass over all pairs, at work at the same time. What comes of them does not depend on it."""
