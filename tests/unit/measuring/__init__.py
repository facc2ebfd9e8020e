"""Measuring as the study does."""
