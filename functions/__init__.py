"""The function app: triggers by subject. Each function decodes, calls one use case and encodes.

Use cases and everything behind them (NumPy, PuLP, adapters) are imported inside the handlers: the host must be able to
index all functions within its start-up time, long before the first call needs them.
"""
