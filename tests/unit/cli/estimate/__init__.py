"""Estimates on the command line."""
