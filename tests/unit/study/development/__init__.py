"""The study's Table 4."""
