"""What the system tells of itself, in words of the domain: `events` that happened, and steps on an order's `ways`.

Use cases tell through the protocol in `listening`. What becomes of it (a line in the log, a measurement, a span of
OpenTelemetry) is the adapter's business; nothing here knows.
"""
