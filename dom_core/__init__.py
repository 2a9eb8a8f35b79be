"""The decision core: which source ships which order line, and why."""

__version__ = "0.1.0"
