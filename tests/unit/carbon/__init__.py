"""Pricing energy."""
