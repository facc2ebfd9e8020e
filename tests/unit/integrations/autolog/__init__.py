"""Trainers that meter themselves."""
