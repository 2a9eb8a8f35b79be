"""A plan for people: figures, explanations, and one page that needs nothing but itself."""
