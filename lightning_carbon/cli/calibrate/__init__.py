"""The command ``calibrate``: metered runs held against a wall meter."""
