"""Orders of the Superstore sample, and a network of 24 sources that could have shipped them."""
