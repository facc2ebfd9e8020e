"""Exports of a run that goes on."""
