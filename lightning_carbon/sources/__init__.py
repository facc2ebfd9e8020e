"""Adapters that read energy and power: NVML, RAPL, models where no sensor is, simulation and replay."""
