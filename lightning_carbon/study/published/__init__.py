"""The published tables of the study of 2019, recomputed from their inputs, and the claims of the press."""
