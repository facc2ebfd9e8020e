"""Sources of the host."""
