"""Adapters that read energy and power: NVML, RAPL, hwmon, models where there is no sensor, simulation and replay."""
