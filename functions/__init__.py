"""Blueprints: decode, one call, encode."""
