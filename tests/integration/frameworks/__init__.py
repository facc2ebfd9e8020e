"""Frameworks that have an environment of their own, as `make frameworks` makes it."""
