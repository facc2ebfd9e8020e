"""NVML without a driver: what is chosen, as pure functions."""
