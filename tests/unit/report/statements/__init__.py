"""Statements, each against its golden file."""
