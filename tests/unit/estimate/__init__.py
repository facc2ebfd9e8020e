"""Estimates and the tables they are made from."""
