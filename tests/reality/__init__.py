"""The meter held against reality: recorded sensors of real GPUs beside an external power meter (``make reality``)."""
