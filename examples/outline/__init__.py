"""The outline of the United States that the report page draws, and the program that makes it."""
