"""Estimates before a run: energy, CO2e and cost of a training from planned hours, rated power and prices."""
