"""Rows, records and what people read of them."""
