"""Frozen values of the business: no I/O, no clock, no environment."""
