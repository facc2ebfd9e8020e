"""The test suites of Lightning, transformers and Accelerate, run with the meter on and off, and compared.

No test of theirs lies here: each suite comes from a folder that a variable names.
"""
