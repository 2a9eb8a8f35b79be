"""Typed access to the document store: domain values in, domain values out, versions kept."""
