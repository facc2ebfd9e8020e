"""Loops on Accelerate, metered by our tracker, and by a ``Meter`` of which Accelerate's trackers are told."""
