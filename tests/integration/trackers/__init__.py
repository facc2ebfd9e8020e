"""Trainings with the real libraries of trackers, offline, and what they hold afterwards."""
