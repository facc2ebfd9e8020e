"""Trackers: what TensorBoard and Weights & Biases get beside the rows."""
