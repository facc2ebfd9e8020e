"""Sensors in hwmon: what holds without a file."""
