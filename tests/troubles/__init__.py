"""Bad situations: nothing is lost, nothing happens twice, and the operator can see it (docs/operations.md)."""
