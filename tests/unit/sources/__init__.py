"""Sources of energy and power, on values alone."""
