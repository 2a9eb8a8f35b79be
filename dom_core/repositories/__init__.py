"""Typed access to the document store: one file per container. What is read comes with the ETag that writing needs."""
