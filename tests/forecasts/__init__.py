"""How well forecasts hold: simulated trainings with a known end, and tables of how often the ranges held it."""
