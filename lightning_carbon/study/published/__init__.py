"""What the study of 2019 published, recomputed from its inputs, and what the press made of it."""
