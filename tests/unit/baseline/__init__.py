"""Costs of steps, and comparisons with them."""
