"""Configuration, orders and stock in files: every problem with its file and line, all of them at once."""
