"""What the system does: one verb a file, each a function whose first argument is the ports it may use."""
