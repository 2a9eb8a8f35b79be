"""The development host: runs function_app on one machine without Azure tools."""
