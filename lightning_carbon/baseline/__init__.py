"""The energy cost of a run's steps, and its comparison with an earlier run. Pure."""
