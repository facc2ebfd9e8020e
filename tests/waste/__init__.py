"""Trainings with a known fault, on a clock of their own, that show whether waste is named right."""
