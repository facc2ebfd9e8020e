"""Somebody else's program as a child."""
