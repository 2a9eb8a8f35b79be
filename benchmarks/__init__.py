"""How fast and how good: the same orders planned in several ways, and what each way costs. Not deployed."""
