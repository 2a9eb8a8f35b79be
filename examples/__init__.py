"""Example data, and the programs that make it."""
