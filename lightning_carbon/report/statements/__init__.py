"""Statements that a training owes: to readers of a paper or a model card, to funders and to regulators.

Each is made of the records alone, and can print the arithmetic behind every figure. None is a legal opinion.
"""
