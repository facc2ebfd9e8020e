"""Real trainers, real processes, real files."""
