"""Accuracy and overhead, measured: ``python -m tests.benchmarks`` prints the tables."""
