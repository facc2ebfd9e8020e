"""Searches for hyperparameters with the real libraries."""
