"""Plans verified without the engine."""
