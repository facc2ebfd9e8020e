"""Disks and sensors that fail at the n-th call, for every n, as SQLite's tests have them."""
