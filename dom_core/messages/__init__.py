"""The formats in which the world talks to us, and how bytes become domain values.

The same formats serve HTTP bodies, queue messages and files.
"""
