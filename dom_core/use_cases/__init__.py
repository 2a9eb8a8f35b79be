"""One verb a file: the only callers of ports."""
