"""Distances between sources and destinations."""
