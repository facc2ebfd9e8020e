"""Automatic metering: trainers that meter themselves, without a line of code at each."""
